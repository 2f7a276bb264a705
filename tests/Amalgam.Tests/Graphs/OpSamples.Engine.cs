using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>What the engine itself puts into graphs: stand-ins for parameters, and operations joined for speed.</summary>
internal static class EngineSamples
{
    public static IEnumerable<OpSample> All =>
    [
        new(new Substitute(DType.F16), [OpInput.X(new(3, 5))], x => x[0]),
        new(new Substitute(DType.F32), [OpInput.X(new(300, 300))], null) { IsSerial = true },
        new(new StraightThrough(), [OpInput.X(new(3, 5))], x => x[0]) { IsSerial = true, Build = (g, x) => g.Add(new StraightThrough(), x[0], x[0]) },
        new(new PowerIteration(), [OpInput.X(new(3)), OpInput.Still(new(3, 5)), OpInput.Still(new(5), seed: 1)], x => x[0]) { IsSerial = true },
        new(new PowerIteration(true), [OpInput.X(new(5)), OpInput.Still(new(3, 5)), OpInput.Still(new(3), seed: 1)], x => x[0]) { IsSerial = true },
        new(new HistogramEntropy(), [OpInput.Still(new(7, 11))], x => Entropies(x[0], 0, 10)),
        new(new HistogramEntropy(1, 3), [OpInput.Still(new(4, 5, 6))], x => Entropies(x[0], 1, 3)),
        new(new HistogramEntropy(2, 1), [OpInput.Still(new(2, 3, 4))], x => Entropies(x[0], 2, 1)),
        new(new HistogramEntropy(1), [new(new(2, 4), [0, 1, 2, 3, 5, 5, 5, 5])], x => Entropies(x[0], 1, 10)),
        new(new HistogramEntropy(1), [OpInput.Still(new(300, 301))], null),

        // -((a + 0.5) * b - a)
        new(Chain, [OpInput.Still(new(7, 11)), OpInput.Still(default), OpInput.Still(new(7, 11), seed: 1)],
            x => Grid.Map(Grid.Map(Grid.Map(Grid.Map(x[0], x[1], (a, h) => a + h), x[2], (s, b) => s * b), x[0], (p, a) => p - a), Grid.Scalar(0), (d, _) => -d)),
        new(Chain, [OpInput.Still(new(300, 301)), OpInput.Still(default), OpInput.Still(new(300, 301), seed: 1)], null),
        new(new Fused([new(new Relu(), 0, -1), new(new Mul(), 1, 1)], 1), [OpInput.Still(new(5000))], x => x[0].Map(v => Math.Max(v, 0) * Math.Max(v, 0))),

        new(new ConvRelu(new([1, 1], [1, 1, 1, 1])), [OpInput.Still(new(2, 3, 5, 6)), OpInput.Still(new(4, 3, 3, 3), seed: 1), OpInput.Still(new(4), seed: 2)], ConvRelu),
        new(new ConvRelu(new([1, 1], [1, 1, 1, 1])), [OpInput.Still(new(8, 16, 32, 32)), OpInput.Still(new(16, 16, 3, 3), seed: 1)], null),
    ];

    /// <summary>Eqs. 5-7 of CKI: the share of each bin, by counting.</summary>
    private static Grid Entropies(Grid x, int leading, int bins)
    {
        int rows = (int)new Shape(x.Shape.Sizes[..leading]).Count, size = x.Values.Length / rows;
        return new(new(x.Shape.Sizes[..leading]), [.. Enumerable.Range(0, rows).Select(row =>
        {
            double[] values = x.Values[(row * size)..((row + 1) * size)];
            double min = values.Min(), width = (values.Max() - min) / bins;
            return -values.GroupBy(v => width == 0 ? 0 : Math.Min(bins - 1, Math.Floor((v - min) / width))).Sum(bin => (double)bin.Count() / size * Math.Log((double)bin.Count() / size));
        })]);
    }

    private static Fused Chain => new([new(new Add(), 0, 1), new(new Mul(), 3, 2), new(new Sub(), 4, 0), new(new Neg(), 5, -1)], 3);

    private static Grid ConvRelu(Grid[] x) => Grid.Of(new(2, 4, 5, 6), at =>
    {
        double sum = x[2][at[1]];
        for (int channel = 0; channel < 3; channel++)
        {
            for (int i = 0; i < 9; i++)
            {
                int row = at[2] + i / 3 - 1, column = at[3] + i % 3 - 1;
                if (row is >= 0 and < 5 && column is >= 0 and < 6) sum += x[1][at[1], channel, i / 3, i % 3] * x[0][at[0], channel, row, column];
            }
        }

        return Math.Max(sum, 0);
    });
}
