using System.Text.RegularExpressions;

namespace Amalgam.Zoo.Runs;

/// <summary>Names that differ by numbers alone, such as those of the layers of a deep network, told as one.</summary>
public static partial class NumberedNames
{
    /// <summary>The same for names that differ by numbers alone.</summary>
    public static string Key(string name) => Digits().Replace(name, "*");

    /// <summary>One name for several of one key: a number that is not the same in all is a star.</summary>
    public static string Common(IReadOnlyList<string> names)
    {
        string[][] numbers = [.. names.Select(name => Digits().Matches(name).Select(m => m.Value).ToArray())];
        if (numbers.Any(n => n.Length != numbers[0].Length)) return names[0];
        int i = -1;
        return Digits().Replace(names[0], m => ++i >= 0 && numbers.All(n => n[i] == numbers[0][i]) ? m.Value : "*");
    }

    /// <summary>One name for several of one key, and how many there are where there are more than one: <c>layer.*.fc (12)</c>.</summary>
    public static string Counted(IReadOnlyList<string> names) => Common(names) + (names.Count > 1 ? $" ({names.Count})" : "");

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
