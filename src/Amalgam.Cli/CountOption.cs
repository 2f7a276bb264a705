using System.CommandLine;
using System.Globalization;
using Amalgam.Merging.Recipes;

namespace Amalgam.Cli;

/// <summary>Options that take a whole number.</summary>
internal static class CountOption
{
    private const string All = "all";

    public static Option<int?> Create(string name, string description, params string[] aliases) => Checked(new Option<int?>(name, aliases) { Description = description }, 1);

    /// <summary>An option that takes a whole number from 0 on.</summary>
    public static Option<int?> FromZero(string name, string description) => Checked(new Option<int?>(name) { Description = description, HelpName = "number" }, 0);

    /// <summary>An option that takes a whole number from 1 on, or the word <c>all</c>.</summary>
    public static Option<string?> OrAll(string name, string description) => Checked(new Option<string?>(name) { Description = description, HelpName = $"number|{All}" }, 1, All);

    /// <summary>What such an option says: null for all, and what is usual where it is not given.</summary>
    public static int? Read(string? given, int? usual) => given is null ? usual : given == All ? null : int.Parse(given, CultureInfo.InvariantCulture);

    private static Option<T> Checked<T>(Option<T> option, int least, string? word = null)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0) return;
            string given = result.Tokens[0].Value;
            bool isCount = int.TryParse(given, CultureInfo.InvariantCulture, out int count) && count >= least;
            if (!isCount && given != word) result.AddError($"{option.Name} must be a whole number from {least} on,{(word is null ? "" : $" or {word},")} got {Nearest.Quote(given)}");
        });
        return option;
    }
}
