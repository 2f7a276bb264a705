using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>What an adapter takes, known from shapes alone, so that one that is too large is refused before anything is drawn.</summary>
/// <param name="Weights">Numbers in all its parameters.</param>
/// <param name="Values">Numbers that a pass keeps: scores of attentions, what linear layers give.</param>
internal readonly record struct AdapterSize(double Weights, double Values)
{
    /// <summary>Numbers that are not refused: 2.7 GB, about four times as much with gradients, moments and dropout's masks. Three of each still fit into the memory of one graph.</summary>
    public const long Most = 5L << 27;

    public static AdapterSize operator +(AdapterSize a, AdapterSize b) => new(a.Weights + b.Weights, a.Values + b.Values);

    public static AdapterSize operator *(AdapterSize a, int times) => new(a.Weights * times, a.Values * times);

    /// <summary>A linear layer.</summary>
    public static AdapterSize Linear(double rows, double inputs, double outputs) => new(outputs * (inputs + 1), rows * outputs);

    /// <summary>A normalisation of rows.</summary>
    public static AdapterSize Norm(double columns) => new(2 * columns, 0);

    /// <summary>Refuses an adapter that is too large.</summary>
    /// <param name="site">Where it is built.</param>
    /// <param name="advice">What else can be done than to transfer less.</param>
    /// <exception cref="GraphException">It is.</exception>
    public void Check(AdapterSite site, string advice)
    {
        if (Weights + Values <= Most) return;
        throw new GraphException(
            $"an adapter from {string.Join(" + ", site.SourceShapes)} to {site.Target.Shape} has {Weights / 1e6:#,0.0} million weights and {Values / 1e6:#,0.0} million values of a pass, "
            + $"{4e-9 * (Weights + Values):#,0.0} GB in all and about four times as much to learn; up to {4e-9 * Most:0.0} GB is taken: transfer a part of the rows, encode the matrices at a rank, or {advice}");
    }
}
