using System.Globalization;

namespace Amalgam.Zoo.Report;

/// <summary>Numbers as reports write them.</summary>
internal static class Figures
{
    private const string Minus = "\u2212";

    /// <summary>A value by a .NET format, such as <c>0.0%</c>; without one to four digits. What is not a number is a dash.</summary>
    public static string Text(double value, string? format)
    {
        if (double.IsNaN(value)) return "\u2013";
        if (double.IsInfinity(value)) return value > 0 ? "\u221e" : Minus + "\u221e";
        string digits = Math.Abs(value).ToString(format ?? Digits(value), CultureInfo.InvariantCulture);
        bool negative = value < 0 && digits.Any(c => c is >= '1' and <= '9');
        return negative ? Minus + digits : digits;
    }

    /// <summary>A coordinate in a drawing: two decimals at most.</summary>
    public static string At(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    private static string Digits(double value)
    {
        double size = Math.Abs(value);
        if (size == 0) return "0";
        if (size is < 1e-3 or >= 1e6) return "0.###e+0";
        return size == Math.Floor(size) ? "0" : "0." + new string('#', Math.Max(0, 3 - (int)Math.Floor(Math.Log10(size))));
    }
}
