using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Transpose: axis i of the result is the input's axis <c>Permutation[i]</c>.</summary>
/// <param name="Permutation">Every axis once; none given means in reversed order.</param>
public sealed record Transpose(ImmutableArray<int> Permutation) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        Shape of = x[0].Shape;
        if (!Permutation.IsDefaultOrEmpty && !Permutation.Order().SequenceEqual(Enumerable.Range(0, of.Rank)))
        {
            throw new GraphException($"[{string.Join(',', Permutation)}] is not an order of the {of.Rank} axes of {of}");
        }

        long[] sizes = new long[of.Rank];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = of[From(i, of.Rank)];
        return new(sizes);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        StridedCopy copy = default;
        int rank = y.Shape.Rank;
        for (int i = 0; i < rank; i++) copy.Add((int)y.Shape[i], Arguments.Step(x[0].Shape, From(i, rank)), Arguments.Step(y.Shape, i));
        copy.Run(x[0].Memory, 0, y.Memory, 0);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        int[] inverse = new int[y.Shape.Rank];
        for (int i = 0; i < inverse.Length; i++) inverse[From(i, inverse.Length)] = i;
        return [dy.Transpose(inverse)];
    }

    public override void Link(Node y, AxisLinks links)
    {
        for (int i = 0; i < y.Shape.Rank; i++) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(y.Inputs[0], From(i, y.Shape.Rank)));
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, y, ("perm", Enumerable.Range(0, y.Shape.Rank).Select(i => (long)From(i, y.Shape.Rank)).ToArray()));

    public bool Equals(Transpose? other) => other is not null && Sequences.Same(Permutation, other.Permutation);

    public override int GetHashCode() => Sequences.Hash(Permutation);

    /// <summary>Which axis of the input axis <paramref name="i"/> of the result is.</summary>
    internal int From(int i, int rank) => Permutation.IsDefaultOrEmpty ? rank - 1 - i : Permutation[i];
}
