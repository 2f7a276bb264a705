using System.CommandLine;
using System.Globalization;

namespace Amalgam.Cli;

/// <summary>Options that take a whole number from 1 on.</summary>
internal static class CountOption
{
    public static Option<int?> Create(string name, string description, params string[] aliases)
    {
        Option<int?> option = new(name, aliases) { Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int count) && count >= 1)) result.AddError($"{name} must be 1 or more");
        });
        return option;
    }
}
