using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>Values of one kind in a chart, drawn in one colour.</summary>
/// <param name="Name">What the legend says.</param>
/// <param name="Values">One for each group of bars, or each point of a line; NaN where there is none.</param>
public sealed record Series(string Name, params ImmutableArray<double> Values)
{
    /// <summary>Where the points of a line stand; empty for 1, 2, 3 and on.</summary>
    public ImmutableArray<double> X { get; init; } = [];

    internal double XOf(int point) => X.IsEmpty ? point + 1 : X[point];

    internal static string Colour(int series) => $"var(--s{series % StyleSheet.Colours})";

    /// <summary>Lines beyond the colours differ by their dashes; and so do the first ones in black and white.</summary>
    internal static string Dashes(int series) => (series % 4) switch { 1 => "7 4", 2 => "2 4", 3 => "9 4 2 4", _ => "none" };
}

/// <summary>A line across a chart at a value to compare with.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Where it stands.</param>
public sealed record ReferenceLine(string Name, double Value)
{
    /// <summary>Which of several it is, told by its dashes.</summary>
    internal static string Dashes(int line) => (line % 3) switch { 0 => "3 3", 1 => "9 3", _ => "9 3 2 3" };
}

/// <summary>What charts have in common.</summary>
internal static class Legend
{
    /// <summary>Width of text in a drawing, about, at the size of labels.</summary>
    public static double WidthOf(string text) => text.Length * 6.9;

    /// <summary>Which colour is which; nothing for a single series without a name.</summary>
    public static void Write(Markup html, IReadOnlyList<Series> series, IReadOnlyList<ReferenceLine> references, bool lines)
    {
        if (series.Count + references.Count < 2) return;
        html.Open("ul", ("class", "legend"));
        for (int i = 0; i < series.Count; i++)
        {
            html.Open("li").Open("svg", ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", "0 0 22 10"), ("aria-hidden", "true"));
            if (lines) html.Empty("line", ("x1", "0"), ("y1", "5"), ("x2", "22"), ("y2", "5"), ("class", "line"), ("stroke", Series.Colour(i)), ("stroke-dasharray", Series.Dashes(i)));
            else html.Empty("rect", ("x", "5"), ("width", "12"), ("height", "10"), ("rx", "2"), ("fill", Series.Colour(i)));
            html.Close().Element("span", series[i].Name).Close();
        }

        for (int i = 0; i < references.Count; i++)
        {
            html.Open("li").Open("svg", ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", "0 0 22 10"), ("aria-hidden", "true"))
                .Empty("line", ("x1", "0"), ("y1", "5"), ("x2", "22"), ("y2", "5"), ("class", "reference"), ("stroke-dasharray", ReferenceLine.Dashes(i))).Close()
                .Element("span", references[i].Name).Close();
        }

        html.Close();
    }
}
