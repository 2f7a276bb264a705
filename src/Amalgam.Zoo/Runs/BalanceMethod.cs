using System.Collections.Immutable;
using Amalgam.Alignment.Layers;

namespace Amalgam.Zoo.Runs;

/// <summary>A way to bring networks to one number of layers as recipes, commands and help know it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it does, a sentence without the full stop.</param>
/// <param name="Gate">Where layers of the deeper network are merged, what becomes of the non-linearity between them; null where the shallower one gets more.</param>
public sealed record BalanceMethod(string Name, string Summary, Gate? Gate)
{
    /// <summary>Every way, in the order in which help shows them.</summary>
    public static readonly ImmutableArray<BalanceMethod> All =
    [
        new("add", "The shallower network gets layers that hand on what they are given", null),
        new("merge_sum", "Dense layers of the deeper network are multiplied into those before them; a unit between stays where the sum of its inputs is not negative", Alignment.Layers.Gate.Sum),
        new("merge_majority", "The same, where most of its inputs are positive", Alignment.Layers.Gate.Majority),
        new("merge_average", "The same, by the share of its inputs that is positive", Alignment.Layers.Gate.Average),
    ];

    /// <summary>Its name with hyphens, as people read it.</summary>
    public string Word => Name.Replace('_', '-');

    /// <summary>The way of a name, which may be written with hyphens.</summary>
    /// <returns>Null when there is none.</returns>
    public static BalanceMethod? Find(string name) => All.FirstOrDefault(m => m.Name == name.Replace('-', '_'));
}
