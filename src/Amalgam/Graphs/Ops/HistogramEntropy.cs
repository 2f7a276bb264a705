using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// The entropy, in nats, of the histogram of the elements that belong to each position of the leading axes: equal bins between their smallest and largest value
/// (CKI, eqs. 5-7). It stays the same while no element changes its bin, so no gradient flows through it.
/// </summary>
/// <param name="Leading">How many axes the result keeps: 0 for one entropy of all elements.</param>
/// <param name="Bins">Number of bins.</param>
public sealed record HistogramEntropy(int Leading = 0, int Bins = 10) : Op
{
    private const float Least = 1e-38f;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        if (Bins is < 1 or > Histogram.MostBins) throw new GraphException($"a histogram has 1 to {Histogram.MostBins} bins, not {Bins}");
        return Leading >= 0 && Leading <= x[0].Shape.Rank ? new(x[0].Shape.Sizes[..Leading]) : throw new GraphException($"{Leading} leading axes of {x[0].Shape}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        int size = x[0].Count / y.Count;
        Cores.ForRange(y.Count, Math.Max(1, Cores.WorthSharing / Math.Max(1, size)), (x: x[0], y, size, Bins), static (s, from, to) =>
        {
            for (int i = from; i < to; i++) s.y.Span[i] = (float)Histogram.EntropyOf(s.x.Span.Slice(i * s.size, s.size), s.Bins);
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [null];

    public override void Link(Node y, AxisLinks links)
    {
        for (int axis = 0; axis < y.Shape.Rank; axis++) links.Same(AxisLinks.Of(y, axis), AxisLinks.Of(y.Inputs[0], axis));
    }

    /// <summary>Bin numbers as the formula has them, in double precision; then each bin's count.</summary>
    public override string Export(Node y, OnnxExport to)
    {
        long[] sizes = [.. Enumerable.Repeat(0L, Leading), -1];
        string x = to.Emit("Reshape", [to[y.Inputs[0]], to.Integers(sizes)]);
        string min = AsDouble(to.Emit("ReduceMin", [x], ("axes", (long[])[-1]))), max = AsDouble(to.Emit("ReduceMax", [x], ("axes", (long[])[-1])));
        string width = to.Emit("Max", [to.Emit("Div", [to.Emit("Sub", [max, min]), Number(Bins)]), Number(Least)]);
        string bin = to.Emit("Min", [to.Emit("Floor", [to.Emit("Div", [to.Emit("Sub", [AsDouble(x), min]), width])]), Number(Bins - 1)]);
        string Share(int t) => to.Emit("ReduceMean", [AsDouble(to.Emit("Equal", [bin, Number(t)]))], ("axes", (long[])[-1]), ("keepdims", 0L));
        string Term(string p) => to.Emit("Mul", [p, to.Emit("Log", [to.Emit("Max", [p, Number(Least)])])]);
        string sum = Term(Share(0));
        for (int t = 1; t < Bins; t++) sum = to.Emit("Add", [sum, Term(Share(t))]);
        return to.Emit("Cast", [to.Emit("Neg", [sum])], ("to", Cast.OnnxType(DType.F32)));

        string AsDouble(string value) => to.Emit("Cast", [value], ("to", Cast.OnnxType(DType.F64)));
        string Number(float value) => to.Constant(Tensor.Scalar(value), DType.F64);
    }

    public override long Work(Node y) => y.Inputs[0].Shape.Count * (Bins + 1);
}
