using System.Globalization;

namespace Amalgam.Transfer.Teaching;

/// <summary>One parameter of a way to distil: its name in run descriptions, the value that it has, and how another one is put in its place.</summary>
/// <param name="Name">The name in run descriptions.</param>
/// <param name="What">What it does, a phrase.</param>
/// <param name="Expected">What it may be, a phrase.</param>
/// <param name="Value">The value as a text; null where there is none.</param>
/// <param name="With">The same distillation with a value given as a text; null where it may not be that.</param>
public sealed record TeachingParameter(string Name, string What, string Expected, string? Value, Func<string, Distillation?> With)
{
    /// <summary>A number.</summary>
    internal static TeachingParameter Number(string name, string what, NumberRange range, double value, Func<double, Distillation> with) =>
        new(name, what, range.Text, value.ToString(CultureInfo.InvariantCulture), text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && range.Has(number) ? with(number) : null);

    /// <summary>One of a few words, the values of an enumeration.</summary>
    internal static TeachingParameter Word<T>(string name, string what, T value, Func<T, Distillation> with) where T : struct, Enum
    {
        T[] values = Enum.GetValues<T>();
        return new(name, what, string.Join(" or ", values.Select(WordOf)), WordOf(value), text => values.Any(v => WordOf(v) == text) ? with(values.First(v => WordOf(v) == text)) : null);
    }

    /// <summary>A name of something.</summary>
    internal static TeachingParameter Text(string name, string what, string expected, string? value, Func<string, Distillation> with) =>
        new(name, what, expected, value, text => text.Length > 0 ? with(text) : null);

    private static string WordOf<T>(T value) where T : struct, Enum =>
        string.Concat($"{value}".Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}

/// <summary>Which numbers a parameter may be.</summary>
internal sealed record NumberRange(string Text, Func<double, bool> Allows)
{
    public static readonly NumberRange
        Positive = new("a number above 0", x => x > 0),

        // Colder than this a softmax of scores is one class, and of a teacher nothing but its first choice is left; hotter, all classes are even to the last digit of a float.
        Temperature = new("a number from 0.1 to 10000", x => x is >= 0.1 and <= 10_000),
        NotNegative = new("a number from 0 on", x => x >= 0),
        Share = new("a share from 0 to 1", x => x is >= 0 and <= 1),
        Probability = new("a probability above 0 and below 1", x => x is > 0 and < 1);

    public bool Has(double value) => double.IsFinite(value) && Allows(value);

    /// <summary>The value itself where it may be that.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It may not.</exception>
    public double Check(double value, string name) => Has(value) ? value : throw new ArgumentOutOfRangeException(name, value, $"expected {Text}");
}
