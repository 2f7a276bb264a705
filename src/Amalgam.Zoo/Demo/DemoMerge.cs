using System.Collections.Immutable;
using System.Text;
using Amalgam.Merging;

namespace Amalgam.Zoo.Demo;

/// <summary>One way of merging two networks: a method with its parameters.</summary>
/// <param name="Entry">The method.</param>
/// <param name="Parameters">The parameters that are given; all others have their defaults, a weight is 1.</param>
public sealed record DemoMerge(MethodEntry Entry, params ImmutableArray<(string Name, string Value)> Parameters)
{
    /// <summary>Values to choose from on the validation samples, for the methods whose result hangs on them. All others run with their defaults.</summary>
    private static readonly Dictionary<string, (string Name, string[] Values)[]> Alternatives = new()
    {
        ["slerp"] = [("t", ["0.5", "0.4", "0.6", "0.3", "0.7"])],
        ["task_arithmetic"] = [Lambda],
        ["ties"] = [("density", ["0.2", "0.5", "0.8"]), ("lambda", ["1", "1.5", "2"])],
        ["dare_linear"] = [Density, Lambda],
        ["dare_ties"] = [Density, Lambda],
        ["breadcrumbs"] = [Density, Lambda],
        ["breadcrumbs_ties"] = [Density, Lambda],
        ["della"] = [Density, Lambda],
        ["della_linear"] = [Density, Lambda],
        ["nearswap"] = [("t", ["0.001", "0.01", "0.1"])],
        ["sce"] = [("select_topk", ["1", "0.5", "0.2"])],
        ["ramplus_tl"] = [("r", ["0.1", "0.3"])],
        ["cki"] = [("splice", ["soft", "hard"]), ("biases", ["average", "splice", "base"])],
    };

    private static (string, string[]) Lambda => ("lambda", ["0.3", "0.5", "0.7", "1"]);

    private static (string, string[]) Density => ("density", ["0.5", "0.8"]);

    /// <summary>Every method that makes one network of two, with two models or with a model and a base, in the order of the registry.</summary>
    public static ImmutableArray<MethodEntry> Methods => [.. MergeMethod.All.Where(m => (m.Least <= 2 && m.Most >= 2) || (m.Most == 1 && m.Base == BaseRole.Origin))];

    /// <summary>The method as the command line takes it, such as <c>ties:density=0.5</c>.</summary>
    public string Label => Parameters.IsEmpty ? Entry.Name : $"{Entry.Name}:{string.Join(',', Parameters.Select(p => $"{p.Name}={p.Value}"))}";

    /// <summary>The method takes differences of both networks from a base that they come from.</summary>
    public static bool NeedsCommonBase(MethodEntry method) => method is { Base: BaseRole.Origin, Most: > 1 };

    /// <summary>The merges to choose from: every combination of the alternatives.</summary>
    public static ImmutableArray<DemoMerge> Of(MethodEntry method)
    {
        IEnumerable<ImmutableArray<(string, string)>> all = [[]];
        foreach (var (name, values) in Alternatives.GetValueOrDefault(method.Name, []))
            all = [.. all.SelectMany(given => values.Select(value => given.Add((name, value))))];
        return [.. all.Select(given => new DemoMerge(method, given))];
    }

    /// <summary>What the recipe names as base and as models.</summary>
    /// <param name="first">Path of one network; it is the base of methods that take a base and one model.</param>
    /// <param name="second">Path of the other.</param>
    /// <param name="origin">Path of the base that both come from; null when there is none.</param>
    public (string? Base, ImmutableArray<string> Models) Roles(string first, string second, string? origin) => Entry switch
    {
        { Base: BaseRole.Origin, Most: 1 } => (first, [second]),
        { Base: BaseRole.Origin or BaseRole.Donor } => (origin, [first, second]),
        { Base: BaseRole.First } => (first, [first, second]),
        _ => (null, [first, second]),
    };

    /// <summary>The recipe.</summary>
    /// <param name="first">Path of one network.</param>
    /// <param name="second">Path of the other.</param>
    /// <param name="origin">Path of the base that both come from; null when there is none.</param>
    public string Recipe(string first, string second, string? origin)
    {
        var (baseModel, models) = Roles(first, second, origin);
        StringBuilder text = new();
        text.Append($"merge_method: {Entry.Name}\n");
        if (baseModel is not null) text.Append($"base_model: {Quoted(baseModel)}\n");
        text.Append("models:\n");
        foreach (string model in models) text.Append($"  - model: {Quoted(model)}\n");
        IEnumerable<(string Name, string Value)> weight = Entry.Parameters.Any(p => p is { Name: "weight", Required: true }) ? [("weight", "1")] : [];
        (string Name, string Value)[] all = [.. weight, .. Parameters];
        if (all.Length > 0) text.Append("parameters:\n");
        foreach (var (name, value) in all) text.Append($"  {name}: {value}\n");
        return text.ToString();
    }

    /// <summary>Writes the recipe and merges by it.</summary>
    /// <param name="recipe">The recipe's file.</param>
    /// <param name="output">The checkpoint to write.</param>
    /// <param name="first">Path of one network, absolute or from the recipe's folder; see <see cref="Roles"/>.</param>
    /// <param name="second">Path of the other.</param>
    /// <param name="origin">Path of the base that both come from; null when there is none.</param>
    /// <param name="options">How to merge.</param>
    /// <exception cref="IOException">From the current folder the recipe's paths lead to other files.</exception>
    public void Merge(string recipe, string output, string first, string second, string? origin, MergeOptions options)
    {
        File.WriteAllText(recipe, Recipe(first, second, origin));
        using RecipeRun run = RecipeRun.Read(recipe);
        string folder = Path.GetDirectoryName(Path.GetFullPath(recipe))!;
        HashSet<string> meant = [.. new[] { first, second, origin ?? first }.Select(path => Path.GetFullPath(Path.Combine(folder, path)))];
        foreach (string model in run.Plans.SelectMany(p => p.Models).Select(m => Path.GetFullPath(m.Checkpoint.Path)))
        {
            if (!meant.Contains(model))
                throw new IOException($"{model} would be taken for a model of the recipe, since a recipe's paths are looked up from the current folder first; run it in another folder");
        }

        run.Run(output, options);
    }

    /// <summary>YAML's single quotes: a path may hold anything.</summary>
    private static string Quoted(string path) => $"'{path.Replace("'", "''", StringComparison.Ordinal)}'";
}
