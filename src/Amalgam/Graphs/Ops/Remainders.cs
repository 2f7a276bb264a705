using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Mod: the remainder of a / b, with the sign of b, or of a as C's fmod.</summary>
/// <param name="Fmod">The sign is that of a.</param>
public sealed record Mod(bool Fmod = false) : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy, -(dy * ((y.Inputs[0] - y) / y.Inputs[1]).Round())];

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = Of(a[i], b[i]);
    }

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = Of(a[i], b);
    }

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = Of(a, b[i]);
    }

    public override string Export(Node y, OnnxExport to)
    {
        if (Fmod || !y.Type.IsFloat) return to.Emit(Name, y, ("fmod", Fmod ? 1L : 0L));
        string a = to[y.Inputs[0]], b = to[y.Inputs[1]];
        return to.Emit("Sub", [a, to.Emit("Mul", [b, to.Emit("Floor", [to.Emit("Div", [a, b])])])]);
    }

    private float Of(float a, float b)
    {
        float remainder = a % b;
        return !Fmod && remainder != 0 && remainder < 0 != b < 0 ? remainder + b : remainder;
    }
}

/// <summary>ONNX Div of integers: the quotient without its fraction.</summary>
public sealed record IntegerDiv : Mapped2<IntegerDiv.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [null, null];

    public override string Export(Node y, OnnxExport to) => to.Emit("Div", y);

    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Vector.Truncate(a / b);
    }
}
