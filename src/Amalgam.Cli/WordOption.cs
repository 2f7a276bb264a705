using System.CommandLine;

namespace Amalgam.Cli;

/// <summary>Options that take one of a few words.</summary>
internal static class WordOption
{
    public static Option<string?> Create(string name, string description, params IEnumerable<string> words)
    {
        Option<string?> option = new(name) { Description = description };
        option.AcceptOnlyFromAmong([.. words]);
        return option;
    }
}
