using System.Collections.Immutable;
using Amalgam.Alignment;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>A way to match that takes part in a comparison.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="How">How it matches.</param>
internal sealed record PairMethod(string Name, AlignmentOptions How)
{
    /// <summary>Whether alpha is chosen on the calibration data.</summary>
    public bool ChoosesAlpha { get; init; }

    /// <summary>Whether the merged network's activations are repaired; for networks without batch normalisation.</summary>
    public bool Repairs { get; init; }
}

/// <summary>What tables call networks and methods.</summary>
internal static class PairMethods
{
    public const string Ensemble = "ensemble", Average = "average";
    public const string WeightMatching = "weight matching (Git Re-Basin)", WeightAlign = "weight align", ActivationAlign = "activation align", MudscAlign = "MuDSC align";
    public const string ZipIt = "ZipIt!", WeightZip = "weight zip", MudscZip = "MuDSC zip";

    private static readonly AlignmentOptions Align = new(), Zip = new() { Matching = UnitMatching.Zip };

    /// <summary>The methods, in the order of tables: average, alignments, zips; MuDSC with alpha 1/2 and with one that is chosen.</summary>
    public static readonly ImmutableArray<PairMethod> All =
    [
        new(Average, new() { Space = MatchingSpace.None }),
        new(WeightMatching, new() { Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct }),
        new(WeightAlign, Align with { Space = MatchingSpace.Weights }),
        new(ActivationAlign, Align with { Space = MatchingSpace.Activations }),
        new(MudscAlign, Align),
        new(Chosen(MudscAlign), Align) { ChoosesAlpha = true },
        new(ZipIt, Zip with { Space = MatchingSpace.Activations }),
        new(WeightZip, Zip with { Space = MatchingSpace.Weights }),
        new(MudscZip, Zip),
        new(Chosen(MudscZip), Zip) { ChoosesAlpha = true },
    ];

    /// <summary>Those without a choice, as the paper compares them on MNIST: alpha is 1/2.</summary>
    public static IEnumerable<PairMethod> Plain => All.Where(m => !m.ChoosesAlpha);

    /// <summary>What takes part beside them where networks have no batch normalisation, whose statistics could be estimated anew.</summary>
    public static readonly ImmutableArray<PairMethod> Repaired =
        [.. All.Where(m => m.Name is Average or WeightMatching or MudscAlign or ZipIt or MudscZip).Select(m => m with { Name = $"{m.Name}, REPAIR", Repairs = true })];

    /// <summary>Differences that the paper's claims are about, of one method from another on the same pair.</summary>
    public static readonly ImmutableArray<(string Method, string From)> Claims =
    [
        (MudscAlign, Average), (MudscAlign, WeightMatching), (MudscAlign, WeightAlign), (MudscAlign, ActivationAlign), (ZipIt, ActivationAlign),
        (MudscZip, MudscAlign), (MudscZip, ZipIt), (MudscZip, WeightZip), (Chosen(MudscAlign), WeightAlign), (Chosen(MudscAlign), ActivationAlign), (Chosen(MudscZip), ZipIt), (Chosen(MudscZip), WeightZip), (Chosen(MudscZip), Chosen(MudscAlign)),
    ];

    /// <summary>The method with alpha chosen.</summary>
    public static string Chosen(string method) => $"{method}, alpha chosen";
}
