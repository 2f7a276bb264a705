using System.Collections.Immutable;

namespace Amalgam.Graphs.Ops;

/// <summary>The first input's elements in their order, under another shape.</summary>
public abstract record View : Op
{
    public override Reuse Reuse => Reuse.View;

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Arguments.Copy(x[0], y);

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node?[] dx = new Node?[y.Inputs.Length];
        dx[0] = dy.ReshapeTo(y.Inputs[0].Shape);
        return dx;
    }

    /// <summary>The smallest groups of neighbouring axes with equal products are the same positions; axes of size 1 are left out.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        if (x.Shape.Count == 0) return;
        int i = 0, j = 0;
        List<Axis> left = [], right = [];
        while (i < y.Shape.Rank || j < x.Shape.Rank)
        {
            long ofY = 1, ofX = 1;
            do
            {
                bool takeY = (ofY <= ofX && i < y.Shape.Rank) || j == x.Shape.Rank;
                Axis axis = takeY ? AxisLinks.Of(y, i++) : AxisLinks.Of(x, j++);
                if (takeY) ofY *= axis.Size;
                else ofX *= axis.Size;
                if (axis.Size > 1) (takeY ? left : right).Add(axis);
            }
            while (ofY != ofX);
            if (left.Count > 0) links.Same(left.ToArray(), right.ToArray());
            left.Clear();
            right.Clear();
        }
    }
}

/// <summary>ONNX Identity.</summary>
public sealed record Identity : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return x[0].Shape;
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);
}

/// <summary>ONNX Reshape of x to a shape (second input, known): 0 takes the size that x has at that axis, and one -1 the size that is left.</summary>
/// <param name="AllowZero">0 is a size like others.</param>
public sealed record Reshape(bool AllowZero = false) : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape of = x[0].Shape;
        long[] sizes = x[1].Integers("the shape");
        string asked = $"[{string.Join(',', sizes)}]";
        int open = -1;
        long count = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == 0 && !AllowZero) sizes[i] = i < of.Rank ? of[i] : throw new GraphException($"the shape {asked} copies axis {i} of {of}, which has none");
            if (sizes[i] < -1 || (sizes[i] == -1 && open >= 0)) throw new GraphException($"the shape {asked} must have sizes of zero or more and at most one -1");
            if (sizes[i] == -1) open = i;
            else count = checked(count * sizes[i]);
        }

        if (open >= 0) sizes[open] = count != 0 && of.Count % count == 0 ? of.Count / count : throw new GraphException($"{of} has {of.Count} elements, which do not fill {asked}");
        Shape shape = new(sizes);
        return shape.Count == of.Count ? shape : throw new GraphException($"{of} has {of.Count} elements, {asked} takes {shape.Count}");
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, [to[y.Inputs[0]], to.Integers(y.Inputs[1])], ("allowzero", AllowZero ? 1L : null));
}

/// <summary>ONNX Flatten: a matrix of the axes before one, and of the axes from it on.</summary>
/// <param name="Axis">The first axis of the columns, from the number of axes on down to its negative.</param>
public sealed record Flatten(int Axis = 1) : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        Shape of = x[0].Shape;
        int axis = Axis == of.Rank ? Axis : Arguments.Axis(Axis, of.Rank);
        long rows = 1, columns = 1;
        for (int i = 0; i < of.Rank; i++)
        {
            if (i < axis) rows *= of[i];
            else columns *= of[i];
        }

        return new(rows, columns);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axis", (long)Axis));
}

/// <summary>ONNX Squeeze: without some axes of size 1.</summary>
/// <param name="Axes">Which; none given means all.</param>
public sealed record Squeeze(ImmutableArray<int> Axes) : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        Shape of = x[0].Shape;
        bool[] gone = new bool[of.Rank];
        if (Axes.IsDefaultOrEmpty)
        {
            for (int i = 0; i < gone.Length; i++) gone[i] = of[i] == 1;
        }
        else
        {
            foreach (int axis in Arguments.Axes([.. Axes.Select(a => (long)a)], of.Rank))
            {
                gone[axis] = of[axis] == 1 ? true : throw new GraphException($"axis {axis} of {of} has size {of[axis]} and cannot be left out; expected 1");
            }
        }

        return new(of.Sizes.ToArray().Where((_, axis) => !gone[axis]).ToArray());
    }

    public bool Equals(Squeeze? other) => other is not null && Sequences.Same(Axes, other.Axes);

    public override int GetHashCode() => Sequences.Hash(Axes);

    public override string Export(Node y, OnnxExport to) =>
        Axes.IsDefaultOrEmpty ? to.Emit(Name, y) : to.Emit(Name, [to[y.Inputs[0]], to.Integers([.. Axes.Select(a => (long)a)])]);
}

/// <summary>ONNX Unsqueeze: with new axes of size 1.</summary>
/// <param name="Axes">Where they are in the result.</param>
public sealed record Unsqueeze(ImmutableArray<int> Axes) : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        int rank = x[0].Shape.Rank + Axes.Length;
        int[] axes = Arguments.Axes([.. Axes.Select(a => (long)a)], rank);
        long[] sizes = new long[rank];
        for (int i = 0, from = 0; i < rank; i++) sizes[i] = axes.Contains(i) ? 1 : x[0].Shape[from++];
        return new(sizes);
    }

    public bool Equals(Unsqueeze? other) => other is not null && Sequences.Same(Axes, other.Axes);

    public override int GetHashCode() => Sequences.Hash(Axes);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], to.Integers([.. Axes.Select(a => (long)a)])]);
}

/// <summary>Equality of attributes that are lists: equal elements.</summary>
internal static class Sequences
{
    public static bool Same(ImmutableArray<int> a, ImmutableArray<int> b) => (a.IsDefault ? [] : a).SequenceEqual(b.IsDefault ? [] : b);

    public static int Hash(ImmutableArray<int> values)
    {
        HashCode hash = new();
        foreach (int value in values.IsDefault ? [] : values) hash.Add(value);
        return hash.ToHashCode();
    }
}
