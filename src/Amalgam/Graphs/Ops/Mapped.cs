using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>y[i] = f(x[i]), f being an expression on vectors.</summary>
public abstract record Mapped1<TExpression> : Unary where TExpression : struct, IMap1
{
    public sealed override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<TExpression>(x, y);
}

/// <summary>y = f(a, b) with broadcasting, f being an expression on vectors.</summary>
public abstract record Mapped2<TExpression> : Binary where TExpression : struct, IMap2
{
    public sealed override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => Numerics.Map.Apply<TExpression>(a, b, y);

    public sealed override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => Numerics.Map.Apply<TExpression>(a, b, y);

    public sealed override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => Numerics.Map.Apply<TExpression>(a, b, y);
}

/// <summary>A gradient computed in one pass. It has no gradient itself: where one is needed, build the function from operations that have two.</summary>
public abstract record GradientOp : Op
{
    public sealed override Node?[] Gradient(Node y, Node dy) => throw new GraphException($"{Name} has no second-order gradient");
}

/// <summary>
/// dx[i] = f(x[i], dy[i]): the gradient of an element-wise operation in one pass. The first input is the operation's input or its result, whichever makes f
/// shorter; both have one shape.
/// </summary>
public abstract record UnaryGradient : GradientOp
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return x[0].Shape == x[1].Shape ? x[0].Shape : throw new GraphException("both inputs must have one shape");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Cores.ForRange(y.Count, Unary.Block * 4, (Op: this, X: x[0], Dy: x[1], Y: y), static (s, from, to) => s.Op.Map(s.X.Span[from..to], s.Dy.Span[from..to], s.Y.Span[from..to]));

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override long Work(Node y) => y.Shape.Count;

    /// <summary>f on a block; <paramref name="y"/> may be one of the inputs.</summary>
    /// <param name="x">The operation's input or its result.</param>
    /// <param name="dy">The gradient by the result.</param>
    /// <param name="y">Takes the gradient by the input.</param>
    public abstract void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y);
}
