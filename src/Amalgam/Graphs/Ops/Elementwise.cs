using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>y[i] = f(x[i]). A subclass gives f on a block; blocks are computed apart, and a chain of such operations can be fused.</summary>
public abstract record Unary : Op
{
    /// <summary>Elements of a block: a few of them stay in the first-level cache.</summary>
    internal const int Block = 4096;

    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return x[0].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Cores.ForRange(y.Count, Block * 4, (Op: this, X: x[0], Y: y), static (s, from, to) =>
        {
            for (int at = from; at < to; at += Block)
            {
                int end = Math.Min(at + Block, to);
                s.Op.Map(s.X.Span[at..end], s.Y.Span[at..end]);
            }
        });

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);

    public override long Work(Node y) => y.Shape.Count;

    /// <summary>f on a block; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public abstract void Map(ReadOnlySpan<float> x, Span<float> y);
}

/// <summary>Checks the number of inputs.</summary>
internal static class Arity
{
    public static void Check(ReadOnlySpan<Node> x, int count)
    {
        if (x.Length != count) throw new GraphException($"takes {count} {(count == 1 ? "input" : "inputs")}, found {x.Length}");
    }

    public static void Check(ReadOnlySpan<Node> x, int least, int most)
    {
        if (x.Length < least || x.Length > most) throw new GraphException($"takes {least} to {most} inputs, found {x.Length}");
    }
}
