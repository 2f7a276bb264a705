using System.CommandLine;

namespace Amalgam.Cli;

/// <summary>Options that take one of a few words.</summary>
internal static class WordOption
{
    public static Option<string?> Create(string name, string description, params IEnumerable<string> words)
    {
        string[] allowed = [.. words];
        Option<string?> option = new(name) { Description = description, HelpName = string.Join('|', allowed) };
        option.CompletionSources.Add(allowed);
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !allowed.Contains(result.Tokens[0].Value, StringComparer.Ordinal)) result.AddError($"{name}: '{result.Tokens[0].Value}' not recognized, it is one of {string.Join(", ", allowed)}");
        });
        return option;
    }
}
