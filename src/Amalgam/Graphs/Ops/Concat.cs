using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Concat: the inputs one behind the other along an axis.</summary>
/// <param name="Axis">The axis.</param>
public sealed record Concat(int Axis) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        if (x.IsEmpty) throw new GraphException("takes one input or more, found none");
        Shape of = x[0].Shape;
        int axis = Arguments.Axis(Axis, of.Rank);
        long size = 0;
        foreach (Node input in x)
        {
            if (input.Shape.Rank != of.Rank || input.Shape.With(axis, of[axis]) != of) throw new GraphException($"the shapes must be equal but for axis {axis}, found {of} and {input.Shape}");
            size += input.Shape[axis];
        }

        return of.With(axis, size);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        int outer = Arguments.Count(y.Shape, 0, axis), row = Arguments.Count(y.Shape, axis, y.Shape.Rank), at = 0;
        foreach (Tensor input in x)
        {
            int own = Arguments.Count(input.Shape, axis, y.Shape.Rank);
            StridedCopy copy = default;
            copy.Add(outer, own, row);
            copy.Add(own, 1, 1);
            copy.Run(input.Memory, 0, y.Memory, at);
            at += own;
        }
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        Node?[] dx = new Node?[y.Inputs.Length];
        long at = 0;
        for (int i = 0; i < dx.Length; i++)
        {
            long size = y.Inputs[i].Shape[axis];
            dx[i] = dy.Slice(axis, at, at + size);
            at += size;
        }

        return dx;
    }

    public override void Link(Node y, AxisLinks links)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        links.Joined(AxisLinks.Of(y, axis), [.. y.Inputs.Select(x => AxisLinks.Of(x, axis))]);
        foreach (Node x in y.Inputs)
        {
            for (int i = 0; i < y.Shape.Rank; i++)
            {
                if (i != axis) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(x, i));
            }
        }
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axis", (long)Axis));
}
