using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>Bars from left to right, one for each series in every group, with their values at the ends.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="Groups">What stands to the left of each group.</param>
/// <param name="Series">The bars' values, one for each group.</param>
public sealed record BarChart(string Title, ImmutableArray<string> Groups, params ImmutableArray<Series> Series) : ReportPart
{
    private const double Width = 760, Top = 8, Bottom = 26, ValueRoom = 58;

    /// <summary>How values are written, as .NET formats are: <c>0.0%</c>.</summary>
    public string? Format { get; init; }

    /// <summary>Values to compare with.</summary>
    public ImmutableArray<ReferenceLine> References { get; init; } = [];

    /// <summary>Value at the left end; by default 0, or the least where that is below.</summary>
    public double? Low { get; init; }

    /// <summary>Value at the right end; by default a round number from the largest on.</summary>
    public double? High { get; init; }

    internal override void Write(Markup html)
    {
        foreach (Series series in Series) ArgumentOutOfRangeException.ThrowIfNotEqual(series.Values.Length, Groups.Length, nameof(Series));
        double[] values = [.. Series.SelectMany(s => s.Values).Concat(References.Select(r => r.Value)).Where(double.IsFinite)];
        Axis axis = new(Low ?? Math.Min(0, values.DefaultIfEmpty(0).Min()), High ?? Math.Max(0, values.DefaultIfEmpty(1).Max()), 6, Format?.Contains('%') == true);
        double thick = Series.Length == 1 ? 15 : 12, pitch = Series.Length * (thick + 1) + (Series.Length == 1 ? 8 : 10);
        double left = Math.Min(Width / 2, Groups.Select(Legend.WidthOf).DefaultIfEmpty(0).Max() + 12), right = Width - ValueRoom, bottom = Top + Groups.Length * pitch;
        double At(double value) => left + (right - left) * axis.Share(value);

        Figure(html, "bars", Title);
        Legend.Write(html, Series, References, lines: false);
        Drawing(html, Width, bottom + Bottom, Title);
        foreach (var (value, text) in axis.Marks)
        {
            html.Empty("line", ("x1", Figures.At(At(value))), ("x2", Figures.At(At(value))), ("y1", Figures.At(Top)), ("y2", Figures.At(bottom)), ("class", value == 0 ? "axis" : "grid"));
            html.Element("text", text, ("x", Figures.At(At(value))), ("y", Figures.At(bottom + 17)), ("text-anchor", "middle"), ("class", "mark"));
        }

        double zero = At(Math.Clamp(0, axis.Low, axis.High));
        for (int i = 0; i < Groups.Length * Series.Length; i++) Bar(html, i % Series.Length, i / Series.Length, zero, At, TopOf(i));
        for (int r = 0; r < References.Length; r++)
        {
            string x = Figures.At(At(References[r].Value));
            html.Open("line", ("x1", x), ("x2", x), ("y1", "2"), ("y2", Figures.At(bottom)), ("class", "reference"), ("stroke-dasharray", ReferenceLine.Dashes(r)))
                .Element("title", $"{References[r].Name}: {Figures.Text(References[r].Value, Format)}").Close();
        }

        for (int g = 0; g < Groups.Length; g++)
            html.Line().Element("text", Groups[g], ("x", Figures.At(left - 10)), ("y", Figures.At(Top + (g + 0.5) * pitch + 4.3)), ("text-anchor", "end"));
        for (int i = 0; i < Groups.Length * Series.Length; i++)
        {
            double value = Series[i % Series.Length].Values[i / Series.Length], end = double.IsFinite(value) ? Math.Max(zero, At(value)) : zero;
            html.Element("text", Figures.Text(value, Format), ("x", Figures.At(end + 5)), ("y", Figures.At(TopOf(i) + thick / 2 + 4)), ("class", "mark value"));
        }

        html.Close().Close();

        double TopOf(int bar) => Top + bar / Series.Length * pitch + (pitch - Series.Length * (thick + 1)) / 2 + bar % Series.Length * (thick + 1);

        void Bar(Markup to, int series, int group, double from, Func<double, double> at, double top)
        {
            double value = Series[series].Values[group];
            if (!double.IsFinite(value)) return;
            to.Open("rect", ("x", Figures.At(Math.Min(from, at(value)))), ("y", Figures.At(top)), ("width", Figures.At(Math.Max(0.5, Math.Abs(at(value) - from)))), ("height", Figures.At(thick)), ("rx", "2"), ("fill", Report.Series.Colour(series)))
                .Element("title", $"{Groups[group]}, {Series[series].Name}: {Figures.Text(value, Format)}").Close();
        }
    }
}
