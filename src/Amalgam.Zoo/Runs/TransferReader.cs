using System.Collections.Immutable;
using Amalgam.Merging.Recipes;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>Reads what trains together and teaches each other: every key is known, every value is of its kind and in its range.</summary>
internal static class TransferReader
{
    private const string OfModels = "models, a mapping from a name to what it is";

    /// <summary>Name of the folder of the networks that are trained by themselves, so no network is called that.</summary>
    public const string Solo = "solo";

    private static readonly ImmutableArray<string> OfRun = ["data", "loss", "distill", "optimizer", "schedule", "lr", "epochs", "batch", "drop_last", "seed"];
    private static readonly RecipeLevel Top = new("a transfer run", ["models", "transfers", "adapter", "cycle", "solo", "output", .. OfRun]);
    private static readonly RecipeLevel Model = new("an entry of models", ["model", "frozen", "steps", .. OfRun]);
    private static readonly RecipeLevel Pair = new("a transfer", ["from", "to", "cycle", "both", "back_cycle", "resets_momentum", "adapter"]);
    private static readonly RecipeLevel End = new("a matrix", ["model", "matrix", "rows", "layout", "rank", "start", "alpha"]);

    public static TransferDescription Read(RecipeNode node)
    {
        if (!node.IsMapping) throw node.Unexpected("a transfer run, a mapping with models, transfers and what training needs");
        var keys = node.Entries(Top.Place);
        if (keys.All(entry => entry.Key != "models") && keys.FirstOrDefault(entry => entry.Key == "model") is { Key: not null } one)
            throw one.Position.Refuse($"this describes the training of one network, which is for amalgam {(keys.Any(entry => entry.Key == "distill") ? "distill" : "train")}; a transfer run has models, a mapping from names to networks");
        var fields = node.Fields(Top);
        RecipeNode models = RunReader.Required(node, fields, "models");
        TransferNames.Check([.. models.Entries(OfModels).Select(entry => (entry.Key, entry.Position))]);
        var shared = fields.Where(f => OfRun.Contains(f.Key)).ToDictionary();
        TransferDescription run = new()
        {
            Models = [.. models.Entries(OfModels).Select(entry => ReadModel(entry.Key, entry.Position, entry.Value, shared))],
            Adapter = AdapterReader.Read(fields.TryGetValue("adapter", out RecipeNode adapter) ? adapter : null, null),
            Cycle = CycleOf(fields, "cycle", TransferPair.UsualCycle),
            Solo = RunReader.Flag(fields, "solo", true),
            Seed = RunReader.Whole(fields, "seed"),
            Output = RunReader.Word(fields, "output", "a folder"),
        };
        if (run.Models.IsEmpty) throw models.Unexpected(OfModels);
        if (run.Models.All(model => model.Frozen)) throw models.Position.Refuse("all models are frozen, so nothing is trained");
        if (!fields.TryGetValue("transfers", out RecipeNode transfers)) return run;
        ImmutableArray<RecipeNode> items = transfers.Items("transfers, a list of {from, to, cycle}");
        run = run with { Transfers = [.. items.Select(item => ReadPair(item, run, fields.TryGetValue("adapter", out RecipeNode of) ? of : null))] };
        if (run.Models.FirstOrDefault(model => !run.Transfers.Any(pair => pair.From.Append(pair.To).Any(end => end.Model == model.Name))) is { } idle)
            throw transfers.Position.Refuse($"the model {Nearest.Quote(idle.Name)} takes part in no transfer; leave it out{(idle.Frozen ? "" : ", amalgam train trains one by itself")}");
        return run;
    }

    private static TransferModel ReadModel(string name, RecipePosition position, RecipeNode node, Dictionary<string, RecipeNode> shared)
    {
        if (!node.IsMapping && !node.IsScalar) throw node.Unexpected("a model, or a mapping with model and what training needs");
        Dictionary<string, RecipeNode> own = node.IsMapping ? node.Fields(Model) : [];
        ModelDescription model = RunReader.ReadModel(node.IsMapping ? RunReader.Required(node, own, "model") : node);
        if (RunReader.Flag(own, "frozen", false))
        {
            if (own.FirstOrDefault(f => f.Key is not ("model" or "frozen" or "seed")) is { Key: { } idle } field)
                throw field.Value.Position.Refuse($"the model {Nearest.Quote(name)} is frozen, so '{idle}' has no effect; leave it out");
            return new(name, model) { Seed = RunReader.Whole(Together(own, shared), "seed"), Place = position.ToString() };
        }

        Dictionary<string, RecipeNode> all = Together(own, shared);
        RunDescription run = RunReader.Read(node, all, model);
        if (run.Epochs == 0) throw (all.TryGetValue("epochs", out RecipeNode epochs) ? epochs : node).Position.Refuse($"the model {Nearest.Quote(name)} is trained for 0 epochs, so nothing is learned; frozen: true is for a trained network that stays as it is");
        return new(name, model) { Run = run, Seed = run.Seed, Steps = own.TryGetValue("steps", out RecipeNode steps) ? RunReader.FromOne(steps, "a number of batches from 1 on") : 1, Place = position.ToString() };
    }

    /// <summary>What a model says itself, and of the rest what stands for all.</summary>
    private static Dictionary<string, RecipeNode> Together(Dictionary<string, RecipeNode> own, Dictionary<string, RecipeNode> shared) =>
        own.Where(f => OfRun.Contains(f.Key)).Concat(shared.Where(f => !own.ContainsKey(f.Key))).ToDictionary();

    private static TransferPair ReadPair(RecipeNode node, TransferDescription run, RecipeNode? shared)
    {
        var fields = node.Fields(Pair);
        RecipeNode from = RunReader.Required(node, fields, "from"), to = RunReader.Required(node, fields, "to");
        int cycle = CycleOf(fields, "cycle", run.Cycle);
        bool both = RunReader.Flag(fields, "both", false);
        if (!both && fields.TryGetValue("back_cycle", out RecipeNode back)) throw back.Position.Refuse("back_cycle is about the transfer back, which both: true asks for");
        TransferPair pair = new(ReadSources(from, run), ReadEnd(to, run))
        {
            Cycle = cycle,
            BackCycle = both ? CycleOf(fields, "back_cycle", cycle) : null,
            ResetsMomentum = RunReader.Flag(fields, "resets_momentum", false),
            Adapter = AdapterReader.Read(fields.TryGetValue("adapter", out RecipeNode own) ? own : null, shared),
            Place = node.Position.ToString(),
        };
        if (run.ModelOf(pair.To.Model).Frozen) throw to.Position.Refuse($"{Nearest.Quote(pair.To.Model)} is frozen, so nothing can be written to it");
        if (both && pair.From.FirstOrDefault(end => run.ModelOf(end.Model).Frozen) is { } still) throw fields["both"].Position.Refuse($"{Nearest.Quote(still.Model)} is frozen, so there is no transfer back to it");
        if (both && pair.From.Any(end => end.Model == pair.To.Model && (end.Matrix is null || pair.To.Matrix is null))) throw node.Position.Refuse("within one model, both: true needs the names of both matrices");
        if (pair.From.Length > 1 && pair.Adapter.Adapter is MlpAdapter) throw from.Position.Refuse($"the adapter {AdapterReader.Mlp} learns from one matrix, found {pair.From.Length}; {AdapterReader.LowRank} learns from several");
        return pair;
    }

    /// <summary>One matrix, or a list of different ones.</summary>
    private static ImmutableArray<TransferEnd> ReadSources(RecipeNode node, TransferDescription run)
    {
        if (!node.IsList) return [ReadEnd(node, run)];
        ImmutableArray<RecipeNode> items = node.Items("a matrix, or a list of one or more");
        ImmutableArray<TransferEnd> ends = [.. items.Select(item => ReadEnd(item, run))];
        for (int i = 1; i < ends.Length; i++)
        {
            if (ends.IndexOf(ends[i]) < i) throw items[i].Position.Refuse($"{Nearest.Quote(ends[i].ToString())} stands in this list already; name each source once");
        }

        return ends;
    }

    private static TransferEnd ReadEnd(RecipeNode node, TransferDescription run)
    {
        const string What = "a matrix: MODEL:MATRIX, a model alone, or a mapping {model, matrix, ...}";
        if (!node.IsMapping)
        {
            string[] parts = node.Text(What).Split(':', 2);
            string known = Known(node, parts[0], run);
            if (parts is [_, ""]) throw node.Position.Refuse($"the name of a matrix is missing behind '{known}:'; a model alone, whose matrix is proposed, is '{known}'");
            return new(known, parts.Length > 1 ? parts[1] : null);
        }

        var fields = node.Fields(End);
        RecipeNode model = RunReader.Required(node, fields, "model");
        string? matrix = RunReader.Word(fields, "matrix", "the name of a parameter");
        int rank = ReadRank(fields);
        if (matrix is null && fields.FirstOrDefault(f => f.Key is "rows" or "layout") is { Key: { } idle } field) throw field.Value.Position.Refuse($"'{idle}' is about a matrix, and none is named here");
        if (rank == 0 && fields.FirstOrDefault(f => f.Key is "start" or "alpha") is { Key: { } of } unused) throw unused.Value.Position.Refuse($"'{of}' is about factors, which a rank above 0 makes");
        return new(Known(model, model.Text("the name of a model"), run), matrix)
        {
            Rows = fields.TryGetValue("rows", out RecipeNode rows) ? ReadRows(rows) : null,
            Layout = fields.TryGetValue("layout", out RecipeNode layout) ? TransferWords.Layouts[RunReader.OneOf(layout, "a layout", [.. TransferWords.Layouts.Keys])] : ConvolutionLayout.Filters,
            Rank = rank,
            Start = fields.TryGetValue("start", out RecipeNode start) ? TransferWords.Starts[RunReader.OneOf(start, "a start", [.. TransferWords.Starts.Keys])] : FactorStart.Decomposition,
            Alpha = RunReader.Number(fields, "alpha", 0, "a number above 0", x => x > 0),
        };
    }

    private static int ReadRank(Dictionary<string, RecipeNode> fields)
    {
        if (!fields.TryGetValue("rank", out RecipeNode rank)) return 0;
        string what = $"a rank from 0 on, or {TransferWords.Usual} for an eighth of the smaller size";
        return rank.IsScalar && rank.Text(what) == TransferWords.Usual ? TransferEnd.UsualRank : rank.Count(what);
    }

    private static (int, int) ReadRows(RecipeNode node)
    {
        const string What = "rows, a list of the first and the one after the last: [0, 64]";
        int[] ends = [.. node.Items(What).Select(item => item.Count("a row"))];
        return ends.Length == 2 && ends[0] < ends[1] ? (ends[0], ends[1]) : throw node.Position.Refuse($"expected {What}, found {string.Join(", ", ends)}");
    }

    private static string Known(RecipeNode node, string name, TransferDescription run) => run.Models.Any(model => model.Name == name) ? name
        : throw node.Position.Refuse($"there is no model {Nearest.Quote(name)} here{Nearest.Hint(name, run.Models.Select(model => model.Name))}; known are {string.Join(", ", run.Models.Select(model => model.Name))}");

    private static int CycleOf(Dictionary<string, RecipeNode> fields, string key, int usual) => fields.TryGetValue(key, out RecipeNode node) ? RunReader.FromOne(node, "a number of rounds from 1 on") : usual;
}
