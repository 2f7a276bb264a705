namespace Amalgam.Graphs.Ops;

/// <summary>Sums a tensor down to a shape that broadcasts to its own: what the gradient of broadcasting is.</summary>
/// <param name="Target">The shape of the result.</param>
public sealed record SumTo(Shape Target) : Op
{
    private static readonly ReduceSum Sum = new();

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        if (x[0].Shape.Rank > Dims.Most) throw new GraphException($"{x[0].Shape.Rank} axes, at most {Dims.Most} are summed over");
        return Shape.Broadcast(x[0].Shape, Target) == x[0].Shape ? Target : throw new GraphException($"a tensor is not a broadcast of {Target}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Folding.Run(Sum, x[0], Stretched(Target, x[0].Shape), y);

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new Broadcast(y.Inputs[0].Shape), dy)];

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        for (int i = 1; i <= y.Shape.Rank; i++)
        {
            if (x.Shape[^i] == y.Shape[^i]) links.Same(AxisLinks.Of(y, ^i), AxisLinks.Of(x, ^i));
        }
    }

    public override string Export(Node y, OnnxExport to)
    {
        Shape from = y.Inputs[0].Shape;
        long[] axes = [.. Enumerable.Range(0, from.Rank).Where(axis => (Stretched(Target, from) >> axis & 1) != 0).Select(axis => (long)axis)];
        string sum = axes.Length == 0 ? to[y.Inputs[0]] : to.Emit("ReduceSum", [to[y.Inputs[0]], to.Integers(axes)], ("keepdims", 1L));
        return to.Emit("Reshape", [sum, to.Integers(Target.Sizes)]);
    }

    public override long Work(Node y) => y.Inputs[0].Shape.Count;

    /// <summary>A bit for each axis over which the smaller shape is stretched.</summary>
    internal static uint Stretched(Shape small, Shape large)
    {
        uint mask = 0;
        for (int i = 1; i <= large.Rank; i++)
        {
            if (i > small.Rank || small[^i] != large[^i]) mask |= 1u << (large.Rank - i);
        }

        return mask;
    }
}

/// <summary>Stretches a tensor to a shape that it broadcasts to. (ONNX Expand takes the shape as an input.)</summary>
/// <param name="Target">The shape of the result.</param>
public sealed record Broadcast(Shape Target) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        if (Target.Rank > Dims.Most) throw new GraphException($"{Target.Rank} axes, at most {Dims.Most} are stretched over");
        return Shape.Broadcast(x[0].Shape, Target) == Target ? Target : throw new GraphException($"a tensor does not broadcast to {Target}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Folding.Spread(x[0], SumTo.Stretched(x[0].Shape, Target), y);

    public override Node?[] Gradient(Node y, Node dy) => [dy];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit("Expand", [to[y.Inputs[0]], to.Integers(Target.Sizes)]);
}
