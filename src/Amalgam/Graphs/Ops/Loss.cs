using System.Buffers;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>A loss: one number, the mean of what parts of the inputs give. Its gradient by the first input alone is one node; other inputs are not trained unless said.</summary>
public abstract record Loss : Op
{
    /// <summary>Shape of the result, a scalar; checks the inputs.</summary>
    public sealed override Shape Infer(ReadOnlySpan<Node> x)
    {
        Check(x);
        return default;
    }

    public sealed override DType TypeOf(ReadOnlySpan<Node> x) => x[0].Type;

    public sealed override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        double samples = Samples(x[0], x[1]);
        int part = PartOf(x[0]), parts = x[0].Count == 0 ? 0 : (x[0].Count + part - 1) / part;
        double[] sums = ArrayPool<double>.Shared.Rent(parts);
        var state = (Op: this, X: x[0], T: x[1], W: x.Length > 2 ? x[2] : null, sums, part);
        Cores.ForRange(parts, Math.Max(1, Unary.Block / part), state, static (s, from, to) =>
        {
            for (int i = from; i < to; i++) s.sums[i] = s.Op.Part(s.X, s.T, s.W, i * s.part, Math.Min(s.part, s.X.Count - i * s.part));
        });
        double sum = 0;
        for (int i = 0; i < parts; i++) sum += sums[i];
        ArrayPool<double>.Shared.Return(sums);
        y.Span[0] = (float)(sum / samples);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node?[] gradients = new Node?[y.Inputs.Length];
        gradients[0] = y.Graph.Add(new LossGradient(this), [.. y.Inputs, dy]);
        return gradients;
    }

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        foreach (Node other in y.Inputs[1..])
        {
            for (int axis = 0; axis < other.Shape.Rank; axis++) links.Same(AxisLinks.Of(x, axis), AxisLinks.Of(other, axis));
        }
    }

    public override long Work(Node y) => 10 * y.Inputs[0].Shape.Count;

    /// <summary>Refuses inputs that do not fit.</summary>
    private protected abstract void Check(ReadOnlySpan<Node> x);

    /// <summary>How many elements of the first input make one part of the sum.</summary>
    internal abstract int PartOf(Tensor x);

    /// <summary>By what the sum is divided. Refuses values that the loss is not defined for, before the work is shared between threads.</summary>
    internal abstract double Samples(Tensor x, Tensor t);

    /// <summary>One part of the sum.</summary>
    /// <param name="x">The first input.</param>
    /// <param name="t">The second.</param>
    /// <param name="w">The third, where there is one.</param>
    /// <param name="from">The part's first element.</param>
    /// <param name="count">How many elements it has.</param>
    private protected abstract double Part(Tensor x, Tensor t, Tensor? w, int from, int count);

    /// <summary>The gradient by the first input over one part, times a number.</summary>
    internal abstract void PartGradient(Tensor x, Tensor t, Tensor? w, int from, float scale, Span<float> dx);
}

/// <summary>The gradient of a loss by its first input. Inputs are those of the loss and the gradient by its value.</summary>
public sealed record LossGradient(Loss Of) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3, 4);
        Of.Infer(x[..^1]);
        return x[^1].Shape.Count == 1 ? x[0].Shape : throw new GraphException($"the gradient by a loss is one number, found {x[^1].Shape}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        int part = Of.PartOf(x[0]);
        float scale = (float)(x[^1].Span[0] / Of.Samples(x[0], x[1]));
        Cores.ForRange((y.Count + part - 1) / part, Math.Max(1, Unary.Block / part), (Of, X: x[0], T: x[1], W: x.Length > 3 ? x[2] : null, Y: y, part, scale), static (s, from, to) =>
        {
            for (int i = from; i < to; i++) s.Of.PartGradient(s.X, s.T, s.W, i * s.part, s.scale, s.Y.Span.Slice(i * s.part, Math.Min(s.part, s.Y.Count - i * s.part)));
        });
    }

    public override long Work(Node y) => 10 * y.Shape.Count;
}
