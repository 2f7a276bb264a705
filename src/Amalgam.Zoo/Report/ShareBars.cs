using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>Bars of one length, each divided among the series by their shares of a whole.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="Groups">What stands to the left of each bar.</param>
/// <param name="Series">The shares, one for each bar; those of a bar sum to 1.</param>
public sealed record ShareBars(string Title, ImmutableArray<string> Groups, params ImmutableArray<Series> Series) : ReportPart
{
    private const double Width = 760, Thick = 18, Pitch = 26, Top = 2;

    /// <summary>How shares are written, as .NET formats are.</summary>
    public string Format { get; init; } = "0.0%";

    internal override void Write(Markup html)
    {
        foreach (Series series in Series) ArgumentOutOfRangeException.ThrowIfNotEqual(series.Values.Length, Groups.Length, nameof(Series));
        double left = Math.Min(Width / 2, Groups.Select(Legend.WidthOf).DefaultIfEmpty(0).Max() + 12), room = Width - left - 4;
        Figure(html, "shares", Title);
        Legend.Write(html, Series, [], lines: false);
        Drawing(html, Width, Top + Groups.Length * Pitch, Title);
        for (int g = 0; g < Groups.Length; g++)
        {
            double top = Top + g * Pitch, at = left;
            html.Line().Element("text", Groups[g], ("x", Figures.At(left - 10)), ("y", Figures.At(top + Thick / 2 + 4.3)), ("text-anchor", "end"));
            for (int s = 0; s < Series.Length; s++)
            {
                double share = Series[s].Values[g];
                if (!(share > 0)) continue;
                double width = room * Math.Min(1, share);
                string text = Figures.Text(share, Format);
                html.Open("rect", ("x", Figures.At(at)), ("y", Figures.At(top)), ("width", Figures.At(Math.Max(0.5, width - 1))), ("height", Figures.At(Thick)), ("rx", "2"), ("fill", Report.Series.Colour(s)))
                    .Element("title", $"{Groups[g]}, {Series[s].Name}: {text}").Close();
                if (width > Legend.WidthOf(text)) html.Element("text", text, ("x", Figures.At(at + width / 2)), ("y", Figures.At(top + Thick / 2 + 4)), ("text-anchor", "middle"), ("class", "within"));
                at += width;
            }
        }

        html.Close().Close();
    }
}
