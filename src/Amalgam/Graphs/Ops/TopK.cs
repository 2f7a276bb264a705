using System.Buffers;

namespace Amalgam.Graphs.Ops;

/// <summary>The largest or smallest values along an axis, in order; of equal ones the first first. Inputs: x and how many (known). ONNX TopK has two results, which are two operations here.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Largest">The largest, and not the smallest.</param>
public abstract record TopK(int Axis, bool Largest) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        int axis = Arguments.Axis(Axis, x[0].Shape.Rank);
        long k = Arguments.Integer(x[1], "k");
        return k >= 0 && k <= x[0].Shape[axis] ? x[0].Shape.With(axis, k) : throw new GraphException($"k = {k} of axis {axis} of {x[0].Shape}, which has {x[0].Shape[axis]} positions");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank), size = x[0].Shape.Size(axis), k = y.Shape.Size(axis), inner = Arguments.Step(y.Shape, axis);
        if (y.Count == 0) return;
        ulong[] keys = ArrayPool<ulong>.Shared.Rent(size);
        for (int line = 0; line < y.Count / k; line++)
        {
            int ofX = line / inner * size * inner + line % inner, ofY = line / inner * k * inner + line % inner;
            for (int i = 0; i < size; i++) keys[i] = (ulong)Rank(x[0].Span[ofX + i * inner]) << 32 | (uint)i;
            keys.AsSpan(0, size).Sort();
            for (int i = 0; i < k; i++) y.Span[ofY + i * inner] = Result(x[0].Span, ofX, (int)(uint)keys[i], inner);
        }

        ArrayPool<ulong>.Shared.Return(keys);
    }

    public override void Link(Node y, AxisLinks links) => links.FollowExcept(y, y.Inputs[0], Arguments.Axis(Axis, y.Shape.Rank), "its largest are taken in order");

    /// <summary>ONNX's operator, of which the result number <paramref name="number"/> is this one.</summary>
    private protected string Export(Node y, OnnxExport to, int number) =>
        to.Emit(2, "TopK", [to[y.Inputs[0]], to.Integers(Arguments.Integer(y.Inputs[1], "k"))], ("axis", (long)Axis), ("largest", Largest ? 1L : 0L))[number];

    /// <summary>What stands in the result for a position.</summary>
    private protected abstract float Result(ReadOnlySpan<float> x, int first, int position, int step);

    /// <summary>Floats in the order wanted, as integers in rising order.</summary>
    private uint Rank(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value == 0 ? 0 : value);
        uint rising = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return Largest ? ~rising : rising;
    }
}

/// <summary>The values of <see cref="TopK"/>.</summary>
public sealed record TopKValues(int Axis = -1, bool Largest = true) : TopK(Axis, Largest)
{
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node positions = dy.Graph.Add(new TopKIndices(Axis, Largest), y.Inputs[0], y.Inputs[1]);
        return [dy.Graph.Add(new ScatterElements(Axis, ScatterReduction.Add), Arguments.Zeros(dy.Graph, y.Inputs[0].Shape), positions, dy), null];
    }

    public override string Export(Node y, OnnxExport to) => Export(y, to, 0);

    private protected override float Result(ReadOnlySpan<float> x, int first, int position, int step) => x[first + position * step];
}

/// <summary>The positions of <see cref="TopK"/>.</summary>
public sealed record TopKIndices(int Axis = -1, bool Largest = true) : TopK(Axis, Largest)
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.I64;

    public override Node?[] Gradient(Node y, Node dy) => [null, null];

    public override string Export(Node y, OnnxExport to) => Export(y, to, 1);

    private protected override float Result(ReadOnlySpan<float> x, int first, int position, int step) => position;
}
