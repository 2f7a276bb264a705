using System.Collections.Immutable;
using Amalgam.Alignment;

namespace Amalgam.Zoo.Runs;

/// <summary>A way to bring the units of networks together, whose layers are balanced, as recipes, commands and help know it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it does, a sentence without the full stop.</param>
/// <param name="Units">A method that matches unit by unit, for networks of one width; null for transport.</param>
public sealed record FusionMatch(string Name, string Summary, AlignmentMethod? Units)
{
    /// <summary>Strength of the entropy where nothing else is asked for, as a share of the largest cost.</summary>
    public const double UsualSinkhorn = 0.003;

    private const string SinkhornName = "sinkhorn";

    /// <summary>Every way, in the order in which help shows them.</summary>
    public static readonly ImmutableArray<FusionMatch> All =
    [
        new("ot", "Units are transported at the least cost, exactly; widths may differ", null),
        new(SinkhornName, "Units are transported with an entropy that spreads each over several; widths may differ", null),
        .. AlignmentMethod.All.Select(method => new FusionMatch(method.Name, method.Summary, method)),
    ];

    /// <summary>Whether it is transport with an entropy.</summary>
    public bool IsSinkhorn => Name == SinkhornName;

    /// <summary>Whether units of one network may be merged with each other, so that all networks move into the merged one.</summary>
    public bool Zips => Units is { Preset.Matching: UnitMatching.Zip };

    /// <summary>The way of a name, which may be written with hyphens.</summary>
    /// <returns>Null when there is none.</returns>
    public static FusionMatch? Find(string name) => All.FirstOrDefault(m => m.Name == name.Replace('-', '_'));
}
