using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Graphs.Ops;

/// <summary>A reduction over axes. A subclass says how a row of numbers is folded into one, and how a row is folded element by element into another.</summary>
/// <param name="Axes">The axes, negative ones counted from the end; none for all.</param>
/// <param name="KeepDims">Whether the axes stay, with size 1.</param>
public abstract record Reduction(ImmutableArray<int> Axes, bool KeepDims) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return AxisSet.Reduce(x[0].Shape, AxisSet.Mask(Axes, x[0].Shape.Rank), KeepDims);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Folding.Run(this, x[0], AxisSet.Mask(Axes, x[0].Shape.Rank), y);

    public override void Link(Node y, AxisLinks links) => AxisSet.Link(y, y.Inputs[0], AxisSet.Mask(Axes, y.Inputs[0].Shape.Rank), KeepDims, links);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axes", Axes.IsDefaultOrEmpty ? null : Axes.Select(a => (long)a).ToArray()), ("keepdims", KeepDims ? 1L : 0L));

    public override long Work(Node y) => y.Inputs[0].Shape.Count;

    /// <summary>The value over no numbers.</summary>
    internal abstract float Start { get; }

    /// <summary>Folds a row into a number.</summary>
    internal abstract double Fold(double sum, ReadOnlySpan<float> row);

    /// <summary>Folds a row into one of the same length.</summary>
    internal abstract void Fold(ReadOnlySpan<float> row, Span<float> sum);

    /// <summary>Adds one partial result to another.</summary>
    internal abstract void Join(ReadOnlySpan<float> part, Span<float> sum);

    /// <summary>Turns folded values into results.</summary>
    /// <param name="y">The values.</param>
    /// <param name="count">How many numbers each was folded of.</param>
    internal virtual void Finish(Span<float> y, int count)
    {
    }

    /// <summary>Stretches a node in the reduced shape over the shape of what was reduced.</summary>
    private protected Node Spread(Node of, Node like) => of.Graph.Add(new Spread(like.Shape, Axes), of);

    public virtual bool Equals(Reduction? other) => other is not null && EqualityContract == other.EqualityContract && Sequences.Same(Axes, other.Axes) && KeepDims == other.KeepDims;

    public override int GetHashCode() => HashCode.Combine(EqualityContract, Sequences.Hash(Axes), KeepDims);
}

/// <summary>A reduction that adds.</summary>
public abstract record Summation(ImmutableArray<int> Axes, bool KeepDims) : Reduction(Axes, KeepDims)
{
    internal override float Start => 0;

    internal sealed override void Join(ReadOnlySpan<float> part, Span<float> sum) => TensorPrimitives.Add(part, sum, sum);
}

/// <summary>Stretches a reduced tensor over the axes that it was reduced over: what the gradient of a sum is.</summary>
/// <param name="Target">The shape of the result.</param>
/// <param name="Axes">The axes to stretch over; the input lacks them or has size 1 there. None for all.</param>
public sealed record Spread(Shape Target, ImmutableArray<int> Axes) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        uint mask = AxisSet.Mask(Axes, Target.Rank);
        return x[0].Shape == AxisSet.Reduce(Target, mask, false) || x[0].Shape == AxisSet.Reduce(Target, mask, true)
            ? Target : throw new GraphException($"a tensor is not {Target} reduced over axes {string.Join(',', Axes)}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Folding.Spread(x[0], AxisSet.Mask(Axes, Target.Rank), y);

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new ReduceSum(Axes, y.Inputs[0].Shape.Rank == Target.Rank), dy)];

    public override void Link(Node y, AxisLinks links) => AxisSet.Link(y.Inputs[0], y, AxisSet.Mask(Axes, Target.Rank), y.Inputs[0].Shape.Rank == Target.Rank, links);

    public bool Equals(Spread? other) => other is not null && Target == other.Target && Sequences.Same(Axes, other.Axes);

    public override int GetHashCode() => HashCode.Combine(Target, Sequences.Hash(Axes));
}
