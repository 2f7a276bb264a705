using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>Multi-head attention of the tokens of one matrix over those of another, its rows, with projections that bring both to one width.</summary>
/// <param name="Site">Where the adapter is built.</param>
/// <param name="Name">Name of this attention.</param>
/// <param name="Form">Residual: both sides are normalised first and the result is what is to be added, zero at the start. Published: the normalised sum of the queries and the result.</param>
/// <param name="Heads">Number of heads.</param>
/// <param name="Width">Width of a head.</param>
/// <param name="Dropout">Share of the attention weights that is dropped in training.</param>
internal sealed record UnfoldedAttention(AdapterSite Site, string Name, AdapterForm Form, int Heads, int Width, double Dropout)
{
    /// <summary>The queries' rows, made anew.</summary>
    public Node Of(Node queries, Node keys)
    {
        bool isResidual = Form == AdapterForm.Residual;
        Node asked = isResidual ? Site.Norm(queries, $"{Name}.norm_query") : queries, given = isResidual ? Site.Norm(keys, $"{Name}.norm_source") : keys;
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

    /// <summary>What such an attention takes, of so many tokens of that width over others.</summary>
    public static AdapterSize SizeOf(long queries, long width, long keys, long sourceWidth, AdapterForm form, int heads, int headWidth)
    {
        double inner = (double)heads * headWidth;
        AdapterSize size = AdapterSize.Linear(queries, width, inner) + AdapterSize.Linear(keys, sourceWidth, inner) * 2 + AdapterSize.Linear(queries, inner, width) + AdapterSize.Norm(width);
        if (form == AdapterForm.Residual) size += AdapterSize.Norm(sourceWidth);
        return size + new AdapterSize(0, (double)heads * queries * keys);
    }

    /// <summary>A linear layer of the tokens, by head: [heads, tokens, width].</summary>
    private Node Projected(Node x, string name) => Site.Linear(x, $"{Name}.{name}", Heads * Width).Reshape(x.Shape[0], Heads, Width).Transpose(1, 0, 2);
}
