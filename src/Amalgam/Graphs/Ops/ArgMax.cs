using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX ArgMax: position of the greatest element along an axis; of NaN where there is one.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="KeepDims">Whether the axis stays, with size 1.</param>
/// <param name="SelectLast">The last of equal elements instead of the first.</param>
public sealed record ArgMax(int Axis = 0, bool KeepDims = true, bool SelectLast = false) : Selection(Axis, KeepDims, SelectLast)
{
    private protected override bool IsBetter(float x, float than) => x > than;
}

/// <summary>ONNX ArgMin: position of the least element along an axis; of NaN where there is one.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
/// <param name="KeepDims">Whether the axis stays, with size 1.</param>
/// <param name="SelectLast">The last of equal elements instead of the first.</param>
public sealed record ArgMin(int Axis = 0, bool KeepDims = true, bool SelectLast = false) : Selection(Axis, KeepDims, SelectLast)
{
    private protected override bool IsBetter(float x, float than) => x < than;
}

/// <summary>The position of an element along an axis. No gradient flows through it.</summary>
public abstract record Selection(int Axis, bool KeepDims, bool SelectLast) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        int axis = AxisSet.At(Axis, x[0].Shape.Rank);
        return x[0].Shape[axis] > 0 ? AxisSet.Reduce(x[0].Shape, 1u << axis, KeepDims) : throw new GraphException($"axis {Axis} is empty, so there is nothing to select");
    }

    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.I64;

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Lanes lanes = Lanes.Of(x[0].Shape, Axis);
        Cores.ForRange(y.Count, Math.Max(1, Unary.Block / lanes.Size), (Op: this, X: x[0], Y: y, lanes), static (s, from, to) =>
        {
            for (int i = from; i < to; i++) s.Y.Span[i] = s.Op.Select(s.X.Span[(i / s.lanes.Inner * s.lanes.Size * s.lanes.Inner + i % s.lanes.Inner)..], s.lanes);
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [null];

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        int axis = AxisSet.At(Axis, x.Shape.Rank);
        AxisSet.Link(y, x, 1u << axis, KeepDims, links);
        links.Fix(AxisLinks.Of(x, axis), $"{Name} gives positions along it");
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axis", (long)Axis), ("keepdims", KeepDims ? 1L : 0L), ("select_last_index", SelectLast ? 1L : 0L));

    public override long Work(Node y) => y.Inputs[0].Shape.Count;

    private protected abstract bool IsBetter(float x, float than);

    private int Select(ReadOnlySpan<float> x, in Lanes lanes)
    {
        int best = 0;
        for (int i = 1; i < lanes.Size; i++)
        {
            float value = x[i * lanes.Inner], held = x[best * lanes.Inner];
            if (float.IsNaN(held)) break;
            if (IsBetter(value, held) || float.IsNaN(value) || (SelectLast && value == held)) best = i;
        }

        return best;
    }
}
