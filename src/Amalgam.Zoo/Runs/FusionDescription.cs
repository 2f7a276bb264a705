using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>How networks of other depths and widths are fused, on what data: a recipe's section <c>balance</c>, or what the command line says.</summary>
public sealed record FusionDescription
{
    /// <summary>What a section may say.</summary>
    internal static readonly ImmutableArray<string> Keys =
    [
        "method", "layers", "pin_first", "pin_last", "match", "ground", "metric", "squared", "normalise_weights", "marginals", "regularisation", "residual", "incoming", "samples", "batch", "seed", "pins",
        "reference", "reset", "reset_samples", "data", "model",
    ];

    /// <summary>How all get one number of layers.</summary>
    public BalanceMethod Balance { get; init; } = BalanceMethod.All[0];

    /// <summary>How layers are matched.</summary>
    public LayerOptions Layers { get; init; } = new();

    /// <summary>How units are brought together.</summary>
    public FusionMatch Match { get; init; } = FusionMatch.All[0];

    /// <summary>How they are transported.</summary>
    public FusionOptions Transport { get; init; } = new();

    /// <summary>Units that keep their places: patterns of names of classes, or of parameters that make them.</summary>
    public ImmutableArray<string> Pins { get; init; } = [];

    /// <summary>Weight of the network whose layers and widths the result has; null for as much as each other.</summary>
    public double? Lambda { get; init; }

    /// <summary>A merge method with its parameters, in place of the weighted mean; null for that.</summary>
    public string? Merge { get; init; }

    /// <summary>Path of the network whose widths the result has, one of those that are fused; null to choose.</summary>
    public string? Reference { get; init; }

    /// <summary>Whether more than two networks are fused one after the other, each with what came of those before; otherwise each is brought to the reference.</summary>
    public bool Iterative { get; init; }

    /// <summary>What happens to statistics of normalisations after the merge.</summary>
    public StatisticsReset Reset { get; init; } = StatisticsReset.Auto;

    /// <summary>On how many samples; null for all.</summary>
    public int? ResetSamples { get; init; } = new AlignmentOptions().Samples;

    /// <summary>Data to look at layers and units on; null where none is needed.</summary>
    public DataDescription? Data { get; init; }

    /// <summary>What a user should know of the data; null for nothing.</summary>
    public string? DataNote { get; init; }

    /// <summary>What checkpoints are of that do not say it: one for all, or one for each; empty where all say it.</summary>
    public ImmutableArray<ModelDescription> Models { get; init; } = [];

    /// <summary>Groups of classes that are also measured among themselves.</summary>
    public ImmutableArray<ImmutableArray<int>> Tasks { get; init; } = [];

    /// <summary>A checkpoint with a vector for each class, for networks that give embeddings; null for scores.</summary>
    public string? ClassVectors { get; init; }

    /// <summary>What a network is of that does not say it.</summary>
    /// <param name="network">Its number.</param>
    public ModelDescription? ModelOf(int network) => Models.Length > 1 ? Models[network] : Models.FirstOrDefault();

    /// <summary>Whether units are compared by what they compute.</summary>
    public bool ComparesActivations => Match.Units is { } units ? units.NeedsData : Transport.Space == MatchingSpace.Activations;

    /// <summary>How units are matched where that is not by transport, and how statistics are set anew.</summary>
    public AlignmentOptions Alignment => (Match.Units?.Preset ?? new()) with { Reset = Reset, Samples = ResetSamples, Seed = Transport.Seed };

    /// <summary>Reads a section.</summary>
    /// <param name="node">The section.</param>
    /// <param name="usual">How units are brought together where it does not say it.</param>
    /// <exception cref="InvalidDataException">It is not right.</exception>
    internal static FusionDescription Read(RecipeNode node, FusionMatch usual)
    {
        var fields = node.Fields(new("balance", Keys));
        T Word<T>(string key, string what, Vocabulary<T> words, T otherwise) => fields.TryGetValue(key, out RecipeNode word) ? words[RunReader.OneOf(word, what, words.Words)] : otherwise;
        int? Count(string key, int? otherwise) => fields.TryGetValue(key, out RecipeNode count) ? count.IsScalar && count.Text("") == "all" ? null : RunReader.FromOne(count, "a whole number from 1 on, or all") : otherwise;
        int Pinned(string key, int otherwise) => fields.TryGetValue(key, out RecipeNode count) ? count.Count("a number of layers") : otherwise;
        FusionDescription preset = new();
        LayerOptions layers = preset.Layers;
        FusionOptions transport = preset.Transport;
        FusionMatch match = fields.TryGetValue("match", out RecipeNode matching) ? matching.Position.Locate(() => MatchOf(matching.Text("a way to match units"))) : usual;
        int? samples = Count("samples", layers.Samples), batch = Count("batch", null);
        long? seed = fields.ContainsKey("seed") ? RunReader.Whole(fields, "seed") : null;
        FusionDescription read = preset with
        {
            Balance = fields.TryGetValue("method", out RecipeNode method) ? method.Position.Locate(() => BalanceOf(method.Text("a way to balance layers"))) : preset.Balance,
            Match = match,
            Layers = layers with
            {
                Measure = Word("layers", "a measure", FusionWords.Measures, layers.Measure),
                PinnedFirst = Pinned("pin_first", layers.PinnedFirst),
                PinnedLast = Pinned("pin_last", layers.PinnedLast),
                Samples = samples ?? int.MaxValue,
                Batch = batch ?? layers.Batch,
                Seed = seed ?? layers.Seed,
            },
            Transport = transport with
            {
                Space = Word("ground", "a ground", FusionWords.Grounds, transport.Space),
                Metric = Word("metric", "a metric", FusionWords.Metrics, transport.Metric),
                Squared = RunReader.Flag(fields, "squared", false),
                NormaliseWeights = RunReader.Flag(fields, "normalise_weights", false),
                Marginals = Word("marginals", "a distribution", FusionWords.Marginals, transport.Marginals),
                Sinkhorn = match.IsSinkhorn ? RunReader.Number(fields, "regularisation", FusionMatch.UsualSinkhorn, "a number above 0", x => x > 0) : null,
                Residual = Word("residual", "a rule", FusionWords.Residuals, transport.Residual),
                Incoming = Word("incoming", "a scale", FusionWords.Scales, transport.Incoming),
                Samples = samples,
                Batch = batch ?? transport.Batch,
                Seed = seed ?? transport.Seed,
            },
            Pins = RunReader.Patterns(fields, "pins"),
            Reference = RunReader.Word(fields, "reference", "a model of this recipe"),
            Reset = Word("reset", "a reset", AlignmentDescription.Resets, preset.Reset),
            ResetSamples = Count("reset_samples", preset.ResetSamples),
            Data = fields.TryGetValue("data", out RecipeNode data) ? RunReader.ReadData(data) : null,
            Models = !fields.TryGetValue("model", out RecipeNode model) ? [] : model.IsList ? [.. model.Items("a list of architectures").Select(AlignmentDescription.Named)] : [AlignmentDescription.Named(model)],
        };
        foreach (var (key, value) in fields)
        {
            if (read.WhyIdle(key) is { } why) throw value.Position.Refuse($"{key} {why}");
        }

        return read;
    }

    /// <summary>The way to balance of a name.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    public static BalanceMethod BalanceOf(string name) => BalanceMethod.Find(name) ?? throw Unknown("way to balance layers", name, BalanceMethod.All.Select(m => name.Contains('_') ? m.Name : m.Word));

    /// <summary>The way to bring units together of a name.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    public static FusionMatch MatchOf(string name) => FusionMatch.Find(name) ?? throw Unknown("way to match units", name, FusionMatch.All.Select(m => m.Name));

    /// <summary>How it is done, for people: <c>add, layers by cka, units by ot of activations</c>.</summary>
    public string Text
    {
        get
        {
            string transport = Match.Units is not null ? "" : $" of {FusionWords.Grounds.Of(Transport.Space)}";
            return $"{Balance.Word}, layers by {FusionWords.Measures.Of(Layers.Measure)}, units by {Match.Name}{transport}";
        }
    }

    /// <summary>Why a setting changes nothing beside the others.</summary>
    /// <param name="key">The setting, as a recipe calls it.</param>
    /// <returns>What follows its name in a sentence; null where it has an effect.</returns>
    public string? WhyIdle(string key) => key switch
    {
        "ground" or "metric" or "squared" or "normalise_weights" or "marginals" or "residual" or "incoming" or "regularisation" when Match.Units is not null => $"is about transport, and {Match.Name} matches unit by unit",
        "regularisation" when !Match.IsSinkhorn => "is about sinkhorn, and ot is exact",
        "squared" when Transport.Metric == GroundMetric.Cosine => "is about distances, and a cosine is none",
        "normalise_weights" when Transport.Space != MatchingSpace.Weights => "is about weights, and activations are compared",
        "reset_samples" when Reset == StatisticsReset.None => "is about statistics that are set anew, and none are",
        "class_vectors" or "tasks" when Data is null => "is about networks on data, and none is named",
        _ => null,
    };

    private static MergeException Unknown(string what, string name, IEnumerable<string> known) =>
        new($"there is no {what} {Nearest.Quote(name)}{Nearest.Hint(name, known)}; there are {string.Join(", ", known)}");
}
