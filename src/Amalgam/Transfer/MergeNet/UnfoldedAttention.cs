using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>
/// Multi-head attention of the tokens of one matrix over those of one or more others, their rows, with projections that bring all to one width. The tokens of several share one softmax, so that a token of the target
/// divides its attention among all of them.
/// </summary>
/// <param name="Site">Where the adapter is built.</param>
/// <param name="Name">Name of this attention.</param>
/// <param name="Form">Residual: both sides are normalised first and the result is what is to be added, zero at the start. Published: the normalised sum of the queries and the result.</param>
/// <param name="Heads">Number of heads.</param>
/// <param name="Width">Width of a head.</param>
/// <param name="Dropout">Share of the attention weights that is dropped in training.</param>
internal sealed record UnfoldedAttention(AdapterSite Site, string Name, AdapterForm Form, int Heads, int Width, double Dropout)
{
    /// <summary>The queries' rows, made anew.</summary>
    /// <param name="queries">The tokens that ask, [tokens, width].</param>
    /// <param name="keys">Those of each source, with a width of their own.</param>
    public Node Of(Node queries, Node[] keys)
    {
        bool isResidual = Form == AdapterForm.Residual;
        Node asked = isResidual ? Site.Norm(queries, $"{Name}.norm_query") : queries;
        Node[] given = isResidual ? [.. keys.Select((x, i) => Site.Norm(x, AdapterSite.NameOf($"{Name}.norm_source", i)))] : keys;
        Node q = Projected(asked, "query"), k = Projected(given, "key"), v = Projected(given, "value");
        Node joined = Attend(q, k, v, Dropout).Transpose(1, 0, 2).Reshape(queries.Shape[0], Heads * Width);
        int columns = queries.Shape.Size(1);
        return isResidual
            ? Site.Linear(joined, $"{Name}.output", columns, Initialisation.Zeros, Initialisation.Zeros)
            : Site.Norm(queries + Site.Linear(joined, $"{Name}.output", columns), $"{Name}.norm");
    }

    /// <summary>softmax(q k' / sqrt(d)) v of each head: [heads, tokens, d] each.</summary>
    internal static Node Attend(Node q, Node k, Node v, double dropout) =>
        (q.MatMul(k, transposeB: true) * (float)(1 / Math.Sqrt(q.Shape[^1]))).Softmax().Dropout((float)dropout).MatMul(v);

    /// <summary>What such an attention takes, of so many tokens of that width over those of each source.</summary>
    public static AdapterSize SizeOf(long queries, long width, (long Count, long Width)[] keys, AdapterForm form, int heads, int headWidth)
    {
        double inner = (double)heads * headWidth;
        AdapterSize size = AdapterSize.Linear(queries, width, inner) + AdapterSize.Linear(queries, inner, width) + AdapterSize.Norm(width);
        foreach (var (count, sourceWidth) in keys)
        {
            size += AdapterSize.Linear(count, sourceWidth, inner) * 2 + new AdapterSize(0, (double)heads * queries * count);
            if (form == AdapterForm.Residual) size += AdapterSize.Norm(sourceWidth);
        }

        return size;
    }

    /// <summary>The tokens of all sources one behind the other, each through a layer of its source's own.</summary>
    private Node Projected(Node[] given, string name)
    {
        Node[] tokens = [.. given.Select((x, i) => Projected(x, AdapterSite.NameOf(name, i)))];
        return tokens is [var only] ? only : Layout.Concat(1, tokens);
    }

    /// <summary>A linear layer of the tokens, by head: [heads, tokens, width].</summary>
    private Node Projected(Node x, string name) => Site.Linear(x, $"{Name}.{name}", Heads * Width).Reshape(x.Shape[0], Heads, Width).Transpose(1, 0, 2);
}
