using System.Globalization;
using System.Text;

namespace Amalgam.Cli;

/// <summary>Text from files that nobody vouches for, made safe to print: nothing in it can move the cursor, break the line or turn the writing direction.</summary>
internal static class Printable
{
    /// <summary>The text with every control, format and separator character, and every half of a pair that stands alone, written as <c>\u001b</c>.</summary>
    public static string Line(string text)
    {
        if (text.All(c => c is >= ' ' and <= '~')) return text;
        StringBuilder line = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i) && !IsHidden(CharUnicodeInfo.GetUnicodeCategory(text, i))) line.Append(text[i++]).Append(text[i]);
            else if (char.IsSurrogate(text[i]) || IsHidden(char.GetUnicodeCategory(text[i]))) line.Append($"\\u{(int)text[i]:x4}");
            else line.Append(text[i]);
        }

        return line.ToString();
    }

    /// <summary>The text, cut to a length; what is cut off is shown by dots.</summary>
    public static string Short(string text, int length) => Line(text.Length <= length ? text : text[..(length - 3)] + "...");

    /// <summary>A number to four digits, as short as that can be said.</summary>
    public static string Number(double value) =>
        double.IsNaN(value) ? "-" : double.IsInfinity(value) ? (value > 0 ? "inf" : "-inf") : value == 0 ? "0" : Math.Abs(value) is >= 1e-3 and < 1e6 ? FixedPoint(value) : value.ToString("0.###e+0");

    /// <summary>A number of things: 1 epoch, 2 epochs.</summary>
    public static string Count(long number, string thing) => $"{number:N0} {thing}{(number == 1 ? "" : "s")}";

    /// <summary>A share of the whole, in percent.</summary>
    public static string Percent(double share) => share is 0 ? "0%" : share is 1 ? "100%" : share < 0.0001 ? "<0.01%" : $"{Math.Min(share * 100, 99.99):0.00}%";

    private static string FixedPoint(double value)
    {
        if (value == Math.Floor(value)) return value.ToString("0");
        int digits = Math.Max(0, 3 - (int)Math.Floor(Math.Log10(Math.Abs(value))));
        return value.ToString("F" + Math.Min(digits, 6));
    }

    private static bool IsHidden(UnicodeCategory category) => category
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned;
}
