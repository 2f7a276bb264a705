using System.Collections.Immutable;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>How the command line names a thing that has options: <c>mlp:hidden=400/200/100,bias=false</c>, a list of numbers with slashes.</summary>
internal static class NameWithOptions
{
    /// <summary>Takes the name and the options apart; lists get commas.</summary>
    /// <exception cref="InvalidDataException">An option has no value or stands twice.</exception>
    public static (string Name, ImmutableDictionary<string, string> Options) Parse(string text)
    {
        int colon = text.IndexOf(':');
        if (colon < 0) return (text, ImmutableDictionary<string, string>.Empty);
        Dictionary<string, string> options = [];
        foreach (string option in text[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = option.IndexOf('=');
            if (equals < 1) throw new InvalidDataException($"'{text}': expected NAME=VALUE after the colon, found {Nearest.Quote(option)}; a list is written with slashes: hidden=400/200/100");
            if (!options.TryAdd(option[..equals], List(option[(equals + 1)..]))) throw new InvalidDataException($"'{text}': the option {Nearest.Quote(option[..equals])} stands twice");
        }

        return (text[..colon], options.ToImmutableDictionary());
    }

    /// <summary>Slashes between whole numbers are a list's; a path keeps them.</summary>
    private static string List(string value) => value.Split('/').All(part => part.Length > 0 && part.All(char.IsAsciiDigit)) ? value.Replace('/', ',') : value;
}
