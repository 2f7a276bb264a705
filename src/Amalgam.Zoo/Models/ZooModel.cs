using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Models;

/// <summary>An architecture as the registry, run descriptions and help know it. One more architecture is one more record beside <see cref="Architecture"/>, with its entry, and a line in <see cref="All"/>.</summary>
/// <param name="Name">Its name in run descriptions.</param>
/// <param name="Summary">What it is, one sentence without the full stop.</param>
/// <param name="Source">The paper, and whose code names the parameters.</param>
/// <param name="Start">How the parameters begin, a sentence without the full stop.</param>
/// <param name="Options">Its options, all of them.</param>
/// <param name="Create">Makes the architecture of checked options.</param>
public sealed record ZooModel(string Name, string Summary, string Source, string Start, ImmutableArray<ModelOption> Options, Func<ModelOptions, Architecture> Create)
{
    /// <summary>Every architecture, in the order in which help shows them.</summary>
    public static readonly ImmutableArray<ZooModel> All =
    [
        Mlp.Entry,
        Cnn.Entry,
        .. Vgg.Entries,
        ResNet.SmallEntry,
        .. ResNet.LargeEntries,
        MobileNetV2.Entry,
        VisionTransformer.Entry,
        TextEncoder.Entry,
        TwoTower.Entry,
        Din.Entry,
        Gru4Rec.Entry,
        SasRec.Entry,
        IclRec.Entry,
    ];

    /// <summary>The architecture of that name.</summary>
    /// <exception cref="GraphException">There is none; the message lists those that exist.</exception>
    public static ZooModel Find(string name) => All.FirstOrDefault(m => m.Name == name)
        ?? throw new GraphException($"there is no model {Nearest.Quote(name)}{Nearest.Hint(name, All.Select(m => m.Name))}; known are {string.Join(", ", All.Select(m => m.Name))}");

    /// <summary>The architecture with options as texts, those not given at their defaults: <c>width</c> to <c>2</c>, <c>hidden</c> to <c>400,200,100</c>.</summary>
    /// <exception cref="GraphException">An option is unknown or not in its range.</exception>
    public Architecture With(IReadOnlyDictionary<string, string>? options = null) => Create(ModelOptions.Read(this, options ?? ImmutableDictionary<string, string>.Empty));

    /// <summary>The network with options as texts; see <see cref="Architecture.Build"/>.</summary>
    public Graph Build(int batch, IReadOnlyDictionary<string, string>? options = null, long seed = 0) => With(options).Build(batch, seed);
}
