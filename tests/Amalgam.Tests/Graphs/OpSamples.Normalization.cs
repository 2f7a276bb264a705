using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Normalisations, by their definitions.</summary>
internal static class NormalizationSamples
{
    private static readonly Shape[] Small = [new(3, 4), new(2, 4, 3), new(2, 4, 3, 2)];

    private static readonly Shape[] Large = [new(300, 250), new(20, 300, 11), new(4, 6, 60, 60)];

    public static IEnumerable<OpSample> All => [.. Batch(), .. Rows(), .. Groups(), .. Neighbours()];

    private static double Mean(IReadOnlyList<double> v) => v.Average();

    private static double Variance(IReadOnlyList<double> v) => v.Average() is var mean ? v.Average(x => (x - mean) * (x - mean)) : 0;

    /// <summary>A vector of a number for each channel, so that it broadcasts.</summary>
    private static Grid Channel(Grid vector, Shape like) => vector.Reshape([vector.Shape[0], .. Enumerable.Repeat(1L, like.Rank - 2)]);

    private static int[] AllButChannels(Grid x) => [.. Enumerable.Range(0, x.Rank).Where(axis => axis != 1)];

    private static Grid Normal(Grid x, Grid mean, Grid variance, double epsilon) => (x - mean) / (variance + epsilon).Map(Math.Sqrt);

    private static Grid ByBatch(Grid[] x) =>
        Normal(x[0], x[0].Reduce(AllButChannels(x[0]), Mean), x[0].Reduce(AllButChannels(x[0]), Variance), 1e-5f) * Channel(x[1], x[0].Shape) + Channel(x[2], x[0].Shape);

    private static IEnumerable<OpSample> Batch()
    {
        Node Statistics(Graph g, Node x, int row) => g.Add(new ChannelRow(row), g.Add(new BatchStatistics(), x));
        foreach (Shape shape in (Shape[])[.. Small, .. Large])
        {
            bool isSmall = shape.Count < 100;
            Shape c = new(shape[1]);
            OpInput x = OpInput.X(shape, -1, 4), scale = OpInput.X(c, 0.5, 2), bias = OpInput.X(c, seed: 1), mean = OpInput.X(c, 1, 2), variance = OpInput.X(c, 0.5, 2, null, 2);
            OpInput dy = OpInput.X(shape, seed: 3);
            yield return new(new BatchNormalization(1e-3f), [x, scale, bias, mean, variance], v =>
                Normal(v[0], Channel(v[3], shape), Channel(v[4], shape), 1e-3f) * Channel(v[1], shape) + Channel(v[2], shape));
            yield return new(new BatchNormalizationTraining(), [x, scale, bias], ByBatch)
            {
                Build = (g, n) => g.Add(new BatchNormalizationTraining(), n[0], n[1], n[2], Statistics(g, n[0], 0), Statistics(g, n[0], 1)),
            };
            yield return new(new BatchStatistics(), [Quiet(x)], v => new(new(2, shape[1]), [.. v[0].Reduce(AllButChannels(v[0]), Mean).Values, .. v[0].Reduce(AllButChannels(v[0]), Variance).Values]));
            yield return new(new BatchNormalizationSums(1e-3f), [Quiet(x), Quiet(mean), Quiet(variance), Quiet(dy)], v => new(new(2, shape[1]),
            [
                .. v[3].Reduce(AllButChannels(v[3]), Enumerable.Sum).Values,
                .. (v[3] * Normal(v[0], Channel(v[1], shape), Channel(v[2], shape), 1e-3f)).Reduce(AllButChannels(v[0]), Enumerable.Sum).Values,
            ]))
            { Tolerance = isSmall ? 1e-5 : 1e-4 };
            yield return new(new BatchNormalizationGradient(1e-5f), [Quiet(x), Quiet(scale), Quiet(dy)], isSmall ? v => Grid.Difference(ByBatch, [v[0], v[1], v[1]], 0, v[2]) : null)
            {
                Tolerance = 1e-4,
                Build = (g, n) =>
                {
                    Node m = Statistics(g, n[0], 0), s = Statistics(g, n[0], 1), sums = g.Add(new BatchNormalizationSums(1e-5f), n[0], m, s, n[2]);
                    return g.Add(new BatchNormalizationGradient(1e-5f), n[0], n[1], m, s, n[2], g.Add(new ChannelRow(0), sums), g.Add(new ChannelRow(1), sums));
                },
            };
        }

        yield return new(new BatchStatistics(), [OpInput.Still(new(64, 3, 5), 1000, 1001)], v =>
            new(new(2, 3), [.. v[0].Reduce(AllButChannels(v[0]), Mean).Values, .. v[0].Reduce(AllButChannels(v[0]), Variance).Values]))
        { Tolerance = 1e-6 };
        yield return new(new BatchStatistics(), [OpInput.Still(new(64, 3), 1000, 1001)], v =>
            new(new(2, 3), [.. v[0].Reduce([0], Mean).Values, .. v[0].Reduce([0], Variance).Values]))
        { Tolerance = 1e-5 };
        yield return new(new ChannelRow(1), [OpInput.Still(new(2, 3))], v => new(new(3), v[0].Values[3..])) { IsSerial = true };
        yield return new(new ChannelRow(0), [OpInput.Still(new(2, 3))], v => new(new(3), v[0].Values[..3])) { IsSerial = true };
    }

    private static OpInput Quiet(OpInput input) => input with { IsDifferentiable = false };

    private static Grid ByRows(Grid x, int axis, bool isCentred, double epsilon)
    {
        int[] axes = [.. Enumerable.Range(axis, x.Rank - axis)];
        return isCentred ? Normal(x, x.Reduce(axes, Mean), x.Reduce(axes, Variance), epsilon) : Normal(x, 0, x.Reduce(axes, v => v.Average(e => e * e)), epsilon);
    }

    private static IEnumerable<OpSample> Rows()
    {
        foreach (var (shape, axis) in new (Shape, int)[] { (new(3, 5), 1), (new(2, 3, 4), 2), (new(2, 3, 4), 1), (new(2, 6), 0), (new(300, 250), 1), (new(40, 2500), 1) })
        {
            bool isSmall = shape.Count < 100;
            Shape row = new(shape.Sizes[axis..]), statistics = new(shape.Count / row.Count, 2);
            OpInput x = OpInput.X(shape, -1, 3), scale = OpInput.X(row, 0.5, 2), bias = OpInput.X(row, seed: 1), dy = OpInput.X(shape, seed: 2);
            yield return new(new LayerNormalization(axis - shape.Rank, 1e-3f), [x, scale, bias], v => ByRows(v[0], axis, true, 1e-3f) * v[1] + v[2]);
            yield return new(new LayerNormalization(axis), [x, scale], v => ByRows(v[0], axis, true, 1e-5f) * v[1]);
            yield return new(new RMSNormalization(axis, 1e-3f), [x, scale], v => ByRows(v[0], axis, false, 1e-3f) * v[1]);
            foreach (bool isCentred in new[] { true, false })
            {
                RowStatistics op = new(axis, 1, 1e-5f, isCentred);
                yield return new(op, [Quiet(x)], v =>
                {
                    int[] axes = [.. Enumerable.Range(axis, shape.Rank - axis)];
                    Grid mean = v[0].Reduce(axes, e => isCentred ? e.Average() : 0), square = v[0].Reduce(axes, e => isCentred ? Variance(e) : e.Average(a => a * a));
                    return Grid.Of(statistics, at => at[1] == 0 ? mean.Values[at[0]] : 1 / Math.Sqrt(square.Values[at[0]] + 1e-5f));
                });
                Grid Whole(Grid[] v) => ByRows(v[0], axis, isCentred, 1e-5f) * v[1];
                yield return new(new RowNormalizationGradient(isCentred), [Quiet(x), Quiet(scale), Quiet(dy)], isSmall ? v => Grid.Difference(Whole, [v[0], v[1]], 0, v[2]) : null)
                {
                    Tolerance = 1e-4,
                    Build = (g, n) => g.Add(new RowNormalizationGradient(isCentred), n[0], n[1], g.Add(op, n[0]), n[2]),
                };
                yield return new(new RowNormalizationScaleGradient(row), [Quiet(x), Quiet(dy)], isSmall ? v => Grid.Difference(Whole, [v[0], new(row, new double[row.Count])], 1, v[1]) : null)
                {
                    Build = (g, n) => g.Add(new RowNormalizationScaleGradient(row), n[0], g.Add(op, n[0]), n[1]),
                };
            }
        }
    }

    private static Grid ByGroups(Grid x, Grid scale, Grid bias, int groups, double epsilon)
    {
        long[] sizes = x.Shape.Sizes.ToArray();
        Grid rows = x.Reshape(sizes[0], groups, x.Shape.Count / (sizes[0] * groups));
        return ByRows(rows, 2, true, epsilon).Reshape(sizes) * Channel(scale, x.Shape) + Channel(bias, x.Shape);
    }

    private static IEnumerable<OpSample> Groups()
    {
        foreach (var (shape, groups) in new (Shape, int)[] { (new(2, 4, 3), 2), (new(3, 6, 2, 2), 3), (new(2, 4), 2), (new(2, 3, 4), 1), (new(8, 16, 30, 30), 4), (new(300, 240), 8) })
        {
            bool isSmall = shape.Count < 100;
            Shape c = new(shape[1]);
            OpInput x = OpInput.X(shape, -1, 3), scale = OpInput.X(c, 0.5, 2), bias = OpInput.X(c, seed: 1), dy = OpInput.X(shape, seed: 2);
            yield return new(new GroupNormalization(groups), [x, scale, bias], v => ByGroups(v[0], v[1], v[2], groups, 1e-5f));
            if (shape.Rank > 2) yield return new(new InstanceNormalization(1e-3f), [x, scale, bias], v => ByGroups(v[0], v[1], v[2], shape.Size(1), 1e-3f));
            RowStatistics statistics = new(1, groups, 1e-5f, true);
            yield return new(new ChannelNormalizationGradient(), [Quiet(x), Quiet(scale), Quiet(dy)], isSmall ? v => Grid.Difference(w => ByGroups(w[0], w[1], w[1], groups, 1e-5f), [v[0], v[1]], 0, v[2]) : null)
            {
                Tolerance = 1e-4,
                Build = (g, n) => g.Add(new ChannelNormalizationGradient(), n[0], n[1], g.Add(statistics, n[0]), n[2]),
            };
            yield return new(new ChannelNormalizationScaleGradient(), [Quiet(x), Quiet(scale), Quiet(dy)],
                isSmall ? v => Grid.Difference(w => ByGroups(w[0], w[1], new(c, new double[c.Count]), groups, 1e-5f), [v[0], v[1]], 1, v[2]) : null)
            {
                Build = (g, n) => g.Add(new ChannelNormalizationScaleGradient(), n[0], g.Add(statistics, n[0]), n[2]),
            };
        }
    }

    private static IEnumerable<OpSample> Neighbours()
    {
        foreach (LRN op in new LRN[] { new(3, 0.5f, 0.75f, 2), new(4, 0.3f, 0.5f, 1), new(1) })
        {
            Grid Whole(Grid x) => Grid.Of(x.Shape, at =>
            {
                double sum = 0;
                for (int c = at[1] - (op.Size - 1) / 2; c <= at[1] + op.Size / 2; c++)
                {
                    int[] other = [.. at];
                    other[1] = c;
                    if (c >= 0 && c < x.Shape[1]) sum += x[other] * x[other];
                }

                return x[at] / Math.Pow(op.Bias + (double)op.Alpha / op.Size * sum, op.Beta);
            });

            yield return new(op, [OpInput.X(new(2, 5, 2, 1))], v => Whole(v[0]));
            yield return new(new LRNGradient(op), [OpInput.Still(new(2, 5, 2)), OpInput.Still(new(2, 5, 2), seed: 1)], v => Grid.Difference(w => Whole(w[0]), [v[0]], 0, v[1]));
        }

        yield return new(new LRN(5), [OpInput.X(new(2, 10, 4000))], null);
        yield return new(new LRNGradient(new(5)), [OpInput.Still(new(1, 10, 4000)), OpInput.Still(new(1, 10, 4000), seed: 1)], null);
    }
}
