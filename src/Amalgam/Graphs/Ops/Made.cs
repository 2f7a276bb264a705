namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Shape: the sizes of some of the input's axes. (The record's name leaves <see cref="Amalgam.Shape"/> its own.)</summary>
/// <param name="Start">The first axis; negative counts from the end.</param>
/// <param name="End">The axis after the last.</param>
public sealed record ShapeOf(int Start = 0, int End = int.MaxValue) : Op, IKnownByShape
{
    public override string Name => "Shape";

    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.I64;

    public override bool IsKnown(ReadOnlySpan<Node> x) => true;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        var (from, to) = Range(x[0].Shape.Rank);
        return new(Math.Max(0, to - from));
    }

    public void Run(ReadOnlySpan<Node> x, Tensor y)
    {
        var (from, _) = Range(x[0].Shape.Rank);
        for (int i = 0; i < y.Count; i++) y.Span[i] = x[0].Shape[from + i];
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        var (from, _) = Range(x[0].Shape.Rank);
        for (int i = 0; i < y.Count; i++) y.Span[i] = x[0].Shape[from + i];
    }

    public override Node?[] Gradient(Node y, Node dy) => [null];

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, y, ("start", Start == 0 ? null : (long)Start), ("end", End == int.MaxValue ? null : (long)End));

    private (int From, int To) Range(int rank) => (At(Start, rank), At(End, rank));

    private static int At(int axis, int rank) => Math.Clamp(axis < 0 ? axis + rank : axis, 0, rank);
}

/// <summary>ONNX Size: the number of elements.</summary>
public sealed record SizeOf : Op, IKnownByShape
{
    public override string Name => "Size";

    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.I64;

    public override bool IsKnown(ReadOnlySpan<Node> x) => true;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return default;
    }

    public void Run(ReadOnlySpan<Node> x, Tensor y) => y.Span[0] = x[0].Shape.Count;

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => y.Span[0] = x[0].Count;

    public override Node?[] Gradient(Node y, Node dy) => [null];

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);
}

/// <summary>ONNX Range: the numbers from a start on, by a step, before a limit. Inputs, known: start, limit, step.</summary>
public sealed record Sequence : Op
{
    public override string Name => "Range";

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        double start = Number(x[0]), limit = Number(x[1]), step = Number(x[2]);
        double count = Math.Ceiling((limit - start) / step);
        return count <= int.MaxValue ? new((long)Math.Max(0, count)) : throw new GraphException($"from {start} to {limit} by {step} is no sequence");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        for (int i = 0; i < y.Count; i++) y.Span[i] = x[0].Span[0] + i * x[2].Span[0];
    }

    public override Node?[] Gradient(Node y, Node dy) => [null, null, null];

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);

    private static double Number(Node x)
    {
        if (x.Shape.Count != 1) throw new GraphException($"start, limit and step must be one number each, found {x.Shape}");
        return x.Known?.Span[0] ?? throw new GraphException($"start, limit and step must be known when the graph is built, but {x} depends on inputs or parameters");
    }
}

/// <summary>ONNX ConstantOfShape: a value at every place of a shape (the input, known).</summary>
/// <param name="Value">The value.</param>
/// <param name="Of">Element type in files; float if there is none.</param>
public sealed record ConstantOfShape(float Value = 0, DType? Of = null) : Op
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => Of ?? DType.F32;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return new(x[0].Integers("the shape"));
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Arguments.Fill(y, Value);

    public override Node?[] Gradient(Node y, Node dy) => [null];

    /// <summary>A number stretched, which is as short, and takes the type that it has.</summary>
    public override string Export(Node y, OnnxExport to) => to.Emit("Expand", [to.Constant(Tensor.Scalar(Value), y.Type), to.Integers(y.Inputs[0])]);
}

/// <summary>ONNX EyeLike: a matrix in the input's shape with ones on a diagonal.</summary>
/// <param name="K">The diagonal: 0 the main one, above it positive.</param>
/// <param name="Of">Element type in files; the input's if there is none.</param>
public sealed record EyeLike(int K = 0, DType? Of = null) : Op, IKnownByShape
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => Of ?? x[0].Type;

    public override bool IsKnown(ReadOnlySpan<Node> x) => true;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return x[0].Shape.Rank == 2 ? x[0].Shape : throw new GraphException($"expected a matrix, found {x[0].Shape}");
    }

    public void Run(ReadOnlySpan<Node> x, Tensor y) => Fill(y);

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Fill(y);

    public override Node?[] Gradient(Node y, Node dy) => [null];

    private void Fill(Tensor y)
    {
        y.Span.Clear();
        int rows = (int)y.Shape[0], columns = (int)y.Shape[1];
        for (long row = 0; row < rows; row++)
        {
            if (row + K >= 0 && row + K < columns) y.Span[(int)(row * columns + row + K)] = 1;
        }
    }
}
