using Amalgam.Numerics;

namespace Amalgam.Zoo.Models;

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
        Fill(shape, new(Philox.Key(seed, name, 0)), y.Span);
        return y;
    }

    private protected abstract void Fill(Shape shape, Stream stream, Span<float> y);

    private static long FanIn(Shape shape) => shape.Rank < 2 ? Math.Max(1, shape.Count) : Math.Max(1, shape.Count / Math.Max(1, shape[0]));

    private static long FanOut(Shape shape) => shape.Rank < 2 ? Math.Max(1, shape.Count) : Math.Max(1, shape.Count / Math.Max(1, shape[1]));

    private sealed record Constant(float Value) : Initialisation
    {
        private protected override void Fill(Shape shape, Stream stream, Span<float> y) => y.Fill(Value);
    }

    private sealed record Even(double Bound) : Initialisation
    {
        private protected override void Fill(Shape shape, Stream stream, Span<float> y) => stream.Uniform(Bound, y);
    }

    private sealed record FanInUniform : Initialisation
    {
        private protected override void Fill(Shape shape, Stream stream, Span<float> y) => stream.Uniform(1 / Math.Sqrt(FanIn(shape)), y);
    }

    private sealed record Xavier : Initialisation
    {
        private protected override void Fill(Shape shape, Stream stream, Span<float> y) => stream.Uniform(Math.Sqrt(6.0 / (FanIn(shape) + FanOut(shape))), y);
    }

    private sealed record Kaiming(bool Out) : Initialisation
    {
        private protected override void Fill(Shape shape, Stream stream, Span<float> y) =>
            stream.Normal(Math.Sqrt(2.0 / (Out ? FanOut(shape) : FanIn(shape))), double.PositiveInfinity, y);
    }

    private sealed record Gaussian(double Deviation, double Cut) : Initialisation
    {
        private protected override void Fill(Shape shape, Stream stream, Span<float> y) => stream.Normal(Deviation, Cut, y);
    }

    /// <summary>The random numbers of one parameter.</summary>
    private protected readonly record struct Stream(ulong Key)
    {
        /// <summary>Value i from word i, at the middle of its interval, so neither bound is reached.</summary>
        public void Uniform(double bound, Span<float> y)
        {
            Span<uint> words = stackalloc uint[Part];
            for (int first = 0; first < y.Length; first += Part)
            {
                Span<float> part = y.Slice(first, Math.Min(Part, y.Length - first));
                Philox.Fill(Key, first, words[..part.Length]);
                for (int i = 0; i < part.Length; i++) part[i] = (float)(bound * ((2 * (words[i] + 0.5) * Unit) - 1));
            }
        }

        /// <summary>Value i from words 2i and 2i + 1 by Box and Muller's transform; where it is beyond the cut, from the same words of a second stream, a third and so on.</summary>
        public void Normal(double deviation, double cut, Span<float> y)
        {
            Span<uint> words = stackalloc uint[Part];
            for (int first = 0; first < y.Length; first += Part / 2)
            {
                Span<float> part = y.Slice(first, Math.Min(Part / 2, y.Length - first));
                Philox.Fill(Key, 2L * first, words[..(2 * part.Length)]);
                for (int i = 0; i < part.Length; i++)
                {
                    double normal = BoxMuller(words[2 * i], words[(2 * i) + 1]);
                    for (int redraw = 1; Math.Abs(normal) > cut; redraw++) normal = Redraw(first + i, redraw);
                    part[i] = (float)(deviation * normal);
                }
            }
        }

        private double Redraw(int position, int redraw)
        {
            Span<uint> words = stackalloc uint[2];
            Philox.Fill(Philox.Key((long)Key, "redraw", redraw), 2L * position, words);
            return BoxMuller(words[0], words[1]);
        }

        private static double BoxMuller(uint radius, uint angle) => Math.Sqrt(-2 * Math.Log((radius + 0.5) * Unit)) * Math.Cos(2 * Math.PI * angle * Unit);
    }
}
