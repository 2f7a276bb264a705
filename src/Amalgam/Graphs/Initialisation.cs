using Amalgam.Numerics;

namespace Amalgam.Graphs;

/// <summary>
/// How a parameter begins. Values depend on the seed, the parameter's name and the position alone, so a layer that is added elsewhere changes nothing here. Fans
/// are PyTorch's: for a shape [out, in, ...] fan in is in times the size of the rest, fan out is out times it.
/// </summary>
public abstract record Initialisation
{
    private const int Part = 4096;
    private const double Unit = 1.0 / (1L << 32);

    /// <summary>All zero.</summary>
    public static readonly Initialisation Zeros = new Constant(0);

    /// <summary>All one.</summary>
    public static readonly Initialisation Ones = new Constant(1);

    /// <summary>PyTorch's default for the weights of linear and convolutional layers: uniform in +-1 / sqrt(fan in), which is kaiming_uniform_ with a = sqrt(5).</summary>
    public static readonly Initialisation Default = new FanInUniform();

    /// <summary>Normal with variance 2 / fan in (He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015, equation 10).</summary>
    public static readonly Initialisation KaimingFanIn = new Kaiming(false);

    /// <summary>Normal with variance 2 / fan out (the same, equation 14).</summary>
    public static readonly Initialisation KaimingFanOut = new Kaiming(true);

    /// <summary>Uniform with variance 2 / (fan in + fan out) (Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010, equation 16).</summary>
    public static readonly Initialisation XavierUniform = new Xavier();

    /// <summary>All the same.</summary>
    public static Initialisation Same(double value) => new Constant((float)value);

    /// <summary>Normal with mean 0.</summary>
    public static Initialisation Normal(double deviation) => new Gaussian(deviation, double.PositiveInfinity);

    /// <summary>Normal with mean 0, cut at two deviations: what lies beyond is drawn again.</summary>
    public static Initialisation TruncatedNormal(double deviation) => new Gaussian(deviation, 2);

    /// <summary>Uniform in +-bound.</summary>
    public static Initialisation Uniform(double bound) => new Even(bound);

    /// <summary>Draws a parameter.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="name">The parameter's name.</param>
    public Tensor Draw(Shape shape, long seed, string name)
    {
        Tensor y = new(shape);
        Fill(new(Philox.Key(seed, name, 0)), y);
        return y;
    }

    private protected abstract void Fill(Stream stream, Tensor y);

    private static long FanIn(Shape shape) => shape.Rank < 2 ? Math.Max(1, shape.Count) : Math.Max(1, shape.Count / Math.Max(1, shape[0]));

    private static long FanOut(Shape shape) => shape.Rank < 2 ? Math.Max(1, shape.Count) : Math.Max(1, shape.Count / Math.Max(1, shape[1]));

    private sealed record Constant(float Value) : Initialisation
    {
        private protected override void Fill(Stream stream, Tensor y) => y.Span.Fill(Value);
    }

    private sealed record Even(double Bound) : Initialisation
    {
        private protected override void Fill(Stream stream, Tensor y) => stream.Uniform(Bound, y);
    }

    private sealed record FanInUniform : Initialisation
    {
        private protected override void Fill(Stream stream, Tensor y) => stream.Uniform(1 / Math.Sqrt(FanIn(y.Shape)), y);
    }

    private sealed record Xavier : Initialisation
    {
        private protected override void Fill(Stream stream, Tensor y) => stream.Uniform(Math.Sqrt(6.0 / (FanIn(y.Shape) + FanOut(y.Shape))), y);
    }

    private sealed record Kaiming(bool Out) : Initialisation
    {
        private protected override void Fill(Stream stream, Tensor y) =>
            stream.Normal(Math.Sqrt(2.0 / (Out ? FanOut(y.Shape) : FanIn(y.Shape))), double.PositiveInfinity, y);
    }

    private sealed record Gaussian(double Deviation, double Cut) : Initialisation
    {
        private protected override void Fill(Stream stream, Tensor y) => stream.Normal(Deviation, Cut, y);
    }

    /// <summary>The random numbers of one parameter; parts of it are drawn by several cores.</summary>
    private protected readonly record struct Stream(ulong Key)
    {
        /// <summary>Value i from word i, at the middle of its interval, so neither bound is reached.</summary>
        public void Uniform(double bound, Tensor y) => Cores.ForRange((y.Count + Part - 1) / Part, 1, (Key, bound, y), static (s, from, to) =>
        {
            Span<uint> words = stackalloc uint[Part];
            for (int part = from; part < to; part++)
            {
                Span<float> values = s.y.Span[(part * Part)..Math.Min(s.y.Count, (part + 1) * Part)];
                Philox.Fill(s.Key, (long)part * Part, words[..values.Length]);
                for (int i = 0; i < values.Length; i++) values[i] = (float)(s.bound * ((2 * (words[i] + 0.5) * Unit) - 1));
            }
        });

        /// <summary>Values 2i and 2i + 1 from words 2i and 2i + 1 by Box and Muller's transform; one beyond the cut is drawn again from a second stream, a third and so on.</summary>
        public void Normal(double deviation, double cut, Tensor y) => Cores.ForRange((y.Count + Part - 1) / Part, 1, (This: this, deviation, cut, y), static (s, from, to) =>
        {
            Span<uint> words = stackalloc uint[Part];
            for (int part = from; part < to; part++)
            {
                Philox.Fill(s.This.Key, (long)part * Part, words);
                s.This.Normal(s.deviation, s.cut, words, part * Part, s.y.Span[(part * Part)..Math.Min(s.y.Count, (part + 1) * Part)]);
            }
        });

        private void Normal(double deviation, double cut, ReadOnlySpan<uint> words, int first, Span<float> y)
        {
            for (int i = 0; i < y.Length; i += 2)
            {
                var (a, b) = BoxMuller(words[i], words[i + 1]);
                y[i] = (float)(deviation * Within(cut, a, first + i));
                if (i + 1 < y.Length) y[i + 1] = (float)(deviation * Within(cut, b, first + i + 1));
            }
        }

        private double Within(double cut, double normal, int position)
        {
            Span<uint> words = stackalloc uint[2];
            for (int redraw = 1; Math.Abs(normal) > cut; redraw++)
            {
                Philox.Fill(Philox.Key((long)Key, "redraw", redraw), 2L * position, words);
                normal = BoxMuller(words[0], words[1]).A;
            }

            return normal;
        }

        private static (double A, double B) BoxMuller(uint radius, uint angle)
        {
            double length = Math.Sqrt(-2 * Math.Log((radius + 0.5) * Unit));
            var (sin, cos) = Math.SinCos(2 * Math.PI * angle * Unit);
            return (length * cos, length * sin);
        }
    }
}
