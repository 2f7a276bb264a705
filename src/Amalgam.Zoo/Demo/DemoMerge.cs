using System.Collections.Immutable;
using System.Text;
using Amalgam.Merging;

namespace Amalgam.Zoo.Demo;

/// <summary>One way in which the demonstration merges its fine-tunes.</summary>
/// <param name="Method">The method's name.</param>
/// <param name="Parameters">The parameters that are given; all others have their defaults.</param>
public sealed record DemoMerge(string Method, params ImmutableArray<(string Name, string Value)> Parameters)
{
    private static readonly (string, string) Half = ("density", "0.5");

    /// <summary>
    /// Every method that takes three fine-tunes. All parameters are the defaults, weights are 1; only the density of the methods that prune is 0.5, since the
    /// default prunes nothing. None was chosen by looking at results.
    /// </summary>
    public static readonly ImmutableArray<DemoMerge> All =
    [
        new("linear"),
        new("multislerp"),
        new("karcher"),
        new("task_arithmetic"),
        new("ties", Half),
        new("dare_linear", Half),
        new("dare_ties", Half),
        new("breadcrumbs", Half),
        new("breadcrumbs_ties", Half),
        new("della", Half),
        new("della_linear", Half),
        new("model_stock"),
        new("sce"),
        new("ram"),
        new("ramplus_tl"),
        new("cki"),
        new("cki", ("splice", "hard")),
        new("cki", ("biases", "average")),
        new("cki", ("splice", "hard"), ("biases", "average")),
    ];

    private readonly MethodEntry _entry = MergeMethod.Find(Method)!;

    /// <summary>The method as the command line takes it, such as <c>ties:density=0.5</c>.</summary>
    public string Label => Parameters.IsEmpty ? Method : $"{Method}:{string.Join(',', Parameters.Select(p => $"{p.Name}={p.Value}"))}";

    /// <summary>A name for files, such as <c>ties-0.5</c>.</summary>
    public string FileName => string.Join('-', Parameters.Select(p => p.Value).Prepend(Method));

    /// <summary>The merge needs the base: to take differences from it, or for what it does not merge.</summary>
    public bool UsesBase => _entry.Base is BaseRole.Origin or BaseRole.Donor;

    /// <summary>The recipe.</summary>
    /// <param name="origin">Path of the base.</param>
    /// <param name="models">Paths of the fine-tunes.</param>
    public string Recipe(string origin, IEnumerable<string> models)
    {
        StringBuilder text = new();
        text.Append($"merge_method: {Method}\n");
        if (UsesBase) text.Append($"base_model: {origin}\n");
        text.Append("models:\n");
        foreach (string model in models) text.Append($"  - model: {model}\n");
        IEnumerable<(string Name, string Value)> weight = _entry.Parameters.Any(p => p is { Name: "weight", Required: true }) ? [("weight", "1")] : [];
        (string Name, string Value)[] all = [.. weight, .. Parameters];
        if (all.Length > 0) text.Append("parameters:\n");
        foreach (var (name, value) in all) text.Append($"  {name}: {value}\n");
        return text.ToString();
    }
}
