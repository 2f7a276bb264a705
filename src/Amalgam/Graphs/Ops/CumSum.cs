using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX CumSum: sums of the elements up to each along an axis, added in double.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="Exclusive">Each element itself is left out.</param>
/// <param name="Reverse">From the end.</param>
public sealed record CumSum(int Axis, bool Exclusive = false, bool Reverse = false) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        AxisSet.At(Axis, x[0].Shape.Rank);
        return x[0].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        Lanes lanes = Lanes.Of(x[0].Shape, Axis);
        Cores.ForRange(lanes.Outer * lanes.Inner, Math.Max(1, Unary.Block / lanes.Size), (Op: this, X: x[0], Y: y, lanes), static (s, from, to) =>
        {
            for (int i = from; i < to; i++) s.Op.Lane(s.X.Span, s.Y.Span, i / s.lanes.Inner * s.lanes.Size * s.lanes.Inner + i % s.lanes.Inner, s.lanes);
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(this with { Reverse = !Reverse }, dy)];

    public override void Link(Node y, AxisLinks links)
    {
        links.Elementwise(y);
        Axis axis = AxisLinks.Of(y, AxisSet.At(Axis, y.Shape.Rank));
        links.Fix(axis, "sums run along it");
        links.Mixed(axis);
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, [to[y.Inputs[0]], to.Constant(Tensor.Scalar(Axis), DType.I64)], ("exclusive", Exclusive ? 1L : 0L), ("reverse", Reverse ? 1L : 0L));

    public override long Work(Node y) => y.Shape.Count;

    private void Lane(ReadOnlySpan<float> x, Span<float> y, int start, in Lanes lanes)
    {
        double sum = 0;
        for (int i = 0; i < lanes.Size; i++)
        {
            int at = start + (Reverse ? lanes.Size - 1 - i : i) * lanes.Inner;
            float value = x[at];
            if (!Exclusive) sum += value;
            y[at] = (float)sum;
            if (Exclusive) sum += value;
        }
    }
}
