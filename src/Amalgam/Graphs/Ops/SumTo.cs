namespace Amalgam.Graphs.Ops;

/// <summary>Sums a tensor down to a shape that broadcasts to its own: what the gradient of broadcasting is.</summary>
/// <param name="Target">The shape of the result.</param>
public sealed record SumTo(Shape Target) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return Shape.Broadcast(x[0].Shape, Target) == x[0].Shape ? Target : throw new GraphException($"a tensor is not a broadcast of {Target}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        y.Span.Clear();
        Shape of = x[0].Shape;
        Span<float> from = x[0].Span, to = y.Span;
        for (int i = 0; i < from.Length; i++)
        {
            int rest = i, at = 0, stride = 1;
            for (int axis = 1; axis <= of.Rank; axis++)
            {
                int size = of.Size(^axis), own = axis <= Target.Rank ? Target.Size(^axis) : 1;
                if (own != 1) at += rest % size * stride;
                rest /= size;
                stride *= own;
            }

            to[at] += from[i];
        }
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new Broadcast(y.Inputs[0].Shape), dy)];

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        for (int i = 1; i <= y.Shape.Rank; i++)
        {
            if (x.Shape[^i] == y.Shape[^i]) links.Same(AxisLinks.Of(y, ^i), AxisLinks.Of(x, ^i));
        }
    }

    public override long Work(Node y) => y.Inputs[0].Shape.Count;
}

/// <summary>Stretches a tensor to a shape that it broadcasts to. (ONNX Expand takes the shape as an input.)</summary>
/// <param name="Target">The shape of the result.</param>
public sealed record Broadcast(Shape Target) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return Shape.Broadcast(x[0].Shape, Target) == Target ? Target : throw new GraphException($"a tensor does not broadcast to {Target}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Shape of = x[0].Shape;
        Span<float> from = x[0].Span, to = y.Span;
        for (int i = 0; i < to.Length; i++)
        {
            int rest = i, at = 0, stride = 1;
            for (int axis = 1; axis <= Target.Rank; axis++)
            {
                int size = Target.Size(^axis), own = axis <= of.Rank ? of.Size(^axis) : 1;
                if (own != 1) at += rest % size * stride;
                rest /= size;
                stride *= own;
            }

            to[i] = from[at];
        }
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit("Expand", [to[y.Inputs[0]], to.Integers(Target.Sizes)]);
}
