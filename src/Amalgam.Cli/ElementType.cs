using System.CommandLine;
using System.CommandLine.Parsing;
using Amalgam.Merging.Recipes;

namespace Amalgam.Cli;

/// <summary>The option that names a floating-point type.</summary>
internal static class ElementType
{
    private static IEnumerable<string> Names => DType.All.Where(t => t.IsFloat).Select(t => t.LongName);

    public static Option<DType?> Option(string description)
    {
        Option<DType?> option = new("--dtype", "-t") { Description = $"{description}: {string.Join(", ", Names)}", CustomParser = Parse, HelpName = "type" };
        option.CompletionSources.Add(_ => Names);
        return option;
    }

    private static DType? Parse(ArgumentResult argument)
    {
        string text = argument.Tokens[0].Value;
        if (DType.Find(text) is { IsFloat: true } type) return type;
        argument.AddError($"{Nearest.Quote(text)} is no floating-point type{Nearest.Hint(text, Names)}; there are {string.Join(", ", Names)}");
        return null;
    }
}
