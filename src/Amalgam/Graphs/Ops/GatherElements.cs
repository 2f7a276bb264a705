using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX GatherElements: the result has the indices' shape, and each of its elements is x at the same place but along an axis, where the index says.</summary>
/// <param name="Axis">The axis.</param>
public sealed record GatherElements(int Axis = 0) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Elements.Check(x[0].Shape, x[1].Shape, Axis);
        return x[1].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        Gather.Check(x[1].Span, x[0].Shape[axis]);
        Cores.ForRange(y.Count, Cores.WorthSharing / 4, (X: x[0], Indices: x[1], Y: y, axis), static (s, from, to) =>
        {
            Span<float> x = s.X.Span, indices = s.Indices.Span, y = s.Y.Span;
            for (int i = from; i < to; i++) y[i] = x[Elements.Place(s.X.Shape, s.Y.Shape, s.axis, i, indices[i])];
        });
    }

    public override Node?[] Gradient(Node y, Node dy) =>
        [dy.Graph.Add(new ScatterElements(Axis, ScatterReduction.Add), Arguments.Zeros(dy.Graph, y.Inputs[0].Shape), y.Inputs[1], dy), null];

    public override void Link(Node y, AxisLinks links)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        links.FollowExcept(y, y.Inputs[0], axis, "looked up by index");
        links.FollowExcept(y, y.Inputs[1], axis, "looked up by index");
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], Gather.Indices(y.Inputs[1], to)], ("axis", (long)Axis));
}

/// <summary>What becomes of an element that is there already.</summary>
public enum ScatterReduction
{
    /// <summary>The last one written stays.</summary>
    None,

    /// <summary>The sum.</summary>
    Add,

    /// <summary>The product.</summary>
    Mul,

    /// <summary>The larger one.</summary>
    Max,

    /// <summary>The smaller one.</summary>
    Min,
}

/// <summary>ONNX ScatterElements: x, into which each update is written at its own place but along an axis, where the index says. Inputs: x, indices, updates.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Reduction">What becomes of the element that is there.</param>
public sealed record ScatterElements(int Axis = 0, ScatterReduction Reduction = ScatterReduction.None) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        Elements.Check(x[0].Shape, x[1].Shape, Axis);
        return x[2].Shape == x[1].Shape ? x[0].Shape : throw new GraphException($"updates {x[2].Shape} must have the shape of the indices {x[1].Shape}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        Gather.Check(x[1].Span, y.Shape[axis]);
        Arguments.Copy(x[0], y);
        Span<float> indices = x[1].Span, updates = x[2].Span;
        for (int i = 0; i < updates.Length; i++) Elements.Write(ref y.Span[Elements.Place(y.Shape, x[1].Shape, axis, i, indices[i])], updates[i], Reduction);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node updates = dy.Graph.Add(new GatherElements(Axis), dy, y.Inputs[1]);
        return Reduction switch
        {
            ScatterReduction.Add => [dy, null, updates],
            ScatterReduction.None => [dy.Graph.Add(new ScatterElements(Axis), dy, y.Inputs[1], Arguments.Zeros(dy.Graph, y.Inputs[2].Shape)), null, updates],
            _ => throw new GraphException($"{Name} with {Reduction} has no gradient"),
        };
    }

    public override void Link(Node y, AxisLinks links)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        foreach (Node x in y.Inputs) links.FollowExcept(y, x, axis, "written by index");
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, [to[y.Inputs[0]], Gather.Indices(y.Inputs[1], to), to[y.Inputs[2]]], ("axis", (long)Axis), ("reduction", Elements.OnnxName(Reduction)));
}

/// <summary>What operations on single elements by index share.</summary>
internal static class Elements
{
    public static void Check(Shape x, Shape indices, int axis)
    {
        axis = Arguments.Axis(axis, x.Rank);
        bool fit = indices.Rank == x.Rank;
        for (int i = 0; fit && i < x.Rank; i++) fit = i == axis || indices[i] <= x[i];
        if (!fit) throw new GraphException($"indices {indices} must have the axes of {x} and, but for axis {axis}, be no larger");
    }

    /// <summary>Where in x the element for index number <paramref name="i"/> is.</summary>
    public static int Place(Shape x, Shape indices, int axis, int i, float index)
    {
        int place = 0, step = 1;
        for (int k = x.Rank - 1; k >= 0; k--)
        {
            int size = (int)indices[k], own = (int)x[k];
            place += (k == axis ? Gather.Position(index, own) : i % size) * step;
            i /= size;
            step *= own;
        }

        return place;
    }

    public static void Write(ref float place, float update, ScatterReduction reduction) => place = reduction switch
    {
        ScatterReduction.Add => place + update,
        ScatterReduction.Mul => place * update,
        ScatterReduction.Max => MathF.Max(place, update),
        ScatterReduction.Min => MathF.Min(place, update),
        _ => update,
    };

    public static string? OnnxName(ScatterReduction reduction) => reduction switch
    {
        ScatterReduction.Add => "add",
        ScatterReduction.Mul => "mul",
        ScatterReduction.Max => "max",
        ScatterReduction.Min => "min",
        _ => null,
    };

    public static ScatterReduction Reduction(string onnxName) => onnxName switch
    {
        "none" => ScatterReduction.None,
        "add" => ScatterReduction.Add,
        "mul" => ScatterReduction.Mul,
        "max" => ScatterReduction.Max,
        "min" => ScatterReduction.Min,
        _ => throw new GraphException($"the reduction '{onnxName}' is unknown; expected none, add, mul, max or min"),
    };
}
