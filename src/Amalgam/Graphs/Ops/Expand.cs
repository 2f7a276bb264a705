using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Expand: x stretched to the shape that it and a shape (second input, known) take together.</summary>
public sealed record Expand : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape target = new(x[1].Integers("the shape"));
        return Shape.Broadcast(x[0].Shape, target) ?? throw new GraphException($"{x[0].Shape} does not broadcast with {target}: sizes must be equal or 1, counted from the last axis");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        StridedCopy copy = default;
        Shape of = x[0].Shape;
        for (int i = 0; i < y.Shape.Rank; i++)
        {
            int own = i - y.Shape.Rank + of.Rank;
            copy.Add((int)y.Shape[i], own < 0 || of[own] == 1 ? 0 : Arguments.Step(of, own), Arguments.Step(y.Shape, i));
        }

        copy.Run(x[0].Memory, 0, y.Memory, 0);
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy, null];

    public override void Link(Node y, AxisLinks links) => links.Follow(y, y.Inputs[0]);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], to.Integers(y.Inputs[1])]);
}

/// <summary>ONNX Tile: x repeated along each axis as often as the second input (known) says.</summary>
public sealed record Tile : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        long[] repeats = x[1].Integers("the numbers of repeats");
        if (repeats.Length != x[0].Shape.Rank || repeats.Any(r => r < 0)) throw new GraphException($"{x[0].Shape} needs {x[0].Shape.Rank} numbers of repeats of zero or more, found [{string.Join(',', repeats)}]");
        for (int i = 0; i < repeats.Length; i++) repeats[i] = checked(repeats[i] * x[0].Shape[i]);
        return new(repeats);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        StridedCopy copy = default;
        for (int i = 0; i < y.Shape.Rank; i++)
        {
            int own = (int)x[0].Shape[i], stepX = Arguments.Step(x[0].Shape, i), stepY = Arguments.Step(y.Shape, i);
            copy.Add((int)x[1].Span[i], 0, stepY * own);
            copy.Add(own, stepX, stepY);
        }

        copy.Run(x[0].Memory, 0, y.Memory, 0);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0];
        long[] repeats = y.Inputs[1].Integers("the numbers of repeats");
        Shape apart = new(repeats.SelectMany((r, i) => new[] { r, x.Shape[i] }).ToArray());
        Shape summed = new(repeats.SelectMany((_, i) => new[] { 1, x.Shape[i] }).ToArray());
        Node sum = dy.Graph.Add(new SumTo(summed), dy.ReshapeTo(apart));
        return [sum.ReshapeTo(x.Shape), null];
    }

    /// <summary>A repeated axis is the pair of repeat and position.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        for (int i = 0; i < y.Shape.Rank; i++)
        {
            if (y.Shape[i] == x.Shape[i]) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(x, i));
            else if (y.Shape.Count > 0) links.Same([AxisLinks.Of(y, i)], [links.Digit(y.Shape[i] / x.Shape[i]), AxisLinks.Of(x, i)]);
        }
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], to.Integers(y.Inputs[1])]);
}
