using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>How good the network is that a share of the weights in the similarity leads to.</summary>
/// <param name="Alpha">The share.</param>
/// <param name="Merit">What the caller's function says, larger being better.</param>
public readonly record struct AlphaMerit(double Alpha, double Merit);

/// <summary>What was found.</summary>
/// <param name="Best">The best share and its merit.</param>
/// <param name="Alignment">The matching by it.</param>
/// <param name="Tried">All shares, the best first; of equal merit, the one nearer to a half first.</param>
public sealed record AlphaChoice(AlphaMerit Best, AlignmentResult Alignment, ImmutableArray<AlphaMerit> Tried);

/// <summary>
/// Tries several shares of the weights in MuDSC's similarity (Xu et al., CVPR 2024, equation 8 and section 4.1): networks are matched and merged by each, and the caller says how good the result is,
/// on training or calibration data. Activations are looked at once.
/// </summary>
public static class AlphaSearch
{
    /// <summary>The paper's shares: 0.1, 0.2, ... 0.9.</summary>
    public static readonly ImmutableArray<double> Grid = [.. Enumerable.Range(1, 9).Select(tenth => tenth / 10.0)];

    /// <summary>Tries shares.</summary>
    /// <param name="models">Two networks or more.</param>
    /// <param name="options">How they are matched, but for alpha; and how statistics are reset.</param>
    /// <param name="calibration">Samples whose activations are compared, and for the reset.</param>
    /// <param name="merit">How good a merged network is; not to be looked up on test data.</param>
    /// <param name="alphas">The shares; null for the <see cref="Grid"/>.</param>
    /// <param name="progress">Is told of samples, and of each share.</param>
    /// <param name="cancel">Looked at between batches and groups.</param>
    /// <exception cref="GraphException">The options do not compare both weights and activations, or the data does not fit.</exception>
    public static AlphaChoice Run(Siblings models, AlignmentOptions options, Dataset calibration, Func<Graph, double> merit, IReadOnlyList<double>? alphas = null,
        IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        if (options.Space != MatchingSpace.Both) throw new GraphException($"alpha is the share of weights where units are compared by weights and activations; there is none to choose by {options.Space.ToString().ToLowerInvariant()} alone");
        alphas ??= Grid;
        ArgumentOutOfRangeException.ThrowIfZero(alphas.Count, nameof(alphas));
        foreach (double alpha in alphas) UnitAlignment.Check(models, options with { Alpha = alpha });
        ActivationStatistics statistics = UnitAlignment.Statistics(models, options, calibration, progress, cancel);
        List<AlphaMerit> tried = [];
        AlignmentResult? best = null;
        foreach (double alpha in alphas)
        {
            AlignmentOptions with = options with { Alpha = alpha };
            AlignmentResult result = UnitAlignment.Match(models, with, statistics, null, null, cancel);
            AlphaMerit of = new(alpha, merit(MergedNetwork.Of(models, result.Maps, with, calibration, cancel)));
            if (tried.All(other => Order(of, other) < 0)) best = result;
            tried.Add(of);
            progress?.Report(new("alpha", tried.Count, alphas.Count));
        }

        tried.Sort(Order);
        return new(tried[0], best!, [.. tried]);
    }

    /// <summary>Better ones first; of equal merit, the one nearer to a half; a merit that is no number last.</summary>
    private static int Order(AlphaMerit a, AlphaMerit b)
    {
        int byMerit = b.Merit.CompareTo(a.Merit);
        int byDistance = Math.Round(Math.Abs(a.Alpha - 0.5), 9).CompareTo(Math.Round(Math.Abs(b.Alpha - 0.5), 9));
        return byMerit != 0 ? byMerit : byDistance != 0 ? byDistance : a.Alpha.CompareTo(b.Alpha);
    }
}
