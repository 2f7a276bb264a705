using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>Which ways of taking two matrices apart into tokens an adapter attends over.</summary>
public enum Unfoldings
{
    /// <summary>Rows and columns of the target as queries, rows and columns of the source as keys and values: four attentions.</summary>
    All,

    /// <summary>Rows of both alone; the paper's ablation "individual attention".</summary>
    Rows,
}

/// <summary>How the four attentions are put together.</summary>
public enum Mixing
{
    /// <summary>By learned weights, the softmax of four logits of each layer that begin at zero.</summary>
    Learned,

    /// <summary>By their mean; the paper's ablation "average attention", and what its code does.</summary>
    Average,
}

/// <summary>Where normalisations stand, and how the adapter begins.</summary>
public enum AdapterForm
{
    /// <summary>Normalises what it reads, adds to the target in the target's own scale, and is the identity at the start.</summary>
    Residual,

    /// <summary>
    /// The paper's code: normalises after each sum, so that rows have unit variance times a learned scale, with spectral norms in the feed-forward part; it begins at random. Two things are not the code's: a row of one number
    /// is not normalised, which would leave nothing of it, and the mixing is learned unless <see cref="Mixing.Average"/> is chosen.
    /// </summary>
    Published,
}

/// <summary>
/// The low-rank parametric knowledge adapter (MergeNet, section 3.2): layers of multi-head attention in which the rows or columns of the target ask those of the source, and a feed-forward part on the target's rows
/// (equations 3 and 6). The source may have any shape. Several sources are asked together: each has projections of its own, and their tokens stand one behind the other.
/// </summary>
public sealed record LowRankAdapter : ParameterAdapter
{
    private const int LeastWidth = 128;
    private const string MixingName = "mixing";
    private static readonly string[] Attentions = ["rr", "rc", "cr", "cc"];

    /// <summary>Number of knowledge transfer layers.</summary>
    public int Layers { get; init => field = value >= 1 ? value : throw new GraphException($"lpka: layers must be 1 or more, got {value}"); } = 2;

    /// <summary>Number of heads of each attention.</summary>
    public int Heads { get; init => field = value >= 1 ? value : throw new GraphException($"lpka: heads must be 1 or more, got {value}"); } = 8;

    /// <summary>Which attentions there are.</summary>
    public Unfoldings Unfoldings { get; init; }

    /// <summary>How they are put together.</summary>
    public Mixing Mixing { get; init; }

    /// <summary>The layers' form.</summary>
    public AdapterForm Form { get; init; }

    /// <summary>Share of the attention weights that is dropped in training.</summary>
    public double AttentionDropout { get; init => field = Ratio("attention dropout", value); } = 0.1;

    /// <summary>Share of what the feed-forward part gives that is dropped in training.</summary>
    public double Dropout { get; init => field = Ratio("dropout", value); } = 0.2;

    /// <summary>
    /// Whether each layer also makes the source anew, for the next layer, from what the layer was given (equation 3), each of several by itself; else all layers see the source as it is, as in the paper's code.
    /// </summary>
    public bool SourceEvolves { get; init; }

    public override string Name => "lpka";

    public override string Description
    {
        get
        {
            string kind = $"unfoldings {(Unfoldings == Unfoldings.Rows ? "rows" : "all")}, mixing {(Mixing == Mixing.Average ? "average" : "learned")}, form {(Form == AdapterForm.Published ? "published" : "residual")}";
            return FormattableString.Invariant($"{Name}, layers {Layers}, heads {Heads}, {kind}, attention dropout {AttentionDropout}, dropout {Dropout}, source {(SourceEvolves ? "evolves" : "stays")}");
        }
    }

    /// <summary>1/4 in the residual form, which adds to its target; 0 in the published one, which writes it anew.</summary>
    public override double UsualDamping => Form == AdapterForm.Residual ? 0.25 : 0;

    /// <summary>4 of the target's own steps in the residual form, as far as its damping has it go; none in the published one.</summary>
    public override double UsualTrustRegion => Form == AdapterForm.Residual ? 4 : 0;

    public override ImmutableArray<double[]> SharesOf(Graph adapter) => MixingOf(adapter);

    public override Node Add(AdapterSite site)
    {
        site.Check();
        SizeOf(site.Target.Shape, site.SourceShapes).Check(site, Unfoldings == Unfoldings.Rows ? "take another adapter" : "take rows alone");
        Node target = site.Target;
        Node[] sources = [.. site.Sources];
        for (int i = 0; i < Layers; i++)
        {
            string name = $"layers.{i}";
            Node next = Layer(site, name, target, sources, () => Scale(site, name));
            if (SourceEvolves && i + 1 < Layers) sources = [.. sources.Select((source, number) => Evolved(site, name, source, number, target))];
            target = next;
        }

        return target;
    }

    /// <summary>The weights of the attentions in each layer's mixture as they are now: rows by rows, rows by columns, columns by rows, columns by columns (target by source).</summary>
    /// <param name="adapter">A graph with a low-rank adapter.</param>
    /// <param name="prefix">What its parameters' names begin with.</param>
    /// <returns>Four numbers for each layer; empty where there is no such adapter.</returns>
    public static ImmutableArray<double[]> MixingOf(Graph adapter, string prefix = "")
    {
        var layers = ImmutableArray.CreateBuilder<double[]>();
        while (adapter.Find($"{prefix}layers.{layers.Count}.{Attentions[0]}.query.weight") is not null)
        {
            string name = $"{prefix}layers.{layers.Count}";
            layers.Add(adapter.Parameters.TryGetValue($"{name}.{MixingName}", out Node? logits) ? Softmax(logits.Value!.Span)
                : adapter.Find($"{name}.{Attentions[^1]}.query.weight") is not null ? [0.25, 0.25, 0.25, 0.25] : [1, 0, 0, 0]);
        }

        return layers.ToImmutable();
    }

    /// <summary>What the adapter takes for such matrices.</summary>
    internal AdapterSize SizeOf(Shape target, params Shape[] sources)
    {
        AdapterSize size = SizeOfLayer(target, sources) * Layers;
        return SourceEvolves ? sources.Aggregate(size, (sum, source) => sum + SizeOfLayer(source, [target]) * (Layers - 1)) : size;
    }

    private AdapterSize SizeOfLayer(Shape target, Shape[] sources)
    {
        AdapterSize Attend(long queries, long width, (long Count, long Width)[] keys) => UnfoldedAttention.SizeOf(queries, width, keys, Form, Heads, Width(width, keys.Max(key => key.Width)));
        var (rows, columns) = (target[0], target[1]);
        (long, long)[] sourceRows = [.. sources.Select(source => (source[0], source[1]))], sourceColumns = [.. sources.Select(source => (source[1], source[0]))];
        AdapterSize size = Attend(rows, columns, sourceRows) + FeedForward.SizeOf(rows, columns, Form);
        if (Form == AdapterForm.Residual) size += new AdapterSize(rows, 0);
        if (Unfoldings == Unfoldings.Rows) return size;
        size += Attend(rows, columns, sourceColumns) + Attend(columns, rows, sourceRows) + Attend(columns, rows, sourceColumns);
        return Mixing == Mixing.Learned ? size + new AdapterSize(Attentions.Length, 0) : size;
    }

    /// <summary>A source, made anew from the target as the layer was given it.</summary>
    private Node Evolved(AdapterSite site, string layer, Node source, int number, Node target)
    {
        string name = AdapterSite.NameOf($"{layer}.source", number);
        return Layer(site, name, source, [target], () => ScaleOfSource(site, name, site.Sources[number]));
    }

    /// <summary>One knowledge transfer layer.</summary>
    private Node Layer(AdapterSite site, string name, Node target, Node[] sources, Func<Node> makeScale)
    {
        FeedForward feedForward = new(site, $"{name}.feed_forward", Form, Dropout);
        Node mixed = Mixed(site, name, target, sources);
        if (Form == AdapterForm.Published) return feedForward.Of(mixed);
        Node scale = makeScale();
        target += scale * mixed;
        return target + scale * feedForward.Of(target);
    }

    private Node Mixed(AdapterSite site, string name, Node target, Node[] sources)
    {
        Node targetColumns = target.Transpose();
        Node[] sourceColumns = [.. sources.Select(source => source.Transpose())];
        Node Attend(int i, Node queries, Node[] keys) =>
            new UnfoldedAttention(site, $"{name}.{Attentions[i]}", Form, Heads, Width(queries.Shape[1], keys.Max(key => key.Shape[1])), AttentionDropout).Of(queries, keys);
        Node byRows = Attend(0, target, sources);
        if (Unfoldings == Unfoldings.Rows) return byRows;
        Node[] parts = [byRows, Attend(1, target, sourceColumns), Attend(2, targetColumns, sources).Transpose(), Attend(3, targetColumns, sourceColumns).Transpose()];
        if (Mixing == Mixing.Average) return (parts[0] + parts[1] + parts[2] + parts[3]) * 0.25f;
        Node weights = site.Weight($"{name}.{MixingName}", new(4), Initialisation.Zeros).Softmax();
        return parts.Select((part, i) => part * weights.Slice(0, i, i + 1)).Aggregate((a, b) => a + b);
    }

    /// <summary>Width of a head: half the sum of the widths of the target's tokens and of the widest source's, at least 128, over the heads, rounded down.</summary>
    private int Width(long queries, long keys)
    {
        long width = Math.Max((queries + keys) / 2, LeastWidth);
        if (width < Heads) throw new GraphException($"lpka: {Heads} heads do not fit tokens of {queries} and {keys} numbers, which have an attention of width {width}; take {width} heads or fewer");
        return (int)(width / Heads);
    }

    /// <summary>A learned scale for each row of the target, first the row's standard deviation. A row that has none gets the matrix's, so that it can move.</summary>
    private static Node Scale(AdapterSite site, string name)
    {
        int rows = site.First.Shape.Size(0), columns = site.First.Shape.Size(1);
        Tensor first = new(new(rows));
        double whole = Deviation(site.First.Span);
        if (!(whole > 0)) whole = 1 / Math.Sqrt(columns);
        for (int row = 0; row < rows; row++)
        {
            double own = Deviation(site.First.Span.Slice(row * columns, columns));
            first.Span[row] = (float)(own > 0 ? own : whole);
        }

        return site.Graph.Parameter($"{site.Prefix}{name}.scale", first).Unsqueeze(1);
    }

    /// <summary>A learned factor for each row of a source, first 1, times that row's standard deviation.</summary>
    private static Node ScaleOfSource(AdapterSite site, string name, Node source)
    {
        Node centred = source - source.Mean(true, 1);
        return site.Weight($"{name}.scale", new(source.Shape[0]), Initialisation.Ones).Unsqueeze(1) * (centred * centred).Mean(true, 1).Sqrt();
    }

    private static double Deviation(ReadOnlySpan<float> values)
    {
        double sum = 0, squares = 0;
        foreach (float value in values) sum += value;
        double mean = sum / values.Length;
        foreach (float value in values) squares += (value - mean) * (value - mean);
        return Math.Sqrt(squares / values.Length);
    }

    private static double[] Softmax(ReadOnlySpan<float> logits)
    {
        double most = float.NegativeInfinity, sum = 0;
        foreach (float logit in logits) most = Math.Max(most, logit);
        double[] weights = new double[logits.Length];
        for (int i = 0; i < weights.Length; i++) sum += weights[i] = Math.Exp(logits[i] - most);
        for (int i = 0; i < weights.Length; i++) weights[i] /= sum;
        return weights;
    }

    private static double Ratio(string what, double value) => value is >= 0 and < 1 ? value : throw new GraphException($"lpka: {what} must be in [0, 1), got {value}");
}
