using System.CommandLine;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Cli;

/// <summary><c>amalgam methods</c>: the merge methods and their parameters.</summary>
internal static class MethodsCommand
{
    private const int PipedWidth = 120;

    public static Command Create()
    {
        Argument<string?> name = new("name") { Description = "The method to explain; without it all are listed", Arity = ArgumentArity.ZeroOrOne, HelpName = "name" };
        name.CompletionSources.Add(_ => MergeMethod.All.Select(m => m.Name));
        Verb verb = new(
            "methods", "List the merge methods, or explain one: when to use it, its parameters, where it comes from, a recipe.",
            [
                "amalgam methods",
                "amalgam methods ties",
                "amalgam methods cki",
            ])
        {
            name,
        };
        verb.Runs((parse, _) =>
        {
            TextWriter output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(name) is { } one) Explain(output, Find(one));
            else List(output);
        });
        return verb;
    }

    /// <summary>The method of a name.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    internal static MethodEntry Find(string name) => MergeMethod.Find(name) ?? throw new MergeException(
        $"there is no merge method {Nearest.Quote(name)}{Nearest.Hint(name, MergeMethod.All.Select(m => m.Name))}; there are {string.Join(", ", MergeMethod.All.Select(m => m.Name))}");

    private static void List(TextWriter output)
    {
        int width = Screen.WidthOf(output) ?? int.MaxValue;
        string Row(string name, string models, string role) => $"{name.PadRight(MergeMethod.All.Max(m => m.Name.Length))}  {models,-9}  {role,-8}  ";
        Say(output, Row("METHOD", "MODELS", "BASE"), "WHAT IT DOES", width);
        foreach (MethodEntry method in MergeMethod.All) Say(output, Row(method.Name, method.Models, BaseOf(method)), method.Summary, width);
        output.WriteLine();
        output.WriteLine("amalgam methods NAME explains one of them.");
    }

    private static void Explain(TextWriter output, MethodEntry method)
    {
        int width = Screen.WidthOf(output) ?? PipedWidth;
        int label = 2 + method.AllParameters.Max(p => p.Name.Length);
        void Tell(string name, string text) => Say(output, "  " + name.PadRight(label), text, width);
        output.WriteLine($"{method.Name}: {method.Summary}");
        output.WriteLine();
        Tell("when", method.Use);
        Tell("models", method.Models);
        Tell("base", method.Base switch
        {
            BaseRole.Origin => "needed; the models' differences from it are merged",
            BaseRole.OptionalOrigin => "optional; where it is given, the models' differences from it are merged",
            BaseRole.First => "needed; it is the first of the models",
            BaseRole.Model => "none; a base_model that is not listed takes part as the last model where a weight holds for it too",
            _ => "none; a base_model gives the tensors that are not merged",
        });
        Tell("source", method.Source);
        foreach (MethodParameter parameter in method.AllParameters)
        {
            output.WriteLine();
            Tell(parameter.Name, parameter.Summary);
            Tell("", $"{parameter.Range}; {(parameter.Required ? "required" : $"default {parameter.DefaultText}")}{(parameter.PerModel ? "; one for all models or one for each" : "")}");
        }

        output.WriteLine();
        output.WriteLine("Recipe:");
        foreach (string line in Recipe(method).Split('\n')) output.WriteLine($"  {line}".TrimEnd());
    }

    /// <summary>Prints text beside a label, folded between words.</summary>
    private static void Say(TextWriter output, string label, string text, int width)
    {
        int room = Math.Max(20, width - 1 - label.Length);
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > room)
            {
                output.WriteLine(label + line);
                (label, line) = (new(' ', label.Length), "");
            }

            line += line.Length == 0 ? word : $" {word}";
        }

        output.WriteLine(label + line);
    }

    private static string BaseOf(MethodEntry method) => method.Base switch
    {
        BaseRole.Origin or BaseRole.First => "yes",
        BaseRole.OptionalOrigin => "optional",
        _ => "no",
    };

    /// <summary>A small recipe that gives every required parameter.</summary>
    internal static string Recipe(MethodEntry method)
    {
        List<string> lines = [$"merge_method: {method.Name}"];
        bool baseIsModel = method.Base == BaseRole.First;
        if (method.Base is not (BaseRole.Model or BaseRole.Donor)) lines.Add("base_model: ./base");
        MethodParameter[] perModel = [.. method.Parameters.Where(p => p.Required && p.PerModel)], common = [.. method.Parameters.Where(p => p.Required && !p.PerModel)];
        lines.Add("models:");
        int count = Math.Clamp(2, method.Least, method.Most);
        for (int i = 0; i < count; i++)
        {
            string model = baseIsModel && i == 0 ? "base" : $"model-{(char)('a' + i - (baseIsModel ? 1 : 0))}";
            lines.Add($"  - model: ./{model}");
            if (perModel.Length == 0) continue;
            lines.Add("    parameters:");
            lines.AddRange(perModel.Select(p => $"      {p.Name}: {Example(p)}"));
        }

        if (common.Length > 0) lines.Add("parameters:");
        lines.AddRange(common.Select(p => $"  {p.Name}: {Example(p)}"));
        lines.Add("dtype: bfloat16");
        return string.Join('\n', lines);
    }

    private static string Example(MethodParameter p) => p.Kind switch
    {
        ParameterKind.Flag => "true",
        ParameterKind.Word => p.Words[0],
        ParameterKind.Patterns => "['*']",
        _ => p.Whole ? "1" : "0.5",
    };
}
