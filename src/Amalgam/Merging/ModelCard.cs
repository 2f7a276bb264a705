using System.Text;
using Amalgam.Merging.Planning;

namespace Amalgam.Merging;

/// <summary>The README.md of a merged model: what it was made of, how, and the recipe that makes it again.</summary>
internal static class ModelCard
{
    public static string Write(MergePlan plan, string recipe)
    {
        MethodEntry method = MergeMethod.Find(plan.Recipe.Method)!;
        StringBuilder text = new();
        text.Append("---\ntags:\n- merge\n- amalgam\nbase_model:\n");
        foreach (PlannedModel model in plan.Models) text.Append($"- \"{Name(model).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"\n");
        text.Append($"""
            ---
            # A merged model

            Made with Amalgam by `{method.Name}`: {method.Summary}. Source of the method: {method.Source}.

            It has {plan.Tensors.Length:N0} tensors with {plan.Parameters:N0} numbers, most of them in {plan.MainType.LongName}{(plan.Layers is { } layers ? $", and {layers} layers" : ": the size and the inference cost of one of its parents")}.

            ## Models


            """);
        foreach (PlannedModel model in plan.Models)
            text.Append($"- `{Name(model)}`{(plan.Recipe.BaseModel?.Text == model.Label ? " (base)" : "")}\n");
        string fence = new('`', Math.Max(3, LongestRun(recipe, '`') + 1));
        text.Append($"\n## Recipe\n\n{fence}yaml\n{recipe.TrimEnd()}\n{fence}\n");
        return text.ToString();
    }

    /// <summary>A model as others may know it: where it lies on this machine tells them nothing.</summary>
    private static string Name(PlannedModel model)
    {
        string path = Path.TrimEndingDirectorySeparator(model.Label);
        return Plain(Path.IsPathRooted(path) || path.StartsWith('.') ? Path.GetFileName(path) is { Length: > 0 } name && name.Trim('.') != "" ? name : Path.GetFileName(Path.GetFullPath(path)) : path);
    }

    private static int LongestRun(string text, char c)
    {
        int longest = 0, run = 0;
        foreach (char at in text) longest = Math.Max(longest, run = at == c ? run + 1 : 0);
        return longest;
    }

    /// <summary>A label on one line, without what would end its quotes.</summary>
    private static string Plain(string label) => string.Concat(label.Select(c => char.IsControl(c) || c == '`' ? '_' : c));
}
