using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>One operation of a fused chain.</summary>
/// <param name="Op">A <see cref="Unary"/> or <see cref="Binary"/> operation.</param>
/// <param name="Left">Register of its first input: the chain's inputs come first, then the results of its steps.</param>
/// <param name="Right">Register of its second input; -1 for a unary one.</param>
public sealed record FusedStep(Op Op, int Left, int Right);

/// <summary>A chain of element-wise operations over tensors of one size and single numbers, run block by block so that what is in between stays in the cache.</summary>
/// <param name="Steps">The operations in order; the last one's result is the result.</param>
/// <param name="Arguments">Number of inputs.</param>
public sealed record Fused(ImmutableArray<FusedStep> Steps, int Arguments) : Op
{
    private const int Block = 1024;

    [ThreadStatic]
    private static float[]? _registers;

    private Tensor[]? _inputs;

    public override Reuse Reuse => Reuse.InPlace;

    public bool Equals(Fused? other) => other is not null && Arguments == other.Arguments && Steps.SequenceEqual(other.Steps);

    public override int GetHashCode() => Steps.Aggregate(Arguments, HashCode.Combine);

    public override string ToString() => $"Fused({string.Join(", ", Steps.Select(s => s.Op.Name))})";

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, Arguments);
        Shape? shape = null;
        foreach (Node input in x)
        {
            if (input.Shape.Count == 1) continue;
            if (shape is { } other && other != input.Shape) throw new GraphException($"the shapes {other} and {input.Shape} differ");
            shape = input.Shape;
        }

        return shape ?? x[0].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Tensor[] inputs = Inputs(x);
        Cores.ForRange(y.Count, Unary.Block * 4, (Op: this, X: inputs, Y: y), static (s, from, to) =>
        {
            float[] registers = s.Op.Registers();
            for (int at = from; at < to; at += Block) s.Op.Run(s.X, s.Y.Span[at..Math.Min(at + Block, to)], at, registers);
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => throw new GraphException("a fused operation has no gradient: take gradients before a graph is rewritten for speed");

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override long Work(Node y) => y.Shape.Count * Steps.Length;

    /// <summary>The inputs in an array that is kept: a span does not travel to another thread.</summary>
    private Tensor[] Inputs(ReadOnlySpan<Tensor> x)
    {
        if (_inputs is null || !x.SequenceEqual(_inputs)) _inputs = x.ToArray();
        return _inputs;
    }

    private void Run(Tensor[] x, Span<float> y, int at, float[] registers)
    {
        for (int i = 0; i < Steps.Length; i++)
        {
            FusedStep step = Steps[i];
            Span<float> to = i == Steps.Length - 1 ? y : registers.AsSpan(i * Block, y.Length);
            ReadOnlySpan<float> left = Operand(x, step.Left, at, y.Length, registers);
            if (step.Op is Unary unary)
            {
                if (left.Length == y.Length) unary.Map(left, to);
                else
                {
                    unary.Map(left, to[..1]);
                    to[1..].Fill(to[0]);
                }

                continue;
            }

            Binary binary = (Binary)step.Op;
            ReadOnlySpan<float> right = Operand(x, step.Right, at, y.Length, registers);
            if (left.Length == right.Length) binary.Map(left, right, to[..left.Length]);
            else if (left.Length == 1) binary.Map(left[0], right, to);
            else binary.Map(left, right[0], to);
            if (left.Length == 1 && right.Length == 1) to[1..].Fill(to[0]);
        }
    }

    private static ReadOnlySpan<float> Operand(Tensor[] x, int register, int at, int count, float[] registers)
    {
        if (register >= x.Length) return registers.AsSpan((register - x.Length) * Block, count);
        return x[register].Count == 1 ? x[register].Span : x[register].Span.Slice(at, count);
    }

    private float[] Registers()
    {
        int needed = Steps.Length * Block;
        if (_registers is null || _registers.Length < needed) _registers = new float[needed];
        return _registers;
    }
}
