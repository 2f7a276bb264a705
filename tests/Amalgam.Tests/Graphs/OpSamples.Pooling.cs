using System.Collections.Immutable;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Pooling, by looking at each window.</summary>
internal static class PoolingSamples
{
    private sealed record Case(Shape Shape, int[] Kernel, int[] Strides, int[] Pads, int[] Dilations, bool Ceil);

    private static readonly Case[] Cases =
    [
        new(new(2, 3, 4, 4), [2, 2], [2, 2], [], [], false), new(new(1, 2, 5, 6), [3, 3], [2, 2], [1, 1, 1, 1], [], false), new(new(1, 2, 5, 6), [3, 2], [], [], [], false),
        new(new(1, 2, 5, 6), [3, 3], [2, 2], [], [], true), new(new(1, 1, 7), [2], [3], [1, 0], [], true), new(new(1, 1, 9), [3], [2], [], [2], false),
        new(new(1, 1, 3, 4, 5), [2, 3, 2], [1, 1, 2], [0, 1, 1, 0, 1, 0], [], false), new(new(1, 1, 6, 6), [2, 2], [1, 1], [1, 0, 0, 1], [3, 2], false), new(new(1, 1, 4), [1], [4], [], [], true),
        new(new(1, 1, 2, 2), [3, 3], [3, 3], [1, 1, 1, 1], [], true),
    ];

    private static readonly Case[] Large = [new(new(4, 6, 60, 60), [2, 2], [2, 2], [], [], false), new(new(2, 3, 30, 700), [3, 3], [2, 1], [1, 1, 1, 1], [], false)];

    public static IEnumerable<OpSample> All =>
    [
        .. Cases.Concat(Large).SelectMany(Of),
        new(new MaxPool([2]), [OpInput.Of(1, float.NaN, 3, 4, float.NegativeInfinity, float.NegativeInfinity).As(1, 1, 6)], _ => new(new(1, 1, 5), [double.NaN, double.NaN, 4, 4, double.NegativeInfinity])),
        .. Global(new(2, 3, 5)), .. Global(new(2, 3, 2, 3)), .. Global(new(2, 1, 2, 2, 2)),
        new(new GlobalAveragePool(), [OpInput.X(new(30, 40, 8, 8))], null),
        new(new GlobalMaxPool(), [OpInput.X(new(30, 40, 8, 8))], null),
    ];

    private static IEnumerable<OpSample> Global(Shape shape)
    {
        int[] spatial = [.. Enumerable.Range(2, shape.Rank - 2)];
        yield return new(new GlobalAveragePool(), [OpInput.X(shape)], x => x[0].Reduce(spatial, v => v.Average()));
        yield return new(new GlobalMaxPool(), [OpInput.X(shape)], x => x[0].Reduce(spatial, Enumerable.Max));
    }

    private static IEnumerable<OpSample> Of(Case c)
    {
        bool isSmall = c.Shape.Count < 200;
        ImmutableArray<int> kernel = [.. c.Kernel], strides = [.. c.Strides], pads = [.. c.Pads], dilations = [.. c.Dilations];
        MaxPool max = new(kernel, strides, pads, dilations, c.Ceil);
        Grid Greatest(Grid x) => Windows(x, c, (v, _) => v.Count == 0 ? double.NegativeInfinity : v.Max());
        yield return new(max, [OpInput.X(c.Shape)], x => Greatest(x[0]));
        Shape pooled = Result(c);
        yield return new(new MaxPoolGradient(max), [OpInput.Still(c.Shape), OpInput.Still(pooled, seed: 1)], isSmall ? x => Grid.Difference(w => Greatest(w[0]), [x[0]], 0, x[1]) : null);
        foreach (bool countPads in new[] { false, true })
        {
            AveragePool average = new(kernel, strides, pads, c.Ceil, countPads, dilations);
            Grid Mean(Grid x) => Windows(x, c, (v, padded) => v.Sum() / (countPads ? padded : v.Count));
            yield return new(average, [OpInput.X(c.Shape)], x => Mean(x[0]));
            yield return new(new AveragePoolGradient(average, c.Shape), [OpInput.Still(isSmall ? pooled : Result(c))],
                isSmall ? x => Grid.Difference(w => Mean(w[0]), [new(c.Shape, new double[c.Shape.Count])], 0, x[0]) : null);
        }

        if (!isSmall) yield break;
        Shape wide = new(2, 3, 200, 300);
        yield return new(new AveragePoolGradient(new([2, 2], [1, 1]), wide), [OpInput.Still(new(2, 3, 199, 299))], null);
    }

    /// <summary>Sizes of the result, by trying where windows may begin: in the padded input whole, or with ceil in the input or the padding before it.</summary>
    private static Shape Result(Case c)
    {
        long[] sizes = c.Shape.Sizes.ToArray();
        for (int axis = 0; axis < c.Kernel.Length; axis++)
        {
            int size = c.Shape.Size(axis + 2), before = Or(c.Pads, axis, 0), behind = Or(c.Pads, c.Kernel.Length + axis, 0), extent = (c.Kernel[axis] - 1) * Or(c.Dilations, axis, 1) + 1;
            int stride = Or(c.Strides, axis, 1), count = 1;
            // With ceil, one more window where the last whole one leaves elements over and the next still begins before the end of the input.
            while (count * stride + extent <= size + before + behind) count++;
            if (c.Ceil && (count - 1) * stride + extent < size + before + behind && count * stride < size + before) count++;
            sizes[axis + 2] = count;
        }

        return new(sizes);
    }

    private static int Or(int[] list, int at, int fallback) => list.Length == 0 ? fallback : list[at];

    /// <summary>Folds each window: of the elements in the input, and how many lie in the input or its padding.</summary>
    private static Grid Windows(Grid x, Case c, Func<List<double>, int, double> fold) => Grid.Of(Result(c), at =>
    {
        int axes = c.Kernel.Length, padded = 0;
        List<double> seen = [];
        Grid.Of(Shape.Of(c.Kernel), k =>
        {
            int[] there = [.. at];
            bool isInside = true, isPadded = true;
            for (int axis = 0; axis < axes; axis++)
            {
                int position = at[axis + 2] * Or(c.Strides, axis, 1) - Or(c.Pads, axis, 0) + k[axis] * Or(c.Dilations, axis, 1);
                there[axis + 2] = position;
                isInside &= position >= 0 && position < x.Shape[axis + 2];
                isPadded &= position < x.Shape[axis + 2] + Or(c.Pads, axes + axis, 0);
            }

            if (isInside) seen.Add(x[there]);
            if (isPadded) padded++;
            return 0;
        });
        return fold(seen, padded);
    });
}
