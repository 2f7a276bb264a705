using System.Collections.Immutable;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>What share of a matrix's values a learned splice takes from model A.</summary>
/// <param name="Splice">Which splice.</param>
/// <param name="Matrix">Name of the matrix.</param>
/// <param name="Global">Model A's global term g.</param>
/// <param name="Least">The least share V of model A.</param>
/// <param name="Mean">The mean of its shares.</param>
/// <param name="Most">The largest.</param>
/// <param name="Larger">At how many of the positions, as a share, A's is the larger one: what a hard splice takes from A.</param>
public sealed record ShareRange(string Splice, string Matrix, double Global, double Least, double Mean, double Most, double Larger)
{
    /// <summary>The shares of a splice as it is now.</summary>
    public static ImmutableArray<ShareRange> Of(string splice, Integration integration) => [.. integration.Inspect().Select(weight =>
    {
        float[] shares = weight.Shares[0].Span.ToArray();
        return new ShareRange(splice, weight.Name, weight.Global.IsEmpty ? double.NaN : weight.Global[0].Span[0], shares.Min(), shares.Average(), shares.Max(), shares.Count(v => v >= 0.5f) / (double)shares.Length);
    })];
}
