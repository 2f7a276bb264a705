using System.CommandLine;
using System.Globalization;
using Amalgam.Merging.Recipes;

namespace Amalgam.Cli;

/// <summary>Options that take a whole number.</summary>
internal static class CountOption
{
    private const string All = "all";

    public static Option<int?> Create(string name, string description, params string[] aliases)
    {
        Option<int?> option = new(name, aliases) { Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int count) && count >= 1)) result.AddError($"{name} must be a whole number from 1 on, got {Nearest.Quote(result.Tokens[0].Value)}");
        });
        return option;
    }

    /// <summary>An option that takes a whole number from 0 on.</summary>
    public static Option<int?> FromZero(string name, string description)
    {
        Option<int?> option = new(name) { Description = description, HelpName = "number" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int count) && count >= 0)) result.AddError($"{name} must be a whole number from 0 on, got {Nearest.Quote(result.Tokens[0].Value)}");
        });
        return option;
    }

    /// <summary>An option that takes a whole number from 1 on, or the word <c>all</c>.</summary>
    public static Option<string?> OrAll(string name, string description)
    {
        Option<string?> option = new(name) { Description = description, HelpName = $"number|{All}" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Tokens[0].Value != All && !(int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int count) && count >= 1)) result.AddError($"{name} must be a whole number from 1 on, or {All}, got {Nearest.Quote(result.Tokens[0].Value)}");
        });
        return option;
    }

    /// <summary>What such an option says: null for all, and what is usual where it is not given.</summary>
    public static int? Read(string? given, int? usual) => given is null ? usual : given == All ? null : int.Parse(given, CultureInfo.InvariantCulture);
}
