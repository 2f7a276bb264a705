using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Where: a where the condition is not 0, else b. Inputs condition, a, b; all three broadcast.</summary>
public sealed record Where : Op
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        return Shape.Broadcast(x[1].Shape, x[2].Shape) is { } both && Shape.Broadcast(x[0].Shape, both) is { } all
            ? all : throw new GraphException("the shapes do not broadcast: sizes must be equal or 1, counted from the last axis");
    }

    public override DType TypeOf(ReadOnlySpan<Node> x) => x[1].Type;

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int row = Broadcasting.Row(y.Shape, x[0].Shape, x[1].Shape, x[2].Shape, out int axes, out int along);
        Broadcasting.Rows(y, row, (C: x[0], A: x[1], B: x[2], Y: y, axes, along, row), static (s, r, from, to) =>
        {
            Shape shape = s.Y.Shape;
            ReadOnlySpan<float> c = Part(s.C, shape, s.axes, r, from, to, (s.along & 1) != 0);
            ReadOnlySpan<float> a = Part(s.A, shape, s.axes, r, from, to, (s.along & 2) != 0);
            ReadOnlySpan<float> b = Part(s.B, shape, s.axes, r, from, to, (s.along & 4) != 0);
            Select(c, a, b, s.Y.Span.Slice(r * s.row + from, to - from));
        });
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node zero = y.Graph.Constant(0);
        return [null, y.Graph.Add(new Where(), y.Inputs[0], dy, zero), y.Graph.Add(new Where(), y.Inputs[0], zero, dy)];
    }

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);

    private static ReadOnlySpan<float> Part(Tensor x, Shape y, int axes, int row, int from, int to, bool along)
    {
        int at = Broadcasting.Offset(x.Shape, y, axes, row);
        return along ? x.Span[(at + from)..(at + to)] : x.Span.Slice(at, 1);
    }

    /// <summary>Selects along a row; an input of one element stands for as many as needed.</summary>
    private static void Select(ReadOnlySpan<float> c, ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
    {
        if (c.Length != y.Length)
        {
            ReadOnlySpan<float> taken = c[0] != 0 ? a : b;
            if (taken.Length == y.Length) taken.CopyTo(y);
            else y.Fill(taken[0]);
        }
        else if (a.Length == y.Length && b.Length == y.Length) Map.Apply<Selection>(c, a, b, y);
        else if (a.Length == y.Length) Map.Apply<Selection>(c, a, b[0], y);
        else if (b.Length == y.Length) Map.Apply<OtherSelection>(c, b, a[0], y);
        else Map.Apply<NumberSelection>(c, c, a[0], b[0], y);
    }

    private readonly struct Selection : IMap3
    {
        public static Vector<float> Invoke(Vector<float> c, Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(c, Vector<float>.Zero), b, a);
    }

    private readonly struct OtherSelection : IMap3
    {
        public static Vector<float> Invoke(Vector<float> c, Vector<float> b, Vector<float> a) => Selection.Invoke(c, a, b);
    }

    private readonly struct NumberSelection : IMap4
    {
        public static Vector<float> Invoke(Vector<float> c, Vector<float> same, Vector<float> a, Vector<float> b) => Selection.Invoke(c, a, b);
    }
}
