using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>The product of two matrices, of which each may be stored transposed.</summary>
internal sealed record RecurrentProduct(bool TransposeA = false, bool TransposeB = false) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape a = x[0].Shape, b = x[1].Shape;
        if (a.Rank != 2 || b.Rank != 2 || a[TransposeA ? 0 : 1] != b[TransposeB ? 1 : 0]) throw new GraphException("the inner sizes differ");
        return new(a[TransposeA ? 1 : 0], b[TransposeB ? 0 : 1]);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Gemm.Multiply(y.Shape.Size(0), y.Shape.Size(1), x[0].Shape.Size(TransposeA ? 0 : 1), x[0].Span, TransposeA, x[1].Span, TransposeB, y.Span);

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node a = y.Inputs[0], b = y.Inputs[1];
        Node da = TransposeA ? dy.Graph.Add(new RecurrentProduct(TransposeB, true), b, dy) : dy.Graph.Add(new RecurrentProduct(false, !TransposeB), dy, b);
        Node db = TransposeB ? dy.Graph.Add(new RecurrentProduct(true, TransposeA), dy, a) : dy.Graph.Add(new RecurrentProduct(!TransposeA, false), a, dy);
        return [da, db];
    }
}
