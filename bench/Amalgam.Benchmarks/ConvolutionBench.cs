using Amalgam.Numerics;

namespace Amalgam.Benchmarks;

/// <summary>
/// How long does each convolution of a network take, forward and by both gradients, on all cores? Peer: bench/peers/conv_torch.py on the same shapes, run in turn with
/// this; its last line sums the same list. Best of several rounds, in microseconds.
/// </summary>
internal static class ConvolutionBench
{
    /// <summary>ResNet-20's (how many layers have that shape, width 1), then others that count in no sum.</summary>
    private static readonly (string Name, int Times, ConvolutionShape Shape)[] Layers =
    [
        ("3>16 3x3 32", 1, Square(3, 32, 16, 3)), ("16>16 3x3 32", 6, Square(16, 32, 16, 3)), ("16>32 3x3/2 32", 1, Square(16, 32, 32, 3, 2)),
        ("16>32 1x1/2 32", 1, Square(16, 32, 32, 1, 2)), ("32>32 3x3 16", 5, Square(32, 16, 32, 3)), ("32>64 3x3/2 16", 1, Square(32, 16, 64, 3, 2)),
        ("32>64 1x1/2 16", 1, Square(32, 16, 64, 1, 2)), ("64>64 3x3 8", 5, Square(64, 8, 64, 3)),
        ("64>64 3x3 32", 0, Square(64, 32, 64, 3)), ("128>128 3x3 16", 0, Square(128, 16, 128, 3)), ("256>256 3x3 8", 0, Square(256, 8, 256, 3)),
        ("512>512 3x3 4", 0, Square(512, 4, 512, 3)), ("512>512 3x3 2", 0, Square(512, 2, 512, 3)), ("32>192 1x1 16", 0, Square(32, 16, 192, 1)),
        ("192>32 1x1 16", 0, Square(192, 16, 32, 1)), ("192 dw 3x3 16", 0, Square(192, 16, 192, 3, 1, 192)), ("192 dw 3x3/2 16", 0, Square(192, 16, 192, 3, 2, 192)),
    ];

    public static void Run(int images)
    {
        double sum = 0;
        Console.WriteLine($"{"layer",-16} {"forward",9} {"by input",9} {"by weight",9}   GFLOP/s of each, {images} images, {Cores.Count} cores");
        foreach ((string name, int times, ConvolutionShape one) in Layers)
        {
            ConvolutionShape s = one with { Images = images };
            Random random = new(0);
            float[] x = GemmBench.Floats(random, (int)s.InputCount), w = GemmBench.Floats(random, (int)s.WeightCount), y = new float[s.OutputCount];
            float[] dy = GemmBench.Floats(random, y.Length), dx = new float[x.Length], dw = new float[w.Length];
            double forward = Best(() => Convolution.Forward(s, x, w, [], y)), input = Best(() => Convolution.InputGradient(s, dy, w, dx));
            double weight = Best(() => Convolution.WeightGradient(s, x, dy, dw)), work = 2e-3 * s.Work;
            Console.WriteLine($"{name,-16} {forward,9:F0} {input,9:F0} {weight,9:F0}   {work / forward,6:F0} {work / input,6:F0} {work / weight,6:F0}");
            sum += times * (forward + weight + (s.Channels == 3 ? 0 : input));
        }

        Console.WriteLine($"ResNet-20's convolutions, forward and backward: {sum / 1000:F1} ms for {images} images");
    }

    private static double Best(Action action)
    {
        double best = double.MaxValue;
        action();
        for (int i = 0; i < 12; i++) best = Math.Min(best, GemmBench.Time(1, action) / 1000);
        return best;
    }

    private static ConvolutionShape Square(int channels, int size, int filters, int kernel, int stride = 1, int groups = 1)
    {
        int pad = kernel / 2;
        return new(1, channels, size, size, filters, kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1, groups);
    }
}
