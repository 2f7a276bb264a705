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
        foreach (PlannedModel model in plan.Models) text.Append($"- {Plain(model.Label)}\n");
        text.Append($"""
            ---
            # A merged model

            Made with Amalgam by `{method.Name}`: {method.Summary}. Source of the method: {method.Source}.

            It has {plan.Tensors.Length:N0} tensors with {plan.Parameters:N0} numbers, most of them in {plan.MainType.LongName}{(plan.Layers is { } layers ? $", and {layers} layers" : ": the size and the inference cost of one of its parents")}.

            ## Models


            """);
        foreach (PlannedModel model in plan.Models)
            text.Append($"- `{Plain(model.Label)}`{(plan.Recipe.BaseModel?.Text == model.Label ? " (base)" : "")}\n");
        text.Append($"\n## Recipe\n\n```yaml\n{recipe.TrimEnd()}\n```\n");
        return text.ToString();
    }

    /// <summary>A label on one line, without what would end its quotes.</summary>
    private static string Plain(string label) => string.Concat(label.Select(c => char.IsControl(c) || c == '`' ? '_' : c));
}
