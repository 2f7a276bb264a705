using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Models;

/// <summary>A layer of a <see cref="Sequential"/> network.</summary>
/// <param name="Kind">conv, linear, batch_norm, max_pool, avg_pool, global_avg_pool, flatten, dropout or an activation.</param>
public sealed record SequentialLayer(string Kind)
{
    private static readonly ImmutableDictionary<string, ImmutableArray<string>> Keys = new Dictionary<string, ImmutableArray<string>>
    {
        ["conv"] = ["name", "channels", "kernel", "stride", "padding", "groups", "bias"],
        ["linear"] = ["name", "features", "bias"],
        ["batch_norm"] = ["name", "epsilon"],
        ["max_pool"] = ["kernel", "stride", "padding"],
        ["avg_pool"] = ["kernel", "stride", "padding"],
        ["dropout"] = ["ratio"],
        ["global_avg_pool"] = [],
        ["flatten"] = [],
    }.ToImmutableDictionary();

    /// <summary>What the parameters' names begin with: <c>fc1</c> for <c>fc1.weight</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>Channels or features of the result.</summary>
    public int Outputs { get; init; }

    /// <summary>Height and width of a kernel or window.</summary>
    public int Kernel { get; init; }

    /// <summary>Step between windows; 0 for 1 in convolutions and the kernel in poolings.</summary>
    public int Stride { get; init; }

    /// <summary>Pixels added on each side.</summary>
    public int Padding { get; init; }

    /// <summary>Groups of a convolution.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether there is a bias.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>The normalisation's epsilon, or the share that dropout drops.</summary>
    public float Number { get; init; }

    /// <summary>Reads <c>relu</c>, or a mapping of one kind to its values.</summary>
    internal static SequentialLayer Read(RecipeNode node)
    {
        if (node.IsScalar)
        {
            string word = node.Text("a layer");
            bool isKind = Keys.TryGetValue(word, out var keys);
            if (Activations.Find(word) is not null || (isKind && keys.IsEmpty)) return new(word);
            throw node.Position.Refuse(isKind ? $"{word} needs values: {word}: {{{string.Join(", ", keys)}}}" : Unknown(word));
        }

        var entries = node.Entries("a layer: a word, or a mapping of one kind to its values");
        if (entries.Length != 1) throw node.Position.Refuse($"a layer is one kind with its values, found {entries.Length} keys");
        var (kind, position, values) = entries[0];
        if (!Keys.TryGetValue(kind, out var known)) throw position.Refuse(Unknown(kind));
        if (known.IsEmpty) throw position.Refuse($"{kind} has no values: write it as a word");
        var fields = values.IsMapping ? values.Fields(new($"a layer of kind {kind}", known)) : throw values.Unexpected($"the values of {kind}, a mapping of {string.Join(", ", known)}");

        int Whole(string key, int? missing, int least = 1) => !fields.TryGetValue(key, out RecipeNode value)
            ? missing ?? throw position.Refuse($"{kind} needs '{key}', which is missing")
            : value.Count($"{key}, a whole number from {least} on") is var whole && whole >= least ? whole : throw value.Unexpected($"{key}, a whole number from {least} on");
        float Share(string key, float missing) => !fields.TryGetValue(key, out RecipeNode value) ? missing
            : value.Number is >= 0 and < 1 ? (float)value.Number.Value : throw value.Unexpected($"{key}, a number from 0 on, below 1");
        bool named = known.Contains("name");
        return new(kind)
        {
            Name = !named ? "" : fields.TryGetValue("name", out RecipeNode name) ? name.Text("what the parameters' names begin with") : throw position.Refuse($"{kind} needs 'name', which is missing: what its parameters' names begin with"),
            Outputs = known.Contains("channels") ? Whole("channels", null) : known.Contains("features") ? Whole("features", null) : 0,
            Kernel = known.Contains("kernel") ? Whole("kernel", null) : 0,
            Stride = Whole("stride", 0),
            Padding = Whole("padding", 0, least: 0),
            Groups = Whole("groups", 1),
            Bias = !fields.TryGetValue("bias", out RecipeNode bias) || (bias.Flag ?? throw bias.Unexpected("bias, true or false")),
            Number = kind == "dropout" ? Share("ratio", 0.5f) : Share("epsilon", 1e-5f),
        };
    }

    /// <summary>Sizes from 1 on, one or more.</summary>
    internal static ImmutableArray<int> ReadSizes(RecipeNode node, string what) =>
        [.. node.Items(what).Select(item => item.Count(what) is var size && size > 0 ? size : throw item.Unexpected(what))];

    internal Node Add(Layers net, Node x) => Kind switch
    {
        "conv" => net.Conv(x, Name, Outputs, Kernel, Math.Max(1, Stride), Padding, Groups, Bias),
        "linear" => net.Linear(x, Name, Outputs, Bias),
        "batch_norm" => net.BatchNorm(x, Name, Number),
        "max_pool" => net.Graph.Add(new MaxPool(Square(Kernel), Square(Step), Pads, [1, 1], false), x),
        "avg_pool" => net.Graph.Add(new AveragePool(Square(Kernel), Square(Step), Pads, false, true, [1, 1]), x),
        "global_avg_pool" => net.Graph.Add(new GlobalAveragePool(), x),
        "flatten" => x.Flatten(),
        "dropout" => Layers.Drop(x, Number),
        _ => x.Activate(Kind),
    };

    private int Step => Stride == 0 ? Kernel : Stride;

    private ImmutableArray<int> Pads => [Padding, Padding, Padding, Padding];

    private static ImmutableArray<int> Square(int size) => [size, size];

    private static string Unknown(string kind)
    {
        IEnumerable<string> known = Keys.Keys.Order(StringComparer.Ordinal).Concat(Activations.Names);
        return $"there is no layer {Nearest.Quote(kind)}{Nearest.Hint(kind, known)}; known are {string.Join(", ", known)}";
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}{(Name == "" ? "" : $" '{Name}'")}");
}
