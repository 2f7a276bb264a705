using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>A truth value, 1 or 0, of two inputs that broadcast; comparisons with NaN are false. No gradient flows through it.</summary>
public abstract record Truth<TExpression> : Mapped2<TExpression> where TExpression : struct, IMap2
{
    public sealed override DType TypeOf(ReadOnlySpan<Node> x) => DType.Bool;

    public sealed override Node?[] Gradient(Node y, Node dy) => [null, null];
}

/// <summary>ONNX Equal.</summary>
public sealed record Equal : Truth<Equal.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(Vector.Equals(a, b));
    }
}

/// <summary>ONNX Less.</summary>
public sealed record Less : Truth<Less.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(Vector.LessThan(a, b));
    }
}

/// <summary>ONNX LessOrEqual.</summary>
public sealed record LessOrEqual : Truth<LessOrEqual.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(Vector.LessThanOrEqual(a, b));
    }
}

/// <summary>ONNX Greater.</summary>
public sealed record Greater : Truth<Greater.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(Vector.GreaterThan(a, b));
    }
}

/// <summary>ONNX GreaterOrEqual.</summary>
public sealed record GreaterOrEqual : Truth<GreaterOrEqual.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(Vector.GreaterThanOrEqual(a, b));
    }
}

/// <summary>ONNX And; what is not 0 is true.</summary>
public sealed record And : Truth<And.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(~(Vector.Equals(a, Vector<float>.Zero) | Vector.Equals(b, Vector<float>.Zero)));
    }
}

/// <summary>ONNX Or; what is not 0 is true.</summary>
public sealed record Or : Truth<Or.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(~(Vector.Equals(a, Vector<float>.Zero) & Vector.Equals(b, Vector<float>.Zero)));
    }
}

/// <summary>ONNX Xor; what is not 0 is true.</summary>
public sealed record Xor : Truth<Xor.Expression>
{
    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Special.Truth(Vector.Equals(a, Vector<float>.Zero) ^ Vector.Equals(b, Vector<float>.Zero));
    }
}
