using System.Collections.Immutable;

namespace Amalgam.Merging.Recipes;

/// <summary>Reads one document of a recipe file: every key is known, every value is of its kind.</summary>
internal static class RecipeReader
{
    private static readonly ImmutableArray<string> Features = ["tokenizer_source", "tokenizer", "chat_template"];
    private static readonly ImmutableArray<string> DTypes = [.. DType.All.Where(t => t.IsFloat).OrderBy(t => -t.Bits).Select(t => t.LongName)];

    public static Recipe Read(RecipeNode node)
    {
        if (!node.IsMapping) throw node.Unexpected("a recipe, a mapping that begins with merge_method or the like");
        var fields = node.Fields(RecipeLevel.Recipe);
        RecipeNode method = Required(node, fields, "merge_method", RecipeLevel.Recipe);
        OneOf(node, fields, "a recipe", ["models", "slices", "modules"]);
        AtMostOne(fields, "tokenizer_source", "tokenizer");
        AtMostOne(fields, "tensor_union", "tensor_intersection");

        List<RecipeFeature> features = [];
        foreach (string name in Features)
            if (fields.TryGetValue(name, out RecipeNode value)) features.Add(ReadFeature(name, value));

        return new()
        {
            Position = node.Position,
            Name = Optional(fields, "name", n => n.Text("a name"), null),
            Method = method.Text("the name of a merge method"),
            MethodPosition = method.Position,
            Models = Optional(fields, "models", n => ReadModels(n, features), []),
            Slices = Optional(fields, "slices", n => ReadSlices(n, features), []),
            Modules = Optional(fields, "modules", n => ReadModules(n, features), []),
            BaseModel = Optional(fields, "base_model", n => ReadReference(n, features), null),
            Parameters = ReadParameters(fields),
            DType = Optional(fields, "dtype", ReadDType, null),
            OutDType = Optional(fields, "out_dtype", ReadDType, null),
            TensorUnion = Optional(fields, "tensor_union", ReadFlag, false),
            TensorIntersection = Optional(fields, "tensor_intersection", ReadFlag, false),
            Integers = Optional(fields, "integers", ReadIntegers, IntegerRule.Equal),
            Features = [.. features],
            Balance = fields.TryGetValue("balance", out RecipeNode balance) ? balance.IsMapping ? balance : throw balance.Unexpected("balance, a mapping with method, match, data and the like") : null,
            BalancePosition = PositionOf(node, "balance"),
            Align = fields.TryGetValue("align", out RecipeNode align) ? align.IsMapping ? align : throw align.Unexpected("align, a mapping with method, data and the like") : null,
            AlignPosition = PositionOf(node, "align"),
            Train = fields.TryGetValue("train", out RecipeNode train) ? train.IsMapping ? train : throw train.Unexpected("train, a mapping with data, lr and epochs") : null,
            TrainPosition = PositionOf(node, "train"),
        };
    }

    /// <summary>Where a key stands that has a value.</summary>
    private static RecipePosition? PositionOf(RecipeNode node, string key) =>
        node.Entries("a recipe").Where(e => e.Key == key && !e.Value.IsNull).Select(e => (RecipePosition?)e.Position).FirstOrDefault();

    private static ImmutableArray<RecipeSource> ReadModels(RecipeNode node, List<RecipeFeature> features) =>
        [.. node.Items("models, a list of {model, parameters}").Select(item => ReadSource(item, RecipeLevel.Model, features))];

    private static ImmutableArray<RecipeSlice> ReadSlices(RecipeNode node, List<RecipeFeature> features) =>
        [.. node.Items("slices, a list of {sources, base_model, parameters}").Select(item => ReadSlice(item, features))];

    private static ImmutableArray<RecipeModule> ReadModules(RecipeNode node, List<RecipeFeature> features)
    {
        var entries = node.Entries("modules, a mapping of names to {models or slices, parameters}");
        if (entries.IsEmpty) throw node.Position.Refuse("modules is empty");
        return [.. entries.Select(e => ReadModule(e.Key, e.Position, e.Value, features))];
    }

    private static RecipeModule ReadModule(string name, RecipePosition position, RecipeNode node, List<RecipeFeature> features)
    {
        var fields = node.Fields(RecipeLevel.Module);
        OneOf(node, fields, "a module", ["models", "slices"]);
        ImmutableArray<RecipeSource> models = Optional(fields, "models", n => ReadModels(n, features), []);
        ImmutableArray<RecipeSlice> slices = Optional(fields, "slices", n => ReadSlices(n, features), []);
        return new(name, models, slices, ReadParameters(fields), position);
    }

    private static RecipeSlice ReadSlice(RecipeNode node, List<RecipeFeature> features)
    {
        var fields = node.Fields(RecipeLevel.Slice);
        var items = Required(node, fields, "sources", RecipeLevel.Slice).Items("sources, a list of {model, layer_range, parameters}");
        ImmutableArray<RecipeSource> sources = [.. items.Select(item => ReadSource(item, RecipeLevel.Source, features))];
        foreach (RecipeSource source in sources)
        {
            if (Layers(source) == Layers(sources[0])) continue;
            string found = $"found {Layers(sources[0])} of '{sources[0].Model}' and {Layers(source)} of '{source.Model}'";
            throw source.Position.Refuse($"the sources of a slice must have the same number of layers, {found}");
        }

        return new(sources, Optional(fields, "base_model", n => ReadReference(n, features), null), ReadParameters(fields), node.Position);
    }

    private static RecipeSource ReadSource(RecipeNode node, RecipeLevel level, List<RecipeFeature> features)
    {
        var fields = node.Fields(level);
        ModelReference model = ReadReference(Required(node, fields, "model", level), features);
        (int, int)? range = level == RecipeLevel.Source ? ReadRange(Required(node, fields, "layer_range", level)) : null;
        return new(model, range, ReadParameters(fields), node.Position);
    }

    private static int Layers(RecipeSource source) => source.LayerRange!.Value.End - source.LayerRange.Value.First;

    private static (int First, int End) ReadRange(RecipeNode node)
    {
        const string What = "a layer_range [first, end] of two whole numbers from 0 on";
        ImmutableArray<RecipeNode> items = node.Items(What);
        if (items.Length != 2) throw node.Position.Refuse($"expected {What}, found {items.Length}");
        (int first, int end) = (items[0].Count(What), items[1].Count(What));
        if (first < end) return (first, end);
        string meant = first == end ? $"[{first}, {end + 1L}] is layer {first}" : $"[{end}, {first + 1L}] ends with layer {first}";
        throw node.Position.Refuse($"layer_range [{first}, {end}] has no layers: the end is exclusive, {meant}");
    }

    private static ModelReference ReadReference(RecipeNode node, List<RecipeFeature> features)
    {
        if (!node.IsMapping) return ReadShort(node);
        var fields = node.Fields(RecipeLevel.Reference);
        const string Override = "override_architecture";
        if (fields.TryGetValue(Override, out RecipeNode architecture)) features.Add(ReadFeature(Override, architecture));
        ModelReference model = ReadPath(Required(node, fields, "model", RecipeLevel.Reference));
        return new(model.Path, model.Revision, Optional(fields, "lora", ReadPath, null)) { Position = node.Position };
    }

    private static ModelReference ReadPath(RecipeNode node)
    {
        if (!node.IsMapping)
        {
            ModelReference part = ReadShort(node);
            return part.Lora is null ? part : throw node.Position.Refuse($"expected path[@revision], found {Nearest.Quote(part.Text)}: name the adapter under lora");
        }

        var fields = node.Fields(RecipeLevel.Path);
        string path = Required(node, fields, "path", RecipeLevel.Path).Text("a path");
        return new(path, Optional(fields, "revision", n => n.Text("a revision"), null)) { Position = node.Position };
    }

    private static ModelReference ReadShort(RecipeNode node)
    {
        string text = node.Text("a model, path[@revision][+lora[@revision]] or a mapping {model, lora}");
        return node.Position.Locate(() => ModelReference.Parse(text)) with { Position = node.Position };
    }

    private static ParameterBlock ReadParameters(Dictionary<string, RecipeNode> fields) =>
        Optional(fields, "parameters", ParameterBlock.Read, ParameterBlock.Empty);

    private static DType ReadDType(RecipeNode node)
    {
        string what = $"a floating-point type ({string.Join(", ", DTypes)})", name = node.Text(what);
        string bare = name.StartsWith("torch.", StringComparison.Ordinal) ? name["torch.".Length..] : name;
        if (DTypes.Contains(bare)) return DType.Find(bare)!;
        throw node.Position.Refuse($"expected {what}, found {Nearest.Quote(name)}{Nearest.Hint(bare, DTypes)}");
    }

    private static bool ReadFlag(RecipeNode node) => node.Flag ?? throw node.Unexpected("true or false");

    private static IntegerRule ReadIntegers(RecipeNode node) => node.Text("equal or base") switch
    {
        "equal" => IntegerRule.Equal,
        "base" => IntegerRule.Base,
        _ => throw node.Unexpected("equal or base"),
    };

    private static RecipeFeature ReadFeature(string name, RecipeNode node)
    {
        if (!node.IsMapping) return new(name, node.Position, node.Text("a text"));
        RecipeNode source = node.Entries(name).FirstOrDefault(e => e.Key == "source").Value;
        return new(name, node.Position, source.Yaml is null || !source.IsScalar ? "" : source.Text("a source"));
    }

    private static RecipeNode Required(RecipeNode node, Dictionary<string, RecipeNode> fields, string key, RecipeLevel level) =>
        fields.TryGetValue(key, out RecipeNode value) ? value : throw node.Position.Refuse($"{level.Place} needs '{key}', which is missing");

    private static T Optional<T>(Dictionary<string, RecipeNode> fields, string key, Func<RecipeNode, T> read, T missing) =>
        fields.TryGetValue(key, out RecipeNode node) ? read(node) : missing;

    private static void OneOf(RecipeNode node, Dictionary<string, RecipeNode> fields, string place, ImmutableArray<string> keys)
    {
        string[] given = [.. keys.Where(fields.ContainsKey)];
        if (given.Length == 1) return;
        (RecipeNode at, string found) = given.Length == 0 ? (node, "none") : (fields[given[1]], string.Join(" and ", given));
        throw at.Position.Refuse($"{place} needs exactly one of {string.Join(", ", keys)}, found {found}");
    }

    private static void AtMostOne(Dictionary<string, RecipeNode> fields, string a, string b)
    {
        if (!fields.ContainsKey(a) || !fields.TryGetValue(b, out RecipeNode second)) return;
        throw second.Position.Refuse($"'{a}' and '{b}' exclude each other");
    }
}
