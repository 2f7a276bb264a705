using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>A loss that is the mean over elements.</summary>
public abstract record ElementLoss : Loss
{
    internal sealed override int PartOf(Tensor x) => Unary.Block;

    internal sealed override double Samples(Tensor x, Tensor t) => x.Count;

    private protected override void Check(ReadOnlySpan<Node> x)
    {
        foreach (Node input in x[1..])
        {
            if (input.Shape != x[0].Shape) throw new GraphException("all inputs must have one shape");
        }
    }
}

/// <summary>Mean of (a - b)^2 over all elements. Both inputs take gradients.</summary>
public sealed record MeanSquaredError : ElementLoss
{
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node da = y.Graph.Add(new LossGradient(this), y.Inputs[0], y.Inputs[1], dy);
        return [da, -da];
    }

    private protected override void Check(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        base.Check(x);
    }

    private protected override double Part(Tensor x, Tensor t, Tensor? w, int from, int count)
    {
        Span<float> d = stackalloc float[count];
        TensorPrimitives.Subtract(x.Span.Slice(from, count), t.Span.Slice(from, count), d);
        return TensorPrimitives.SumOfSquares<float>(d);
    }

    internal override void PartGradient(Tensor x, Tensor t, Tensor? w, int from, float scale, Span<float> dx)
    {
        TensorPrimitives.Subtract(x.Span.Slice(from, dx.Length), t.Span.Slice(from, dx.Length), dx);
        TensorPrimitives.Multiply(dx, 2 * scale, dx);
    }
}

/// <summary>
/// Mean over all elements of w (log(1 + exp(x)) - x t): the cross-entropy between targets t in [0, 1] and the sigmoid of logits x. Inputs x, t[, w]; targets and
/// weights take no gradient.
/// </summary>
public sealed record BinaryCrossEntropyWithLogits : ElementLoss
{
    private protected override void Check(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2, 3);
        base.Check(x);
    }

    private protected override double Part(Tensor x, Tensor t, Tensor? w, int from, int count)
    {
        Span<float> losses = stackalloc float[count];
        Map.Apply<Expression>(x.Span.Slice(from, count), t.Span.Slice(from, count), losses);
        return w is null ? TensorPrimitives.Sum<float>(losses) : TensorPrimitives.Dot(losses, w.Span.Slice(from, count));
    }

    internal override void PartGradient(Tensor x, Tensor t, Tensor? w, int from, float scale, Span<float> dx)
    {
        Map.Apply<Slope>(x.Span.Slice(from, dx.Length), t.Span.Slice(from, dx.Length), scale, dx);
        if (w is not null) TensorPrimitives.Multiply(dx, w.Span.Slice(from, dx.Length), dx);
    }

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> t) => Special.Softplus(x) - x * t;
    }

    private readonly struct Slope : IMap3
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> t, Vector<float> scale) => scale * (Special.Sigmoid(x) - t);
    }
}
