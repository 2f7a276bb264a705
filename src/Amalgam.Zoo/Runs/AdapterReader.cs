using System.Collections.Immutable;
using Amalgam.Merging.Recipes;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>Reads what an adapter is and how it learns.</summary>
internal static class AdapterReader
{
    public const string LowRank = "lpka", Mlp = "mlp";

    private static readonly ImmutableArray<string> Names = [LowRank, Mlp], OfEvery = ["name", "rule", "damping", "trust_region", "optimizer", "lr", "schedule"];
    private static readonly RecipeLevel OfLowRank = new("the adapter lpka", [.. OfEvery, "layers", "heads", "unfoldings", "mixing", "form", "attention_dropout", "dropout", "writes_dropout", "source_evolves"]);
    private static readonly RecipeLevel OfMlp = new("the adapter mlp", [.. OfEvery, "width"]);

    /// <param name="node">What a transfer says of its own adapter; null for nothing.</param>
    /// <param name="shared">What is said of all adapters; null for nothing. What an adapter of the first one's kind does not have is left out.</param>
    public static AdapterDescription Read(RecipeNode? node, RecipeNode? shared)
    {
        string name = NameOf(node) ?? NameOf(shared) ?? LowRank;
        RecipeLevel level = name == Mlp ? OfMlp : OfLowRank;
        Dictionary<string, RecipeNode> fields = node is { IsMapping: true } own ? own.Fields(level) : [];
        bool saysRule = fields.ContainsKey("rule"), saysDamping = fields.ContainsKey("damping");
        if (shared is { IsMapping: true } common)
        {
            foreach (var (key, value) in common.Fields(NameOf(common) == Mlp ? OfMlp : OfLowRank).Where(f => level.Keys.Contains(f.Key))) fields.TryAdd(key, value);
        }

        AdapterDescription usual = new();
        AdapterRule learns = OneOf(fields, "rule", "a rule", TransferWords.Rules, usual.Rule);
        if (learns == AdapterRule.ChainRule && fields.Remove("damping", out RecipeNode idle) && (saysDamping || !saysRule))
            throw idle.Position.Refuse($"'damping' is about what rule: {TransferWords.Of(TransferWords.Rules, AdapterRule.Change)} learns from, and the rule here is {TransferWords.Of(TransferWords.Rules, learns)}; leave it out");
        var (rule, given) = fields.TryGetValue("optimizer", out RecipeNode optimizer) ? RunReader.ReadRule(optimizer, ["name", "weight_decay", "clip_norm"]) : (usual.Optimizer, []);
        return new()
        {
            Adapter = name == Mlp ? ReadMlp(fields) : ReadLowRank(fields),
            Rule = learns,
            Optimizer = rule,
            ClipNorm = given.TryGetValue("clip_norm", out RecipeNode clip) ? ReadClip(clip) : usual.ClipNorm,
            Rate = RunReader.Number(fields, "lr", usual.Rate, "a learning rate above 0", x => x > 0),
            Damping = fields.TryGetValue("damping", out RecipeNode damping) ? RunReader.Number(damping, "a number from 0 on", x => x >= 0) : null,
            TrustRegion = fields.TryGetValue("trust_region", out RecipeNode trust) ? RunReader.Number(trust, "a number from 0 on", x => x >= 0) : null,
            WritesDropout = RunReader.Flag(fields, "writes_dropout", usual.WritesDropout),
            Schedule = fields.TryGetValue("schedule", out RecipeNode schedule) ? RunReader.ReadSchedule(schedule) : usual.Schedule,
        };
    }

    private static string? NameOf(RecipeNode? node)
    {
        if (node is not { } of) return null;
        if (!of.IsMapping) return RunReader.OneOf(of, "an adapter", Names);
        RecipeNode name = of.Entries("an adapter").FirstOrDefault(entry => entry.Key == "name").Value;
        return name.Yaml is null ? null : RunReader.OneOf(name, "an adapter", Names);
    }

    private static MlpAdapter ReadMlp(Dictionary<string, RecipeNode> fields) =>
        fields.TryGetValue("width", out RecipeNode width) ? new(RunReader.FromOne(width, "a number of units from 1 on")) : new();

    private static LowRankAdapter ReadLowRank(Dictionary<string, RecipeNode> fields)
    {
        LowRankAdapter usual = new();
        int Count(string key, int otherwise, string what) => fields.TryGetValue(key, out RecipeNode node) ? RunReader.FromOne(node, what) : otherwise;
        double Share(string key, double otherwise) => RunReader.Number(fields, key, otherwise, "a share from 0 up to, without, 1", x => x is >= 0 and < 1);
        return usual with
        {
            Layers = Count("layers", usual.Layers, "a number of layers from 1 on"),
            Heads = Count("heads", usual.Heads, "a number of heads from 1 on"),
            Unfoldings = OneOf(fields, "unfoldings", "a word for unfoldings", TransferWords.Unfoldings, usual.Unfoldings),
            Mixing = OneOf(fields, "mixing", "a mixing", TransferWords.Mixings, usual.Mixing),
            Form = OneOf(fields, "form", "a form", TransferWords.Forms, usual.Form),
            AttentionDropout = Share("attention_dropout", usual.AttentionDropout),
            Dropout = Share("dropout", usual.Dropout),
            SourceEvolves = RunReader.Flag(fields, "source_evolves", usual.SourceEvolves),
        };
    }

    private static double? ReadClip(RecipeNode node)
    {
        const string What = "a number above 0, or none";
        return node.IsScalar && node.Text(What) == TransferWords.None ? null : RunReader.Number(node, What, x => x > 0);
    }

    private static T OneOf<T>(Dictionary<string, RecipeNode> fields, string key, string what, ImmutableSortedDictionary<string, T> words, T usual) =>
        fields.TryGetValue(key, out RecipeNode node) ? words[RunReader.OneOf(node, what, [.. words.Keys])] : usual;
}
