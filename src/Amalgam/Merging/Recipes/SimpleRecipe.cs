using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Amalgam.Merging.Recipes;

/// <summary>
/// The recipe for a merge named on the command line: <c>ties:density=0.5,weight=0.7/0.3</c>. Values separated by a slash belong to the models in their order;
/// patterns are separated by a semicolon. A weight that is not given is 1, and slerp's base is the first model where none is named.
/// </summary>
internal static class SimpleRecipe
{
    /// <param name="method">The method with its parameters.</param>
    /// <param name="models">The models.</param>
    /// <param name="baseModel">The base; null for none.</param>
    /// <param name="more">Parameters beside those of the method's text.</param>
    /// <param name="option">What messages call the method's text.</param>
    public static string Write(string method, string[] models, string? baseModel, IReadOnlyList<(string Name, string[] Values)>? more = null, string option = "--method")
    {
        var (name, values) = Parse(method, option);
        foreach (var (parameter, given) in more ?? [])
            if (!values.TryAdd(parameter, given)) throw new MergeException($"{option} {method}: {parameter} is given twice");
        MethodEntry? entry = MergeMethod.Find(name);
        if (entry?.Parameters.Any(p => p is { Name: "weight", Required: true }) == true) values.TryAdd("weight", ["1"]);
        if (entry?.Base == BaseRole.First) baseModel ??= models[0];

        StringBuilder text = new();
        text.Append($"merge_method: {Quote(name)}\nmodels:\n");
        for (int i = 0; i < models.Length; i++)
        {
            text.Append($"  - model: {Model(models[i])}\n");
            var own = values.Where(v => IsOfModels(entry, v.Key, v.Value)).ToArray();
            if (own.Length == 0) continue;
            text.Append("    parameters:\n");
            foreach (var (parameter, ofModels) in own)
            {
                if (ofModels.Length != 1 && ofModels.Length != models.Length)
                    throw new MergeException($"{option} {method}: {parameter} has {ofModels.Length} values for {models.Length} models; give one for all, or one for each");
                text.Append($"      {Quote(parameter)}: {Value(ofModels[ofModels.Length == 1 ? 0 : i])}\n");
            }
        }

        if (baseModel is not null) text.Append($"base_model: {Model(baseModel)}\n");
        var common = values.Where(v => !IsOfModels(entry, v.Key, v.Value)).ToArray();
        if (common.Length > 0) text.Append("parameters:\n");
        foreach (var (parameter, value) in common)
            text.Append($"  {Quote(parameter)}: {(IsPatterns(entry, parameter) ? $"[{string.Join(", ", value.Select(Quote))}]" : Value(value[0]))}\n");
        return text.ToString();
    }

    private static (string Name, Dictionary<string, string[]> Values) Parse(string method, string option)
    {
        int colon = method.IndexOf(':');
        string name = colon < 0 ? method : method[..colon];
        Dictionary<string, string[]> values = new(StringComparer.Ordinal);
        foreach (string part in colon < 0 ? [] : method[(colon + 1)..].Split(','))
        {
            int equals = part.IndexOf('=');
            if (equals <= 0) throw new MergeException($"{option} {method}: expected name=value, found '{part}'; for example ties:density=0.5,weight=0.7/0.3");
            string parameter = part[..equals].Trim(), value = part[(equals + 1)..].Trim();
            char separator = MergeMethod.Find(name) is { } entry && IsPatterns(entry, parameter) ? ';' : '/';
            if (!values.TryAdd(parameter, value.Split(separator))) throw new MergeException($"{option} {method}: {parameter} is given twice");
        }

        return (name, values);
    }

    /// <summary>Stands under each model. So does a weight that all share, or a base that is only to lend its files would take part with it.</summary>
    private static bool IsOfModels(MethodEntry? entry, string parameter, string[] values) =>
        (values.Length > 1 && !IsPatterns(entry, parameter)) || entry?.Parameters.Any(p => p.Name == parameter && p is { PerModel: true, Required: true }) == true;

    private static bool IsPatterns(MethodEntry? entry, string parameter) =>
        (entry?.AllParameters ?? MethodEntry.Common).Any(p => p.Name == parameter && p.Kind == ParameterKind.Patterns);

    /// <summary>Plain where YAML reads a number or a boolean, in quotes otherwise.</summary>
    private static string Value(string text) => double.TryParse(text, out _) || text is "true" or "false" ? text : Quote(text);

    private static string Model(string path) => path.AsSpan().IndexOfAny('@', '+') < 0 ? Quote(path) : $"{{model: {{path: {Quote(path)}}}}}";

    private static string Quote(string text) => JsonSerializer.Serialize(text, QuotedText.Default.String);
}

/// <summary>Quotes without reflection.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class QuotedText : JsonSerializerContext;
