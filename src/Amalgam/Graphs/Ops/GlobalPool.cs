using System.Collections.Immutable;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX GlobalAveragePool: the mean of each channel of each sample, with spatial axes of size 1.</summary>
public sealed record GlobalAveragePool : GlobalPool
{
    private static readonly ReduceMean Mean = new();

    public override Node?[] Gradient(Node y, Node dy) => new ReduceMean(Spatial(y.Shape)).Gradient(y, dy);

    private protected override Reduction Fold => Mean;
}

/// <summary>ONNX GlobalMaxPool: the greatest element of each channel of each sample, with spatial axes of size 1. Equal greatest elements share the gradient.</summary>
public sealed record GlobalMaxPool : GlobalPool
{
    private static readonly ReduceMax Greatest = new();

    public override Node?[] Gradient(Node y, Node dy) => new ReduceMax(Spatial(y.Shape)).Gradient(y, dy);

    private protected override Reduction Fold => Greatest;
}

/// <summary>A reduction over all spatial axes of x [N,C,...].</summary>
public abstract record GlobalPool : Op
{
    private protected abstract Reduction Fold { get; }

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        if (x[0].Shape.Rank < 3) throw new GraphException($"the input must be [samples, channels] and at least one spatial axis, found {x[0].Shape}");
        return AxisSet.Reduce(x[0].Shape, AxisSet.Mask(Spatial(x[0].Shape), x[0].Shape.Rank), true);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Folding.Run(Fold, x[0], Mask(y.Shape.Rank), y);

    public override void Link(Node y, AxisLinks links) => AxisSet.Link(y, y.Inputs[0], Mask(y.Shape.Rank), true, links);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);

    public override long Work(Node y) => y.Inputs[0].Shape.Count;

    private protected static ImmutableArray<int> Spatial(Shape x) => [.. Enumerable.Range(2, x.Rank - 2)];

    private static uint Mask(int rank) => (1u << rank) - 4;
}
