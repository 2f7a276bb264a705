using System.CommandLine.Parsing;
using System.Globalization;

namespace Amalgam.Cli;

/// <summary>Numbers of bytes as people write them.</summary>
internal static class ByteSize
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("kib", 1L << 10), ("mib", 1L << 20), ("gib", 1L << 30), ("tib", 1L << 40),
        ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
        ("k", 1_000), ("m", 1_000_000), ("g", 1_000_000_000), ("t", 1_000_000_000_000),
        ("b", 1), ("", 1),
    ];

    /// <summary>Reads a number with an optional decimal (kB, MB, GB, TB) or binary (KiB, MiB, GiB, TiB) unit, upper or lower case.</summary>
    /// <returns>Null when the text is no size.</returns>
    public static long? Parse(string text)
    {
        string bare = text.Trim();
        var (unit, factor) = Units.First(u => bare.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        string digits = bare[..^unit.Length].TrimEnd();
        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)) return null;
        return number <= long.MaxValue / factor ? (long)(number * factor) : null;
    }

    /// <summary>Reads the value of an option such as <c>--shard-size 5GB</c>.</summary>
    public static long OfArgument(ArgumentResult argument)
    {
        string text = argument.Tokens[0].Value;
        if (Parse(text) is { } bytes) return bytes;
        argument.AddError($"'{text}' is no size; write a number with a unit, such as 5GB or 512MiB");
        return 0;
    }

    /// <summary>Three digits and a decimal unit, for example <c>1.66 MB</c>.</summary>
    public static string Text(long bytes)
    {
        if (bytes < 1000) return $"{bytes} B";
        double value = bytes;
        int unit = 0;
        for (; value >= 999.5 && unit < 5; unit++) value /= 1000;
        return $"{value.ToString(value < 9.995 ? "0.00" : value < 99.95 ? "0.0" : "0")} {"kMGTP"[unit - 1]}B";
    }
}
