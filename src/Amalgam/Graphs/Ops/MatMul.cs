using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX MatMul: products of the matrices in the last two axes, the axes before them broadcast as in NumPy; an input of one axis is a row on the left, a column on the
/// right, and its axis leaves the result.
/// </summary>
/// <param name="TransposeA">The left matrices are stored with their last two axes exchanged; without effect on one axis.</param>
/// <param name="TransposeB">The right ones are.</param>
public sealed record MatMul(bool TransposeA = false, bool TransposeB = false) : Op
{
    /// <summary>Sizes of one product: op(a) is [M,K], op(b) is [K,N].</summary>
    private readonly record struct Sizes(int M, int N, int K, int KOfB);

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape a = x[0].Shape, b = x[1].Shape;
        if (a.Rank == 0 || b.Rank == 0) throw new GraphException("a matrix product needs at least one axis on both sides");
        (int m, int n, int k, int kOfB) = SizesOf(a, b);
        if (k != kOfB) throw new GraphException($"the left matrices have {k} columns and the right ones {kOfB} rows{(TransposeA || TransposeB ? ", after transposing" : "")}; they must be equal");
        Shape batch = Shape.Broadcast(BatchOf(a), BatchOf(b)) ?? throw new GraphException("the axes before the matrices do not broadcast: sizes must be equal or 1");
        List<long> sizes = [.. batch.Sizes];
        if (a.Rank > 1) sizes.Add(m);
        if (b.Rank > 1) sizes.Add(n);
        return new([.. sizes]);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Shape a = x[0].Shape, b = x[1].Shape;
        (int m, int n, int k, _) = SizesOf(a, b);
        bool transposeA = TransposeA && a.Rank > 1, transposeB = TransposeB && b.Rank > 1;
        int matricesOfB = Product(b, b.Rank - 2), matricesOfA = Product(a, a.Rank - 2);
        if (matricesOfB == 1 && (!transposeA || matricesOfA == 1))
        {
            Gemm.Multiply(matricesOfA * m, n, k, x[0].Span, transposeA, x[1].Span, transposeB, y.Span);
            return;
        }

        int axes = Math.Max(Math.Max(a.Rank, b.Rank) - 2, 0);
        Span<int> sizes = stackalloc int[axes], stridesA = stackalloc int[axes], stridesB = stackalloc int[axes];
        int stepA = m * k, stepB = k * n;
        for (int i = 1; i <= axes; i++)
        {
            int ofA = a.Rank - 2 - i >= 0 ? a.Size(a.Rank - 2 - i) : 1, ofB = b.Rank - 2 - i >= 0 ? b.Size(b.Rank - 2 - i) : 1;
            sizes[^i] = ofA == 1 ? ofB : ofA;
            (stridesA[^i], stridesB[^i]) = (ofA == 1 ? 0 : stepA, ofB == 1 ? 0 : stepB);
            (stepA, stepB) = (stepA * ofA, stepB * ofB);
        }

        Gemm.MultiplyBatch(sizes, m, n, k, x[0].Span, stridesA, transposeA, x[1].Span, stridesB, transposeB, y.Span);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node a = y.Inputs[0], b = y.Inputs[1];
        if (a.Shape.Rank == 1 || b.Shape.Rank == 1) return GradientOfVectors(a, b, dy);
        Node da = TransposeA ? b.MatMul(dy, TransposeB, true) : dy.MatMul(b, false, !TransposeB);
        if (!TransposeA && a.Shape.Rank > 2 && b.Shape.Rank == 2)
        {
            // One product over all rows instead of one for each matrix and their sum.
            (a, dy) = (a.Reshape(-1, a.Shape[^1]), dy.Reshape(-1, dy.Shape[^1]));
        }

        return [da, TransposeB ? dy.MatMul(a, true, TransposeA) : a.MatMul(dy, !TransposeA, false)];
    }

    public override void Link(Node y, AxisLinks links)
    {
        Node a = y.Inputs[0], b = y.Inputs[1];
        int rankA = a.Shape.Rank, rankB = b.Shape.Rank;
        bool rows = rankA > 1, columns = rankB > 1;
        Axis innerA = AxisLinks.Of(a, TransposeA && rows ? ^2 : ^1), innerB = AxisLinks.Of(b, columns && !TransposeB ? ^2 : ^1);
        links.Contracted([innerA], [innerB]);
        if (rows) links.Same(AxisLinks.Of(y, columns ? ^2 : ^1), AxisLinks.Of(a, TransposeA ? ^1 : ^2));
        if (columns) links.Same(AxisLinks.Of(y, ^1), AxisLinks.Of(b, TransposeB ? ^2 : ^1));
        int inner = (rows ? 1 : 0) + (columns ? 1 : 0);
        for (int i = 1; i <= y.Shape.Rank - inner; i++)
        {
            Axis axis = AxisLinks.Of(y, ^(inner + i));
            if (rankA - 2 - i >= 0 && a.Shape[^(2 + i)] == axis.Size) links.Same(axis, AxisLinks.Of(a, ^(2 + i)));
            if (rankB - 2 - i >= 0 && b.Shape[^(2 + i)] == axis.Size) links.Same(axis, AxisLinks.Of(b, ^(2 + i)));
        }
    }

    public override string Export(Node y, OnnxExport to)
    {
        Node a = y.Inputs[0], b = y.Inputs[1];
        bool transposeA = TransposeA && a.Shape.Rank > 1, transposeB = TransposeB && b.Shape.Rank > 1;
        if ((transposeA || transposeB) && a.Shape.Rank == 2 && b.Shape.Rank == 2) return to.Emit("Gemm", y, ("transA", transposeA ? 1L : 0L), ("transB", transposeB ? 1L : 0L));
        return to.Emit("MatMul", [transposeA ? Exchanged(a, to) : to[a], transposeB ? Exchanged(b, to) : to[b]]);
    }

    public override long Work(Node y)
    {
        Sizes sizes = SizesOf(y.Inputs[0].Shape, y.Inputs[1].Shape);
        return 2 * y.Shape.Count * sizes.K;
    }

    /// <summary>As if the vectors were a row and a column.</summary>
    private Node?[] GradientOfVectors(Node a, Node b, Node dy)
    {
        bool row = a.Shape.Rank == 1, column = b.Shape.Rank == 1;
        Node matrixA = row ? a.Unsqueeze(0) : a, matrixB = column ? b.Unsqueeze(1) : b;
        if (column) dy = dy.Unsqueeze(dy.Shape.Rank);
        if (row) dy = dy.Unsqueeze(dy.Shape.Rank - 1);
        bool transposeA = TransposeA && !row, transposeB = TransposeB && !column;
        Node da = transposeA ? matrixB.MatMul(dy, transposeB, true) : dy.MatMul(matrixB, false, !transposeB);
        Node db = transposeB ? dy.MatMul(matrixA, true, transposeA) : matrixA.MatMul(dy, !transposeA, false);
        return [row ? da.Squeeze(da.Shape.Rank - 2) : da, column ? db.Squeeze(db.Shape.Rank - 1) : db];
    }

    private static string Exchanged(Node x, OnnxExport to)
    {
        long[] order = [.. Enumerable.Range(0, x.Shape.Rank - 2).Select(i => (long)i), x.Shape.Rank - 1, x.Shape.Rank - 2];
        return to.Emit("Transpose", [to[x]], ("perm", order));
    }

    private Sizes SizesOf(Shape a, Shape b)
    {
        (int m, int k) = a.Rank == 1 ? (1, a.Size(0)) : TransposeA ? (a.Size(^1), a.Size(^2)) : (a.Size(^2), a.Size(^1));
        (int kOfB, int n) = b.Rank == 1 ? (b.Size(0), 1) : TransposeB ? (b.Size(^1), b.Size(^2)) : (b.Size(^2), b.Size(^1));
        return new(m, n, k, kOfB);
    }

    private static Shape BatchOf(Shape x) => new(x.Sizes[..Math.Max(x.Rank - 2, 0)]);

    private static int Product(Shape x, int axes)
    {
        int product = 1;
        for (int i = 0; i < axes; i++) product *= x.Size(i);
        return product;
    }
}
