using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>How CKI puts the models together.</summary>
public enum CkiSplice
{
    /// <summary>Each value is the sum of the models' values times their compatibility, eqs. 12 and 18.</summary>
    Soft,

    /// <summary>Each value is that of the most compatible model, the first of equals, eq. 11.</summary>
    Hard,
}

/// <summary>What CKI takes the entropy of.</summary>
public enum CkiEntropy
{
    /// <summary>Each parameter matrix.</summary>
    Tensor,

    /// <summary>Each row: what belongs to one index of the first axis.</summary>
    Row,

    /// <summary>All spliced tensors of a model together.</summary>
    Model,
}

/// <summary>
/// Compatibility-aware knowledge integration in closed form (CKI, AAAI 2025). A global term g from the models' entropies (eqs. 5-8, 15) and a local term l
/// from the differences of the single values (eqs. 4, 14) give V = g (1 - exp(-g l)) (eqs. 9, 16); a softmax over the models (eqs. 10, 17) says what share
/// of each value comes from which model. The global term is the signed one of the authors' code, g = mean over the others of (a/pi) atan(c (E - E')) + 1/2.
/// </summary>
/// <param name="Splice">Soft or hard.</param>
/// <param name="Local">Use the local term sigmoid(s |W - W'| / rms(W - W')), mean over the other models; otherwise l = 1.</param>
/// <param name="Scale">s, steepness of the local term.</param>
/// <param name="A">a, range of the global term: g lies in ((1-a)/2, (1+a)/2).</param>
/// <param name="C">c, steepness of the global term.</param>
/// <param name="Bins">Bins of the histogram of which the entropy is taken.</param>
/// <param name="Entropy">What the entropy is taken of.</param>
public sealed record Cki(
    CkiSplice Splice = CkiSplice.Soft,
    bool Local = true,
    double Scale = 1,
    double A = 0.4,
    double C = 500,
    int Bins = 10,
    CkiEntropy Entropy = CkiEntropy.Tensor) : MergeMethod
{
    private const string MethodName = "cki";

    private static readonly MethodParameter SpliceParameter = new("splice", ParameterKind.Word, "Blend the models' values, or take each value from one model") { Words = ["soft", "hard"] };

    private static readonly MethodParameter LocalParameter =
        new("local", ParameterKind.Word, "Term that looks at the single values' differences, or none, which leaves the decision to the entropies, or learned on data") { Words = ["fixed", "none", "learned"], LearnedWord = "learned" };

    private static readonly MethodParameter ScaleParameter = new("scale", ParameterKind.Number, "Steepness of the local term") { Default = 1, Low = (0, true) };

    private static readonly MethodParameter AParameter =
        new("a", ParameterKind.Number, "Range of the global term: it lies within a/2 of 1/2") { Default = 0.4, Low = (0, true), High = (1, true) };

    private static readonly MethodParameter CParameter = new("c", ParameterKind.Number, "Steepness of the global term in the difference of entropies") { Default = 500, Low = (0, true) };

    private static readonly MethodParameter BinsParameter =
        new("bins", ParameterKind.Number, "Bins of the histograms") { Default = 10, Low = (1, true), High = (4096, true), Whole = true };

    private static readonly MethodParameter EntropyParameter =
        new("entropy", ParameterKind.Word, "What the entropy is taken of: each tensor, each row of it, or all spliced tensors of a model together") { Words = ["tensor", "row", "model"] };

    private static readonly MethodParameter BiasesParameter =
        new("biases", ParameterKind.Word, "What happens to vectors: from the base, spliced like matrices, or averaged") { Words = ["base", "splice", "average"] };

    internal static readonly MethodEntry Entry = new(
        MethodName, "Splices the models by how compatible each value is, from entropies and differences",
        "Models of one architecture that learnt different things; by default matrices are spliced and the rest is the base's",
        "CKI, AAAI 2025, eqs. 4-18 in closed form", BaseRole.Donor, 1, int.MaxValue,
        [SpliceParameter, LocalParameter, ScaleParameter, AParameter, CParameter, BinsParameter, EntropyParameter, BiasesParameter, Learned.StartParameter], Create)
    { VectorRule = BiasesParameter, Learns = true };

    public double Scale { get; } = ScaleParameter.Check(Scale, MethodName);

    public double A { get; } = AParameter.Check(A, MethodName);

    public double C { get; } = CParameter.Check(C, MethodName);

    public int Bins { get; } = (int)BinsParameter.Check(Bins, MethodName);

    public override long Grain(Shape shape) => Entropy == CkiEntropy.Row ? RowLength(shape) : 1;

    public override object? SurveyKey => Entropy == CkiEntropy.Model ? (MethodName, Bins) : null;

    /// <summary>The entropy of each model over all spliced tensors, with one range and one histogram.</summary>
    public override object Survey(IReadOnlyList<TensorMerge> tensors)
    {
        int models = tensors.Max(t => Enumerable.Range(0, t.Models).Max(t.NumberOf)) + 1;
        var ranges = new (float Min, float Max)[models];
        Array.Fill(ranges, (float.PositiveInfinity, float.NegativeInfinity));
        foreach (TensorMerge t in tensors.Where(t => t.Shape.Count > 0))
        {
            var own = t.Ranges();
            for (int i = 0; i < own.Length; i++)
            {
                ref var range = ref ranges[t.NumberOf(i)];
                range = (Math.Min(range.Min, own[i].Min), Math.Max(range.Max, own[i].Max));
            }
        }

        float[][] edges = EdgesOf(ranges);
        long[] counts = new long[models * Bins];
        foreach (TensorMerge t in tensors)
        {
            long[] own = CountBins(t, [.. Enumerable.Range(0, t.Models).Select(i => edges[t.NumberOf(i)])]);
            for (int i = 0; i < t.Models; i++)
            {
                Span<long> sum = counts.AsSpan(t.NumberOf(i) * Bins, Bins);
                TensorPrimitives.Add(sum, own.AsSpan(i * Bins, Bins), sum);
            }
        }

        return EntropiesOf(counts);
    }

    public override void Merge(TensorMerge t)
    {
        if (t.Models == 1)
        {
            t.Write((x, y) => x[0].CopyTo(y));
            return;
        }

        double[]? entropies = Entropy switch
        {
            CkiEntropy.Row => null,
            CkiEntropy.Model => [.. Enumerable.Range(0, t.Models).Select(i => ((double[])t.Survey!)[t.NumberOf(i)])],
            _ => EntropiesOf(CountBins(t, EdgesOf(t.Ranges()))),
        };
        double[]? global = entropies is null ? null : Global(entropies);
        float[] slopes = Local ? Slopes(t) : [];
        int row = global is null ? checked((int)RowLength(t.Shape)) : 0;
        t.Write((x, y) =>
        {
            CkiKernel kernel = new(t.Models, Splice, slopes);
            if (global is not null)
            {
                kernel.Run(x, 0, x.Count, global, y);
                return;
            }

            for (int start = 0; start < x.Count; start += row) kernel.Run(x, start, row, Global(EntropiesOf(x, start, row, t.Models)), y);
        });
    }

    /// <summary>The global terms of all models, eqs. 8 and 15.</summary>
    internal double[] Global(ReadOnlySpan<double> entropies)
    {
        double[] g = new double[entropies.Length];
        for (int k = 0; k < g.Length; k++)
        {
            for (int l = 0; l < g.Length; l++)
                if (l != k) g[k] += A / Math.PI * Math.Atan(C * (entropies[k] - entropies[l])) + 0.5;
            g[k] /= g.Length - 1;
        }

        return g;
    }

    private static MergeMethod? Create(MethodArguments a)
    {
        if (a.Tensor.Shape.Rank < 2)
        {
            string rule = (a.Tensor.Shape.Rank == 1 ? a.WordGiven(BiasesParameter) : null) ?? (a.Included ? "splice" : "base");
            if (rule == "base") return null;
            if (rule == "average") return new Linear([.. Enumerable.Repeat(1.0, a.Models)]);
        }

        return new Cki(
            a.Word(SpliceParameter) == "soft" ? CkiSplice.Soft : CkiSplice.Hard,
            a.Word(LocalParameter) != "none",
            a.Number(ScaleParameter),
            a.Number(AParameter),
            a.Number(CParameter),
            (int)a.Number(BinsParameter),
            a.Word(EntropyParameter) switch { "row" => CkiEntropy.Row, "model" => CkiEntropy.Model, _ => CkiEntropy.Tensor });
    }

    /// <summary>Elements that belong to one index of the first axis; a vector is one row.</summary>
    private static long RowLength(Shape shape) => shape.Rank < 2 ? Math.Max(1, shape.Count) : Math.Max(1, shape.Count / Math.Max(1, shape[0]));

    private float[][] EdgesOf((float Min, float Max)[] ranges) => [.. ranges.Select(r => r.Min < r.Max ? Histogram.Edges(r.Min, r.Max, Bins) : [])];

    private long[] CountBins(TensorMerge t, float[][] edges) => t.Count(t.Models * Bins, (x, counts) =>
    {
        for (int i = 0; i < t.Models; i++) Histogram.Count(x[i], edges[i], counts.AsSpan(i * Bins, edges[i].Length + 1));
    });

    private double[] EntropiesOf(long[] counts) => [.. counts.Chunk(Bins).Select(c => Histogram.Entropy(c))];

    private double[] EntropiesOf(Block x, int start, int count, int models)
    {
        double[] entropies = new double[models];
        long[] counts = new long[Bins];
        for (int i = 0; i < models; i++)
        {
            ReadOnlySpan<float> values = x[i].Slice(start, count);
            var (min, max) = Histogram.Range(values);
            if (!(min < max)) continue;
            Array.Clear(counts);
            Histogram.Count(values, Histogram.Edges(min, max, Bins), counts);
            entropies[i] = Histogram.Entropy(counts);
        }

        return entropies;
    }

    /// <summary>s / rms(W_k - W_l) for each pair k &lt; l in order; 0 for equal tensors, which makes the local term 1/2.</summary>
    private float[] Slopes(TensorMerge t)
    {
        int pairs = t.Models * (t.Models - 1) / 2;
        double[] squares = t.Sum(pairs, (x, sum) =>
        {
            int pair = 0;
            for (int k = 0; k < t.Models; k++)
                for (int l = k + 1; l < t.Models; l++)
                    sum[pair++] += Sums.SumOfSquaredDifferences(x[k], x[l]);
        });
        return [.. squares.Select(s => s == 0 ? 0 : (float)Math.Min(float.MaxValue, Scale / Math.Sqrt(s / t.Shape.Count)))];
    }
}
