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
        long scores = Heads * queries.Shape[0] * keys.Shape[0];
        if (scores > AdapterSite.MostElements)
        {
            throw new GraphException(
                $"lpka: {queries.Shape[0]} tokens that ask {keys.Shape[0]} with {Heads} heads take {4e-9 * scores:0.0} GB, and several times that to learn: transfer a part of the rows, encode the matrices at a rank, or take rows alone");
        }

        bool isResidual = Form == AdapterForm.Residual;
        Node asked = isResidual ? Site.Norm(queries, $"{Name}.norm_query") : queries, given = isResidual ? Site.Norm(keys, $"{Name}.norm_source") : keys;
        Node q = ByHead(Site.Linear(asked, $"{Name}.query", Heads * Width)), k = ByHead(Site.Linear(given, $"{Name}.key", Heads * Width)), v = ByHead(Site.Linear(given, $"{Name}.value", Heads * Width));
        Node joined = Attend(q, k, v, Dropout).Transpose(1, 0, 2).Reshape(queries.Shape[0], Heads * Width);
        int columns = queries.Shape.Size(1);
        return isResidual
            ? Site.Linear(joined, $"{Name}.output", columns, Initialisation.Zeros, Initialisation.Zeros)
            : Site.Norm(queries + Site.Linear(joined, $"{Name}.output", columns), $"{Name}.norm");
    }

    /// <summary>softmax(q k' / sqrt(d)) v of each head: [heads, tokens, d] each.</summary>
    internal static Node Attend(Node q, Node k, Node v, double dropout) =>
        (q.MatMul(k, transposeB: true) * (float)(1 / Math.Sqrt(q.Shape[^1]))).Softmax().Dropout((float)dropout).MatMul(v);

    private Node ByHead(Node x) => x.Reshape(x.Shape[0], Heads, Width).Transpose(1, 0, 2);
}
