using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX LpNormalization: x over its norm along an axis; 0 where the norm is 0.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="P">1 for the sum of magnitudes, 2 for the root of the sum of squares.</param>
public sealed record LpNormalization(int Axis = -1, int P = 2) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        AxisSet.At(Axis, x[0].Shape.Rank);
        return P is 1 or 2 ? x[0].Shape : throw new GraphException($"the norm is of order 1 or 2, found {P}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        Lanes lanes = Lanes.Of(y.Shape, Axis);
        Cores.ForRange(lanes.Outer * lanes.Inner, Math.Max(1, Unary.Block / lanes.Size), (Op: this, X: x[0], Y: y, lanes), static (s, from, to) =>
        {
            for (int i = from; i < to; i++) s.Op.Lane(s.X.Span, s.Y.Span, i / s.lanes.Inner * s.lanes.Size * s.lanes.Inner + i % s.lanes.Inner, s.lanes);
        });
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], norm = P == 1 ? y.Graph.Add(new ReduceL1([Axis]), x) : y.Graph.Add(new ReduceL2([Axis]), x);
        return [(dy - (P == 1 ? x.Sign() : y) * (dy * y).Sum(true, Axis)) / norm];
    }

    public override void Link(Node y, AxisLinks links)
    {
        links.Elementwise(y);
        links.Mixed(AxisLinks.Of(y, AxisSet.At(Axis, y.Shape.Rank)));
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axis", (long)Axis), ("p", (long)P));

    public override long Work(Node y) => 3 * y.Shape.Count;

    private void Lane(ReadOnlySpan<float> x, Span<float> y, int start, in Lanes lanes)
    {
        double norm = 0;
        for (int i = 0, at = start; i < lanes.Size; i++, at += lanes.Inner) norm += P == 1 ? Math.Abs(x[at]) : (double)x[at] * x[at];
        if (P == 2) norm = Math.Sqrt(norm);
        for (int i = 0, at = start; i < lanes.Size; i++, at += lanes.Inner) y[at] = norm == 0 ? 0 : (float)(x[at] / norm);
    }
}
