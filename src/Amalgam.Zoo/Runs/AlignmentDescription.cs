using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Alignment;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>How the units of models are matched, on what data, and what is done to the result: a recipe's section <c>align</c>, or what the command line says.</summary>
/// <param name="Method">The method.</param>
public sealed record AlignmentDescription(AlignmentMethod Method)
{
    /// <summary>The word that leaves alpha to a search.</summary>
    public const string Search = "search";

    /// <summary>What a section may say.</summary>
    internal static readonly ImmutableArray<string> Keys =
    [
        "method", "matching", "alpha", "zip_alpha", "zip_beta", "zip_capped", "similarity", "weight_similarity", "standardise", "all_taps", "pair_dead", "paper_gathering",
        "patience", "sweeps", "starts", "seed", "samples", "batch", "positions", "pins", "reset", "reset_parents", "data", "model", "permutations", "tasks", "class_vectors", "epochs",
    ];

    private static readonly ImmutableArray<string> Measures = ["pearson", "inner", "cosine"], Matchings = ["align", "zip"];

    /// <summary>Words for what happens to statistics after a merge.</summary>
    public static readonly Vocabulary<StatisticsReset> Resets = new(("auto", StatisticsReset.Auto), ("none", StatisticsReset.None), ("batchnorm", StatisticsReset.BatchNorm), ("repair", StatisticsReset.Repair));

    /// <summary>The settings.</summary>
    public AlignmentOptions Options { get; init; } = Method.Preset;

    /// <summary>Units that keep their places: patterns of names of classes, or of parameters that make them.</summary>
    public ImmutableArray<string> Pins { get; init; } = [];

    /// <summary>Whether alpha is the one of <see cref="AlphaSearch.Grid"/> whose merged network does best on the calibration data.</summary>
    public bool SearchesAlpha { get; init; }

    /// <summary>Data to observe units on, and to set statistics anew; null where no data is needed.</summary>
    public DataDescription? Data { get; init; }

    /// <summary>What checkpoints are of that do not say it; null where all say it.</summary>
    public ModelDescription? Model { get; init; }

    /// <summary>A file that says where units go, in place of matching; null to match.</summary>
    public string? Permutations { get; init; }

    /// <summary>Groups of classes that are told apart among themselves, by which alpha is chosen and networks are compared; empty where all classes are one task.</summary>
    public ImmutableArray<ImmutableArray<int>> Tasks { get; init; } = [];

    /// <summary>A checkpoint with a vector for each class, for networks that give embeddings; null for scores.</summary>
    public string? ClassVectors { get; init; }

    /// <summary>Of the straight-through estimator, passes over the data.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Whether something is computed on the data.</summary>
    public bool NeedsData => (Permutations is null && (Options.Space is MatchingSpace.Activations or MatchingSpace.Both || Method.NeedsData)) || SearchesAlpha;

    /// <summary>Reads a section.</summary>
    /// <exception cref="InvalidDataException">It is not right.</exception>
    internal static AlignmentDescription Read(RecipeNode node)
    {
        var fields = node.Fields(new("align", Keys));
        AlignmentDescription read = fields.TryGetValue("method", out RecipeNode name) ? new(MethodOf(name.Text("the name of a method that aligns"), name.Position)) : new(AlignmentMethod.All[0]);
        AlignmentOptions preset = read.Options;
        bool search = fields.TryGetValue("alpha", out RecipeNode alpha) && alpha.IsScalar && !alpha.IsNull && alpha.Text("") == Search;
        const string Share = "a number from 0 to 1";
        double Shared(string key, double usual) => RunReader.Number(fields, key, usual, Share, x => x is >= 0 and <= 1);
        int? Count(string key, int? usual) => fields.TryGetValue(key, out RecipeNode count) ? count.IsScalar && count.Text("") == "all" ? null : RunReader.FromOne(count, "a whole number from 1 on, or all") : usual;
        read = read with
        {
            Pins = RunReader.Patterns(fields, "pins"),
            SearchesAlpha = search,
            Data = fields.TryGetValue("data", out RecipeNode data) ? RunReader.ReadData(data) : null,
            Model = fields.TryGetValue("model", out RecipeNode model) ? Named(model) : null,
            Tasks = fields.TryGetValue("tasks", out RecipeNode tasks) ? [.. tasks.Items("a list of tasks").Select(task => task.Items("a list of class numbers").Select(c => c.Count("a class number")).ToImmutableArray())] : [],
            ClassVectors = RunReader.Word(fields, "class_vectors", "a checkpoint"),
            Epochs = Count("epochs", null) ?? read.Epochs,
            Permutations = RunReader.Word(fields, "permutations", "a file of permutations"),
            Options = preset with
            {
                Matching = fields.TryGetValue("matching", out RecipeNode matching) ? RunReader.OneOf(matching, "a matching", Matchings) == "zip" ? UnitMatching.Zip : UnitMatching.Align : preset.Matching,
                Alpha = search ? preset.Alpha : RunReader.Number(fields, "alpha", preset.Alpha, $"{Share}, or {Search}", x => x is >= 0 and <= 1),
                ZipAlpha = Shared("zip_alpha", preset.ZipAlpha),
                ZipBeta = Shared("zip_beta", preset.ZipBeta),
                ZipCapped = RunReader.Flag(fields, "zip_capped", preset.ZipCapped),
                ActivationMeasure = Measure(fields, "similarity", preset.ActivationMeasure),
                WeightMeasure = Measure(fields, "weight_similarity", preset.WeightMeasure),
                StandardiseTensors = RunReader.Flag(fields, "standardise", preset.StandardiseTensors),
                AllTaps = RunReader.Flag(fields, "all_taps", preset.AllTaps),
                PairDead = RunReader.Flag(fields, "pair_dead", preset.PairDead),
                PaperGathering = RunReader.Flag(fields, "paper_gathering", preset.PaperGathering),
                Patience = Count("patience", null) ?? preset.Patience,
                MostSweeps = Count("sweeps", null) ?? preset.MostSweeps,
                Starts = Count("starts", null) ?? preset.Starts,
                Seed = RunReader.Whole(fields, "seed"),
                Samples = Count("samples", preset.Samples),
                Batch = Count("batch", null) ?? preset.Batch,
                Positions = Count("positions", preset.Positions),
                Reset = fields.TryGetValue("reset", out RecipeNode reset) ? Resets[RunReader.OneOf(reset, "a reset", Resets.Words)] : preset.Reset,
                ResetParents = RunReader.Flag(fields, "reset_parents", preset.ResetParents),
            },
        };
        foreach (var (key, value) in fields)
        {
            if (AlignmentSettings.WhyIdle(read, key) is { } why) throw value.Position.Refuse($"{key} {why}");
        }

        return read;
    }

    /// <summary>Refuses settings that were asked for and change nothing beside the others.</summary>
    /// <param name="given">What was asked for, by the names of <see cref="Keys"/>, and what each is called there.</param>
    /// <exception cref="InvalidDataException">One has no effect.</exception>
    public void CheckEffect(IEnumerable<(string Key, string Name)> given)
    {
        foreach (var (key, name) in given)
        {
            if (AlignmentSettings.WhyIdle(this, key) is { } why) throw new InvalidDataException($"{name} {why}");
        }
    }

    /// <summary>The method of a name.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static AlignmentMethod MethodOf(string name) => AlignmentMethod.Find(name) ?? throw new InvalidDataException(Unknown(name));

    /// <summary>The measure of a name.</summary>
    public static SimilarityMeasure MeasureOf(string name) => name switch { "inner" => SimilarityMeasure.InnerProduct, "cosine" => SimilarityMeasure.Cosine, _ => SimilarityMeasure.Pearson };

    /// <summary>The method and what its settings are, for people: <c>mudsc, alpha 0.5</c>.</summary>
    public string Text
    {
        get
        {
            if (Permutations is not null) return $"the permutations of {Permutations}";
            List<string> parts = [Method.Name];
            if (Options.Matching != Method.Preset.Matching) parts.Add(Options.Matching == UnitMatching.Zip ? "zip" : "align");
            if (Options.Space == MatchingSpace.Both) parts.Add(SearchesAlpha ? "alpha searched" : string.Create(CultureInfo.InvariantCulture, $"alpha {Options.Alpha}"));
            if (Options.Matching == UnitMatching.Zip) parts.Add(string.Create(CultureInfo.InvariantCulture, $"zip alpha {Options.ZipAlpha}, beta {Options.ZipBeta}"));
            return string.Join(", ", parts);
        }
    }

    private static AlignmentMethod MethodOf(string name, RecipePosition position) => AlignmentMethod.Find(name) ?? throw position.Refuse(Unknown(name));

    private static string Unknown(string name) =>
        $"there is no method {Nearest.Quote(name)} that aligns{Nearest.Hint(name, AlignmentMethod.All.Select(m => m.Name))}; there are {string.Join(", ", AlignmentMethod.All.Select(m => m.Name))}";

    private static SimilarityMeasure Measure(Dictionary<string, RecipeNode> fields, string key, SimilarityMeasure usual) =>
        fields.TryGetValue(key, out RecipeNode node) ? MeasureOf(RunReader.OneOf(node, "a measure", Measures)) : usual;

    /// <summary>An architecture as the command line names it, or as a run description does.</summary>
    internal static ModelDescription Named(RecipeNode node) => node.IsScalar ? ModelDescription.Parse(node.Text("an architecture")) : RunReader.ReadModel(node);
}
