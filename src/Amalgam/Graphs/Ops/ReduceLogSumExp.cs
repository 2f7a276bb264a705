using System.Collections.Immutable;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX ReduceLogSumExp: log of the sum of exp(x), without overflow.</summary>
public sealed record ReduceLogSumExp(ImmutableArray<int> Axes = default, bool KeepDims = true) : Op
{
    private static readonly ReduceMax Greatest = new();

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return AxisSet.Reduce(x[0].Shape, AxisSet.Mask(Axes, x[0].Shape.Rank), KeepDims);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        uint mask = AxisSet.Mask(Axes, x[0].Shape.Rank);
        Folding.Run(Greatest, x[0], mask, y);
        Folding.SumOfExponentials(x[0], mask, y);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0];
        Node Spread(Node of) => y.Graph.Add(new Spread(x.Shape, Axes), of);
        return [Spread(dy) * (x - Spread(y)).Exp()];
    }

    public override void Link(Node y, AxisLinks links) => AxisSet.Link(y, y.Inputs[0], AxisSet.Mask(Axes, y.Inputs[0].Shape.Rank), KeepDims, links);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axes", Axes.IsDefaultOrEmpty ? null : Axes.Select(a => (long)a).ToArray()), ("keepdims", KeepDims ? 1L : 0L));

    public override long Work(Node y) => 10 * y.Inputs[0].Shape.Count;

    public bool Equals(ReduceLogSumExp? other) => other is not null && Sequences.Same(Axes, other.Axes) && KeepDims == other.KeepDims;

    public override int GetHashCode() => HashCode.Combine(Sequences.Hash(Axes), KeepDims);
}
