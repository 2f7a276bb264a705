using System.Collections.Immutable;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Matrix products and convolutions, by their definitions.</summary>
internal static class ProductSamples
{
    private sealed record Case(Shape X, Shape W, Conv Conv);

    private static readonly Case[] Convolutions =
    [
        new(new(2, 3, 6, 6), new(4, 3, 3, 3), new(Pads: [1, 1, 1, 1])), new(new(2, 3, 6, 5), new(4, 3, 3, 3), new([2, 2], [1, 1, 1, 1])),
        new(new(1, 4, 7, 6), new(6, 2, 3, 2), new([1, 2], [0, 1, 2, 0], [2, 1], 2)), new(new(2, 4, 5, 5), new(4, 1, 3, 3), new([2, 2], [1, 1, 1, 1], Groups: 4)),
        new(new(3, 4, 11), new(5, 4, 3), new([3], [1, 0])), new(new(1, 2, 5, 5), new(3, 2, 1, 1), new([3, 3])), new(new(2, 4, 4, 4), new(8, 1, 2, 2), new(Groups: 4)),
        new(new(3, 5, 1, 1), new(4, 5, 1, 1), new()),
    ];

    private static readonly Case[] Large = [new(new(4, 16, 40, 40), new(24, 16, 3, 3), new(Pads: [1, 1, 1, 1])), new(new(5, 32, 32, 32), new(32, 1, 3, 3), new([2, 2], [1, 1, 1, 1], Groups: 32))];

    public static IEnumerable<OpSample> All =>
    [
        Matrices(new(3, 4), new(4, 5)), Matrices(new(4, 3), new(5, 4), true, true), Matrices(new(2, 7, 4), new(4, 5)), Matrices(new(2, 7, 4), new(5, 4), false, true),
        Matrices(new(2, 4, 7), new(4, 5), true), Matrices(new(2, 1, 3, 4), new(3, 4, 5)), Matrices(new(3, 2, 4), new(2, 3, 5, 4), false, true), Matrices(new(4), new(4, 5)),
        Matrices(new(3, 4), new(4)), Matrices(new(2, 3, 4), new(4)), Matrices(new(4), new(2, 4, 5)), Matrices(new(4), new(4)), Matrices(new(1, 4), new(4, 1)),
        new(new MatMul(), [OpInput.Still(new(300, 301)), OpInput.Still(new(301, 299))], null),
        new(new MatMul(TransposeB: true), [OpInput.Still(new(6, 4, 64, 32)), OpInput.Still(new(6, 1, 64, 32))], null),
        .. Convolutions.SelectMany(c => Of(c, true)), .. Large.SelectMany(c => Of(c, false)),
    ];

    private static OpSample Matrices(Shape a, Shape b, bool transposeA = false, bool transposeB = false) =>
        new(new MatMul(transposeA, transposeB), [OpInput.X(a), OpInput.X(b, seed: 1)], x => Product(x[0], x[1], transposeA, transposeB));

    private static IEnumerable<OpSample> Of(Case c, bool isSmall)
    {
        OpInput x = OpInput.X(c.X), w = OpInput.X(c.W, -1, 1, seed: 1), bias = OpInput.X(new(c.W[0]), seed: 2);
        Grid Forward(Grid[] inputs)
        {
            Grid y = Zeros(ResultOf(c));
            Walk(c, (ofX, ofW, ofY) => y.Values[ofY] += inputs[0].Values[ofX] * inputs[1].Values[ofW]);
            return inputs.Length > 2 ? y + inputs[2].Reshape(Channels(c, c.W[0])) : y;
        }

        Grid ByWeight(Grid x, Grid dy)
        {
            Grid dw = Zeros(c.W);
            Walk(c, (ofX, ofW, ofY) => dw.Values[ofW] += x.Values[ofX] * dy.Values[ofY]);
            return dw;
        }

        Grid ByInput(Grid dy, Grid w)
        {
            Grid dx = Zeros(c.X);
            Walk(c, (ofX, ofW, ofY) => dx.Values[ofX] += w.Values[ofW] * dy.Values[ofY]);
            return dx;
        }

        Func<Grid[], Grid>? If(Func<Grid[], Grid> reference) => isSmall ? reference : null;
        yield return new(c.Conv, [x, w, bias], If(Forward));
        yield return new(c.Conv, [x, w], If(Forward));

        OpInput dy = OpInput.X(ResultOf(c), -1, 1, seed: 3);
        int[] kernel = [.. c.W.Sizes[2..].ToArray().Select(size => (int)size)];
        yield return new(new ConvWeightGradient(c.Conv, [.. kernel]), [x, dy], If(inputs => ByWeight(inputs[0], inputs[1])));
        int[] extra = [.. kernel.Select((_, axis) => Room(c, axis) % Or(c.Conv.Strides, axis, 1))];
        ConvTranspose transpose = new(c.Conv.Strides, c.Conv.Pads, c.Conv.Dilations, c.Conv.Groups, [.. extra]);
        yield return new(transpose, [dy, w], If(inputs => ByInput(inputs[0], inputs[1])));
        yield return new(transpose, [dy, w, OpInput.X(new(c.X[1]), seed: 4)],
            If(inputs => ByInput(inputs[0], inputs[1]) + inputs[2].Reshape(Channels(c, c.X[1]))));
    }

    /// <summary>Every product of the definition, by the places of its input, weight and result. Rows are images of height 1.</summary>
    private static void Walk(Case c, Action<int, int, int> term)
    {
        bool flat = c.X.Rank == 3;
        Shape y = ResultOf(c);
        int height = flat ? 1 : c.X.Size(2), width = c.X.Size(^1), kh = flat ? 1 : c.W.Size(2), kw = c.W.Size(^1), oh = flat ? 1 : y.Size(2), ow = y.Size(^1), last = c.X.Rank - 3;
        int channels = c.X.Size(1), inputs = c.W.Size(1), filters = c.W.Size(0);
        for (int ofY = 0; ofY < y.Count; ofY++)
        {
            int j = ofY % ow, i = ofY / ow % oh, o = ofY / ow / oh % filters, n = ofY / ow / oh / filters;
            for (int t = 0; t < inputs * kh * kw; t++)
            {
                int a = t / kw % kh, channel = o / (filters / c.Conv.Groups) * inputs + t / kw / kh;
                int row = flat ? 0 : i * Or(c.Conv.Strides, 0, 1) + a * Or(c.Conv.Dilations, 0, 1) - Or(c.Conv.Pads, 0, 0);
                int column = j * Or(c.Conv.Strides, last, 1) + t % kw * Or(c.Conv.Dilations, last, 1) - Or(c.Conv.Pads, last, 0);
                if (row >= 0 && row < height && column >= 0 && column < width) term(((n * channels + channel) * height + row) * width + column, o * inputs * kh * kw + t, ofY);
            }
        }
    }

    /// <summary>The shape of one number for each channel beside images.</summary>
    private static long[] Channels(Case c, long count) => [count, .. Enumerable.Repeat(1L, c.X.Rank - 2)];

    private static Grid Product(Grid a, Grid b, bool transposeA, bool transposeB)
    {
        bool row = a.Rank == 1, column = b.Rank == 1;
        if (row) a = a.Reshape(1, a.Shape[0]);
        if (column) b = b.Reshape(b.Shape[0], 1);
        long m = a.Shape[transposeA && !row ? ^1 : ^2], k = a.Shape[transposeA && !row ? ^2 : ^1], n = b.Shape[transposeB && !column ? ^2 : ^1];
        Shape batch = Shape.Broadcast(new(a.Shape.Sizes[..^2]), new(b.Shape.Sizes[..^2]))!.Value;
        Grid y = Grid.Of(new([.. batch.Sizes, m, n]), at =>
        {
            double sum = 0;
            for (int p = 0; p < k; p++)
            {
                (int i, int j) = transposeA && !row ? (p, at[^2]) : (at[^2], p);
                (int q, int r) = transposeB && !column ? (at[^1], p) : (p, at[^1]);
                sum += Matrix(a, at, i, j) * Matrix(b, at, q, r);
            }

            return sum;
        });
        List<long> sizes = [.. batch.Sizes];
        if (!row) sizes.Add(m);
        if (!column) sizes.Add(n);
        return y.Reshape([.. sizes]);
    }

    /// <summary>An element of the matrix that belongs to a place of the broadcast batch.</summary>
    private static double Matrix(Grid x, int[] at, int i, int j)
    {
        int[] place = [.. at[..^2], i, j];
        int[] own = place[^x.Rank..];
        for (int axis = 0; axis < own.Length - 2; axis++)
        {
            if (x.Shape[axis] == 1) own[axis] = 0;
        }

        return x[own];
    }

    private static Shape ResultOf(Case c) => new([c.X[0], c.W[0], .. Enumerable.Range(0, c.X.Rank - 2).Select(axis => (Room(c, axis) / Or(c.Conv.Strides, axis, 1)) + 1L)]);

    /// <summary>Positions of the padded input behind the first window.</summary>
    private static int Room(Case c, int axis) => c.X.Size(axis + 2) + Or(c.Conv.Pads, axis, 0) + Or(c.Conv.Pads, c.X.Rank - 2 + axis, 0)
        - (c.W.Size(axis + 2) - 1) * Or(c.Conv.Dilations, axis, 1) - 1;

    private static int Or(ImmutableArray<int> list, int at, int fallback) => list.IsDefaultOrEmpty ? fallback : list[at];

    private static Grid Zeros(Shape shape) => new(shape, new double[shape.Count]);
}
