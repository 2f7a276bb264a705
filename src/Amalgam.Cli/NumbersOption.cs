using System.CommandLine;
using System.Globalization;

namespace Amalgam.Cli;

/// <summary>Options that take numbers with commas between.</summary>
internal static class NumbersOption
{
    public static Option<float[]?> Create(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "numbers",
        CustomParser = argument =>
        {
            List<float> values = [];
            foreach (string item in string.Join(',', argument.Tokens.Select(t => t.Value)).Split(',', StringSplitOptions.TrimEntries))
            {
                if (float.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value)) values.Add(value);
                else argument.AddError($"{name} takes numbers with commas between, got '{item}'");
            }

            return [.. values];
        },
    };
}
