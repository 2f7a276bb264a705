using System.CommandLine;
using System.Globalization;

namespace Amalgam.Cli;

/// <summary>Options that take one number.</summary>
internal static class NumberOption
{
    /// <summary>An option that takes a number from 0 to 1.</summary>
    public static Option<double?> Share(string name, string description) => Create(name, description, "a number from 0 to 1", x => x is >= 0 and <= 1);

    /// <summary>An option that takes a whole number, negative ones too.</summary>
    public static Option<long?> Whole(string name, string description)
    {
        Option<long?> option = new(name) { Description = description, HelpName = "number" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !long.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)) result.AddError($"{name} must be a whole number");
        });
        return option;
    }

    /// <param name="name">The option.</param>
    /// <param name="description">What it says.</param>
    /// <param name="what">What it takes, for people.</param>
    /// <param name="allowed">Whether a number is that.</param>
    public static Option<double?> Create(string name, string description, string what, Func<double, bool> allowed)
    {
        Option<double?> option = new(name) { Description = description, HelpName = "number" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && allowed(number))) result.AddError($"{name} must be {what}");
        });
        return option;
    }
}
