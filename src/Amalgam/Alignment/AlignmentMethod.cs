using System.Collections.Immutable;

namespace Amalgam.Alignment;

/// <summary>A way to match units as recipes, commands and help know it: a name for settings of <see cref="AlignmentOptions"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it does, one sentence.</param>
/// <param name="Source">The paper that it is from.</param>
/// <param name="Preset">Its settings.</param>
public sealed record AlignmentMethod(string Name, string Summary, string Source, AlignmentOptions Preset)
{
    private const string OfMudsc = "Xu et al., Training-free pretrained model merging, CVPR 2024", OfZipIt = "Stoica et al., ZipIt! Merging models from different tasks without training, ICLR 2024";
    private const string OfGitReBasin = "Ainsworth et al., Git Re-Basin: merging models modulo permutation symmetries, ICLR 2023";

    /// <summary>Every method, in the order in which help shows them.</summary>
    public static readonly ImmutableArray<AlignmentMethod> All =
    [
        new("mudsc", "One unit with one, by weights and activations together", OfMudsc, new()),
        new("mudsc_zip", "Units of all models greedily, several of one model too, by weights and activations together", OfMudsc, new() { Matching = UnitMatching.Zip }),
        new("activations", "One unit with one, by what they compute on the data", $"{OfGitReBasin}, section 3.1; {OfMudsc}", new() { Space = MatchingSpace.Activations }),
        new("zipit", "Units of all models greedily, by what they compute on the data", OfZipIt, new() { Space = MatchingSpace.Activations, Matching = UnitMatching.Zip }),
        new("weights", "One unit with one, by the correlation of the weights around them", OfMudsc, new() { Space = MatchingSpace.Weights }),
        new("weight_zip", "Units of all models greedily, by the correlation of the weights around them", OfMudsc, new() { Space = MatchingSpace.Weights, Matching = UnitMatching.Zip }),
        new("rebasin", "One unit with one, by inner products of the weights around them until none gains", $"{OfGitReBasin}, algorithm 1", new() { Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct }),
        new("ste", "As rebasin, of a network that learns to have a small loss halfway to the other", $"{OfGitReBasin}, section 3.3", new() { Algorithm = AlignmentAlgorithm.StraightThrough, Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct }),
        new("merge_many", "As rebasin, of each network in turn to the mean of the others, not of all to the first", $"{OfGitReBasin}, algorithm 3", new() { Algorithm = AlignmentAlgorithm.MergeMany, Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct }),
        new("none", "Every unit stays in its place", "", new() { Space = MatchingSpace.None }),
    ];

    /// <summary>The method of a name, which may be written with hyphens.</summary>
    /// <returns>Null when there is none.</returns>
    public static AlignmentMethod? Find(string name) => All.FirstOrDefault(m => m.Name == name.Replace('-', '_'));

    /// <summary>Whether it matches by what units compute, and so needs calibration data.</summary>
    public bool NeedsData => Preset.Space is MatchingSpace.Activations or MatchingSpace.Both || NeedsLabels;

    /// <summary>Whether it learns from labelled data.</summary>
    public bool NeedsLabels => Preset.Algorithm == AlignmentAlgorithm.StraightThrough;
}
