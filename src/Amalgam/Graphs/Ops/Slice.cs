using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX Slice: x and, known, starts, ends and perhaps axes and steps. Positions from the end are negative, and those beyond an end are taken as the end; a
/// negative step goes backwards.
/// </summary>
public sealed record Slice : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3, 5);
        Shape of = x[0].Shape;
        long[] starts = x[1].Integers("starts"), ends = x[2].Integers("ends");
        long[]? axes = x.Length > 3 ? x[3].Integers("axes") : null, steps = x.Length > 4 ? x[4].Integers("steps") : null;
        if (ends.Length != starts.Length || (axes?.Length ?? starts.Length) != starts.Length || (steps?.Length ?? starts.Length) != starts.Length)
        {
            throw new GraphException($"starts, ends, axes and steps must be of one length, found {starts.Length}, {ends.Length}, {axes?.Length ?? starts.Length} and {steps?.Length ?? starts.Length}");
        }

        if (axes is null && starts.Length > of.Rank) throw new GraphException($"{starts.Length} starts for the {of.Rank} axes of {of}");
        Arguments.Axes(axes ?? [], of.Rank);
        if (steps?.Contains(0) == true) throw new GraphException("a step is 0; expected 1 or more, or -1 or less");
        Part[] parts = new Part[of.Rank];
        Parts(of, x[1].Known!, x[2].Known!, x.Length > 3 ? x[3].Known : null, x.Length > 4 ? x[4].Known : null, parts);
        return new(parts.Select(part => (long)part.Size).ToArray());
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Span<Part> parts = stackalloc Part[y.Shape.Rank];
        Parts(x[0].Shape, x[1], x[2], x.Length > 3 ? x[3] : null, x.Length > 4 ? x[4] : null, parts);
        Copy(parts, x[0], y, back: false);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node?[] dx = new Node?[y.Inputs.Length];
        dx[0] = dy.Graph.Add(new SliceGradient(y.Inputs[0].Shape), [dy, .. y.Inputs[1..]]);
        return dx;
    }

    /// <summary>An axis taken whole is the same; of another, the positions taken.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Part[] parts = new Part[y.Shape.Rank];
        Parts(y.Inputs[0].Shape, y.Inputs[1].Known!, y.Inputs[2].Known!, y.Inputs.ElementAtOrDefault(3)?.Known, y.Inputs.ElementAtOrDefault(4)?.Known, parts);
        for (int i = 0; i < parts.Length; i++)
        {
            var (start, step, size) = parts[i];
            Axis whole = AxisLinks.Of(y.Inputs[0], i), part = AxisLinks.Of(y, i);
            if (step == 1 && whole.Size == size) links.Same(part, whole);
            else links.Taken(part, whole, [.. Enumerable.Range(0, size).Select(k => start + k * step)]);
        }
    }

    public override string Export(Node y, OnnxExport to)
    {
        string[] inputs = new string[y.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++) inputs[i] = i == 0 ? to[y.Inputs[0]] : to.Integers(y.Inputs[i]);
        return to.Emit(Name, inputs);
    }

    /// <summary>What is taken of each axis of a tensor.</summary>
    internal static void Parts(Shape of, Tensor starts, Tensor ends, Tensor? axes, Tensor? steps, Span<Part> parts)
    {
        for (int i = 0; i < parts.Length; i++) parts[i] = new(0, 1, of.Size(i));
        for (int i = 0; i < starts.Count; i++)
        {
            int axis = axes is null ? i : (int)axes.Span[i];
            if (axis < 0) axis += of.Rank;
            int size = of.Size(axis), step = steps is null ? 1 : Arguments.Clamped(steps.Span[i]);
            long start = Arguments.Clamped(starts.Span[i]), end = Arguments.Clamped(ends.Span[i]);
            if (start < 0) start += size;
            if (end < 0) end += size;
            (start, end) = step > 0 ? (Math.Clamp(start, 0, size), Math.Clamp(end, 0, size)) : (Math.Clamp(start, -1, size - 1), Math.Clamp(end, -1, size - 1));
            long count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1L) / -(long)step;
            parts[axis] = new((int)start, step, (int)Math.Max(0, count));
        }
    }

    /// <summary>Copies what is taken out of <paramref name="x"/> to <paramref name="y"/>, or back: then <paramref name="x"/> is written.</summary>
    internal static void Copy(ReadOnlySpan<Part> parts, Tensor x, Tensor y, bool back)
    {
        StridedCopy copy = default;
        int first = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i].Size == 0) return;
            int ofX = Arguments.Step(x.Shape, i), ofY = Arguments.Step(y.Shape, i);
            int step = parts[i].Size == 1 ? 0 : parts[i].Step * ofX;
            first += parts[i].Start * ofX;
            if (back) copy.Add(parts[i].Size, ofY, step);
            else copy.Add(parts[i].Size, step, ofY);
        }

        if (back) copy.Run(y.Memory, 0, x.Memory, first);
        else copy.Run(x.Memory, first, y.Memory, 0);
    }

    /// <summary>Positions of an axis: <c>Start + k Step</c>, for k below <c>Size</c>.</summary>
    internal readonly record struct Part(int Start, int Step, int Size);
}

/// <summary>The gradient of <see cref="Slice"/> by its first input: dy where it was taken from, zero elsewhere. Inputs: dy, and those of the slice after its first.</summary>
/// <param name="Of">Shape of what was sliced.</param>
public sealed record SliceGradient(Shape Of) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3, 5);
        Slice.Part[] parts = new Slice.Part[Of.Rank];
        Slice.Parts(Of, x[1].Known!, x[2].Known!, x.Length > 3 ? x[3].Known : null, x.Length > 4 ? x[4].Known : null, parts);
        Shape expected = new(parts.Select(part => (long)part.Size).ToArray());
        return x[0].Shape == expected ? Of : throw new GraphException($"the gradient of a slice {expected} of {Of} has shape {x[0].Shape}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Arguments.Fill(y, 0);
        Span<Slice.Part> parts = stackalloc Slice.Part[Of.Rank];
        Slice.Parts(Of, x[1], x[2], x.Length > 3 ? x[3] : null, x.Length > 4 ? x[4] : null, parts);
        Slice.Copy(parts, y, x[0], back: true);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node?[] dx = new Node?[y.Inputs.Length];
        dx[0] = dy.Graph.Add(new Slice(), [dy, .. y.Inputs[1..]]);
        return dx;
    }
}
