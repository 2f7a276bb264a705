using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public unsafe class ConvolutionTests
{
    public static TheoryData<ConvolutionShape> Shapes =>
    [
        new ConvolutionShape(3, 16, 32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(2, 3, 32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(2, 16, 32, 32, 32, 3, 3, 2, 2, 1, 1, 1, 1),
        new ConvolutionShape(2, 16, 32, 32, 32, 1, 1, 2, 2),
        new ConvolutionShape(2, 32, 16, 16, 32, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(5, 64, 8, 8, 64, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(3, 72, 4, 4, 40, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(19, 24, 2, 2, 24, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(2, 24, 16, 16, 40, 1, 1),
        new ConvolutionShape(3, 40, 7, 7, 24, 1, 1),
        new ConvolutionShape(1, 12, 28, 28, 20, 3, 3, 1, 1, 1, 1, 1, 1),
        new ConvolutionShape(1, 3, 64, 64, 8, 7, 7, 2, 2, 3, 3, 3, 3),
        new ConvolutionShape(2, 3, 32, 32, 24, 8, 8, 8, 8),
        new ConvolutionShape(2, 32, 16, 16, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 32),
        new ConvolutionShape(2, 32, 17, 15, 32, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 32),
        new ConvolutionShape(2, 12, 9, 9, 18, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3),
        new ConvolutionShape(1, 4, 20, 20, 4, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2),
        new ConvolutionShape(1, 6, 1, 50, 9, 1, 5, 1, 2, 0, 2, 0, 1),
        new ConvolutionShape(4, 33, 1, 1, 17, 1, 1),
        new ConvolutionShape(2, 4, 6, 6, 4, 2, 2, 3, 3),
        new ConvolutionShape(1, 70, 40, 130, 9, 3, 3, 1, 1, 1, 1, 1, 1),
    ];

    [Theory, MemberData(nameof(Shapes))]
    public void Forward_and_gradients_are_what_double_loops_give(ConvolutionShape s) => Check(s, new(s.Channels));

    [Fact]
    public void So_they_are_for_any_sizes() => Property.Holds(gen => Check(Any(gen), gen), 200);

    [Fact]
    public void Every_width_of_vectors_gives_them() => Property.Holds(gen =>
    {
        ConvolutionShape s = Any(gen);
        if (s.OutputCount == 0) return;
        float[] x = gen.Floats((int)s.InputCount), w = gen.Floats((int)s.WeightCount), dy = gen.Floats((int)s.OutputCount), y = new float[dy.Length], dw = new float[w.Length];
        fixed (float* px = x, pw = w, py = y, pdy = dy, pdw = dw)
        {
            for (int width = 128; width <= 512; width *= 2)
            {
                ConvolutionSums sums = ConvolutionSums.Forward(s, px, pw, null, py, false);
                if (width == 128) ConvolutionTiles<Lanes128>.Run(sums);
                else if (width == 256) ConvolutionTiles<Lanes256>.Run(sums);
                else ConvolutionTiles<Lanes512>.Run(sums);
                Near(Forward(s, x, w, null), y, s.Channels * s.KernelHeight * s.KernelWidth);

                if (width == 128) ConvolutionWeights<Lanes128>.Run(s, px, pdy, pdw);
                else if (width == 256) ConvolutionWeights<Lanes256>.Run(s, px, pdy, pdw);
                else ConvolutionWeights<Lanes512>.Run(s, px, pdy, pdw);
                Near(Gradients(s, x, w, dy).Dw, dw, s.Images * s.OutHeight * s.OutWidth);
            }
        }
    }, 60);

    [Theory, MemberData(nameof(Shapes))]
    public void Several_threads_give_the_bits_of_one(ConvolutionShape s)
    {
        Generator gen = new(1);
        s = s with { Images = s.Images * (int)Math.Max(4, 1 + (1 << 20) / s.Work) };
        float[] x = gen.Floats((int)s.InputCount), w = gen.Floats((int)s.WeightCount), dy = gen.Floats((int)s.OutputCount);
        (float[] y, float[] dx, float[] dw) one = OnThreads.One(All), four = OnThreads.Four(All);
        Assert.Equal(one.y, four.y);
        Assert.Equal(one.dx, four.dx);
        Assert.Equal(one.dw, four.dw);

        (float[], float[], float[]) All()
        {
            float[] y = new float[dy.Length], dx = new float[x.Length], dw = new float[w.Length];
            Convolution.Forward(s, x, w, [], y);
            Convolution.InputGradient(s, dy, w, dx);
            Convolution.WeightGradient(s, x, dy, dw);
            return (y, dx, dw);
        }
    }

    [Fact]
    public void A_warm_call_allocates_nothing()
    {
        foreach (ConvolutionShape s in (ConvolutionShape[])[new(4, 16, 16, 16, 16, 3, 3, 2, 2, 1, 1, 1, 1), new(4, 16, 16, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 16), new(4, 32, 4, 4, 32, 3, 3)])
        {
            float[] x = new float[s.InputCount], w = new float[s.WeightCount], y = new float[s.OutputCount];
            Warm.AllocatesNothing(All);

            void All()
            {
                Convolution.Forward(s, x, w, [], y, relu: true);
                Convolution.InputGradient(s, y, w, x);
                Convolution.WeightGradient(s, x, y, w);
            }
        }
    }

    [Fact]
    public void What_is_not_a_number_reaches_the_windows_that_hold_it()
    {
        ConvolutionShape s = new(2, 8, 8, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1);
        float[] x = new float[s.InputCount], w = new float[s.WeightCount], y = new float[s.OutputCount];
        w.AsSpan().Fill(1);
        x[(1 * 8 + 5) * 64 + 3 * 8 + 7] = float.NaN;
        Convolution.Forward(s, x, w, [], y);
        for (int i = 0; i < y.Length; i++) Assert.Equal(i >= 512 && i / 8 % 8 is >= 2 and <= 4 && i % 8 >= 6, float.IsNaN(y[i]));
    }

    [Fact]
    public void Impossible_sizes_and_wrong_lengths_are_refused()
    {
        ConvolutionShape s = new(1, 4, 3, 3, 4, 3, 3);
        Assert.Throws<ArgumentException>(() => Convolution.Forward(s with { Groups = 3 }, new float[36], new float[144], [], new float[4]));
        Assert.Throws<ArgumentException>(() => Convolution.Forward(s with { StrideWidth = 0 }, new float[36], new float[144], [], new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Convolution.Forward(s, new float[35], new float[144], [], new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Convolution.Forward(s, new float[36], new float[144], new float[3], new float[4]));
    }

    private static ConvolutionShape Any(Generator gen)
    {
        Random r = gen.Random;
        int groups = r.Next(3) == 0 ? 1 + r.Next(4) : 1, inputs = r.Next(3) == 0 ? 1 : gen.Size(20), outputs = r.Next(3) == 0 ? 1 : gen.Size(20);
        return new(gen.Size(5), groups * inputs, gen.Size(20), gen.Size(40), groups * outputs, 1 + r.Next(4), 1 + r.Next(4), 1 + r.Next(3), 1 + r.Next(3),
            r.Next(3), r.Next(3), r.Next(3), r.Next(3), 1 + r.Next(3), 1 + r.Next(3), groups);
    }

    private static void Check(ConvolutionShape s, Generator gen)
    {
        float[] x = gen.Floats((int)s.InputCount), w = gen.Floats((int)s.WeightCount), bias = gen.Floats(s.Filters), dy = gen.Floats((int)s.OutputCount);
        float[] y = new float[dy.Length], dx = new float[x.Length], dw = new float[w.Length];
        y.AsSpan().Fill(float.NaN);
        dx.AsSpan().Fill(float.NaN);
        dw.AsSpan().Fill(float.NaN);
        int taps = s.KernelHeight * s.KernelWidth;

        Convolution.Forward(s, x, w, bias, y);
        Near(Forward(s, x, w, bias), y, s.Channels * taps);
        Convolution.Forward(s, x, w, [], y, relu: true);
        Near([.. Forward(s, x, w, null).Select(v => Math.Max(v, 0))], y, s.Channels * taps);

        Convolution.InputGradient(s, dy, w, dx);
        Convolution.WeightGradient(s, x, dy, dw);
        (double[] expectedDx, double[] expectedDw) = Gradients(s, x, w, dy);
        Near(expectedDx, dx, s.Filters * taps);
        Near(expectedDw, dw, s.Images * s.OutHeight * s.OutWidth);
    }

    private static double[] Forward(ConvolutionShape s, float[] x, float[] w, float[]? bias)
    {
        double[] y = new double[s.OutputCount];
        Walk(s, (n, o, ix, iw, iy) => y[iy] += (double)x[ix] * w[iw]);
        for (int i = 0; bias is not null && i < y.Length; i++) y[i] += bias[i / (s.OutHeight * s.OutWidth) % s.Filters];
        return y;
    }

    private static (double[] Dx, double[] Dw) Gradients(ConvolutionShape s, float[] x, float[] w, float[] dy)
    {
        double[] dx = new double[s.InputCount], dw = new double[s.WeightCount];
        Walk(s, (n, o, ix, iw, iy) =>
        {
            dx[ix] += (double)dy[iy] * w[iw];
            dw[iw] += (double)dy[iy] * x[ix];
        });
        return (dx, dw);
    }

    /// <summary>Every product of the definition, by the places of its input, weight and output.</summary>
    private static void Walk(ConvolutionShape s, Action<int, int, int, int, int> term)
    {
        int inputs = s.Channels / s.Groups, outputs = s.Filters / s.Groups;
        for (int n = 0; n < s.Images; n++)
            for (int o = 0; o < s.Filters; o++)
                for (int i = 0; i < s.OutHeight; i++)
                    for (int j = 0; j < s.OutWidth; j++)
                        for (int c = 0; c < inputs; c++)
                            for (int a = 0; a < s.KernelHeight; a++)
                                for (int b = 0; b < s.KernelWidth; b++)
                                {
                                    int h = i * s.StrideHeight + a * s.DilationHeight - s.PadTop, v = j * s.StrideWidth + b * s.DilationWidth - s.PadLeft;
                                    if (h < 0 || h >= s.Height || v < 0 || v >= s.Width) continue;
                                    term(n, o, ((n * s.Channels + o / outputs * inputs + c) * s.Height + h) * s.Width + v,
                                        ((o * inputs + c) * s.KernelHeight + a) * s.KernelWidth + b, ((n * s.Filters + o) * s.OutHeight + i) * s.OutWidth + j);
                                }
    }

    private static void Near(double[] expected, float[] found, int terms)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - found[i]) <= 1e-6 * (4 + terms))) Assert.Fail($"at {i}: expected {expected[i]}, found {found[i]}");
        }
    }
}
