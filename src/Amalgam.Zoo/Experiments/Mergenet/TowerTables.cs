using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Metrics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Table 2: the encoders for images and for text of one network that learns which sentence belongs to which picture.</summary>
internal sealed class TowerTables(MergenetOptions options)
{
    /// <summary>The network's name.</summary>
    public const string Towers = "two towers";

    /// <summary>What tables call the directions.</summary>
    public const string ToText = "V -> T", ToImages = "T -> V", Both = "V <-> T";

    /// <summary>The adapters' learning rate, chosen on held-out samples with a seed of their own (<see cref="Choose"/>).</summary>
    public const double Rate = 1e-4;

    /// <summary>T_cycle, the paper's.</summary>
    public const int Cycle = 2;

    private const int Batch = 100;

    private readonly Subject _towers = new(Towers, Description(5e-4, 2), options)
    {
        Figures = (network, data) => Search(network, data, options.Cancel),
        Start = new($"{Towers} at first", Description(1e-3, 6), options),
    };

    /// <summary>Table 2: the value matrices of the last layers.</summary>
    public IEnumerable<TableEntry> Run() =>
        [.. TableEntry.Of(_towers), .. TableEntry.Of(ToText, IntoText), .. TableEntry.Of(ToImages, IntoImages), .. TableEntry.Of(Both, IntoText, IntoImages)];

    /// <summary>Table 2's transfers with damping, and within a trust region too.</summary>
    public IEnumerable<TableEntry> Damped() =>
        [.. TableEntry.Of(_towers), .. TableEntry.Of($"{Both}, damped", IntoText.Damped(), IntoImages.Damped()), .. TableEntry.Of($"{Both}, usual", IntoText.Usual(), IntoImages.Usual())];

    /// <summary>Which rate adapters get: measured on held-out samples.</summary>
    public IEnumerable<TableEntry> Choose() =>
    [
        .. TableEntry.Of(_towers),
        .. new[] { 1e-3, 1e-4 }.SelectMany(rate => TableEntry.Of(FormattableString.Invariant($"T_cycle {Cycle}, rate {rate}"), IntoText with { Rate = rate }, IntoImages with { Rate = rate })),
    ];

    private Flow IntoText => new(_towers, Seen, _towers, Read) { Cycle = Cycle, Rate = Rate, Adapter = TextTables.Adapter };

    private Flow IntoImages => IntoText with { Source = Read, Target = Seen };

    private static string Seen => "image.encoder.layer.2.attention.attention.value.weight";

    private static string Read => "text.transformer.layer.1.attention.v_lin.weight";

    private static string Description(double rate, int epochs) => FormattableString.Invariant($$"""
        data: {name: captions, options: {train: 10000, validation: 500, test: 1000}, validation: own}
        model: {name: two_tower, image_depth: 3, text_depth: 2}
        loss: contrastive
        optimizer: {name: adamw, weight_decay: 0.05, decay_vectors: false, clip_norm: 1}
        schedule: {name: cosine, warmup: 0.5}
        lr: {{rate}}
        epochs: {{epochs}}
        batch: 128
        """);

    private static ImmutableArray<Figure> Search(Graph network, Dataset data, CancellationToken cancel)
    {
        Retrieval found = PairRetrieval.Of(data)!.Search(Predictions.Of(network, data, Batch, cancel: cancel));
        return [.. new[] { 1, 10 }.SelectMany(k => new Figure[] { new($"TR@{k}", found.TextRecall(k)), new($"IR@{k}", found.ImageRecall(k)) }), new("mean recall", found.MeanRecall)];
    }
}
