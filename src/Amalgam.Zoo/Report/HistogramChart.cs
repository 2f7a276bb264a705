using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Zoo.Report;

/// <summary>How values are spread: for each series the shares that lie in equal bins over one axis, as an outline with a faint ground.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="XName">What the values are.</param>
/// <param name="Low">Where the first bin begins.</param>
/// <param name="High">Where the last one ends.</param>
/// <param name="Series">The share of a series' values in each bin; all have as many bins.</param>
public sealed record HistogramChart(string Title, string XName, double Low, double High, params ImmutableArray<Series> Series) : ReportPart
{
    private const double Left = 44, Right = 12, Top = 20, Bottom = 38;

    /// <summary>How the axis' values are written, as .NET formats are: <c>0%</c>; null for what fits.</summary>
    public string? Format { get; init; }

    /// <summary>Values to compare with.</summary>
    public ImmutableArray<ReferenceLine> References { get; init; } = [];

    /// <summary>Width and height of the drawing; the page may scale it down.</summary>
    public (double Width, double Height) Size { get; init; } = (480, 210);

    /// <summary>The histogram of some sets of values over the range of all of them.</summary>
    /// <param name="title">Its title; may be empty.</param>
    /// <param name="xName">What the values are.</param>
    /// <param name="bins">Number of bins.</param>
    /// <param name="sets">The sets with their names; what is not a finite number is left out.</param>
    public static HistogramChart Of(string title, string xName, int bins, params ReadOnlySpan<(string Name, ReadOnlyMemory<float> Values)> sets)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (var (_, values) in sets)
        {
            foreach (float value in values.Span)
            {
                if (float.IsFinite(value)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }
        }

        if (low > high) (low, high) = (0, 1);
        double least = Math.Max(1e-6, Math.Abs(low) * 1e-3);
        if (high - low < least) (low, high) = (low - least / 2, low + least / 2);
        ImmutableArray<Series>.Builder series = ImmutableArray.CreateBuilder<Series>();
        foreach (var (name, values) in sets) series.Add(new(name, Shares(values.Span, low, high, bins)));
        return new(title, xName, low, high, series.ToImmutable());
    }

    internal override void Write(Markup html)
    {
        foreach (Series series in Series) ArgumentOutOfRangeException.ThrowIfNotEqual(series.Values.Length, Series[0].Values.Length, nameof(Series));
        Axis x = new(Low, High, 8, Format?.Contains('%') == true, widen: false), y = new(0, Series.SelectMany(s => s.Values).Where(double.IsFinite).DefaultIfEmpty(1).Max(), 4, percent: true);
        (double width, double height) = Size;
        double floor = height - Bottom;
        double AtX(double value) => Left + (width - Left - Right) * x.Share(value);
        double AtY(double share) => floor - (floor - Top) * y.Share(share);

        Figure(html, "histogram", Title);
        Legend.Write(html, Series, References, lines: false);
        Drawing(html, width, height, $"shares over {XName}");
        foreach (var (value, text) in y.Marks)
        {
            html.Empty("line", ("x1", Figures.At(Left)), ("x2", Figures.At(width - Right)), ("y1", Figures.At(AtY(value))), ("y2", Figures.At(AtY(value))), ("class", value == 0 ? "axis" : "grid"));
            html.Element("text", text, ("x", Figures.At(Left - 6)), ("y", Figures.At(AtY(value) + 4)), ("text-anchor", "end"), ("class", "mark"));
        }

        foreach (var (value, text) in x.Marks)
        {
            html.Empty("line", ("x1", Figures.At(AtX(value))), ("x2", Figures.At(AtX(value))), ("y1", Figures.At(floor)), ("y2", Figures.At(floor + 4)), ("class", "axis"));
            html.Element("text", text, ("x", Figures.At(AtX(value))), ("y", Figures.At(floor + 17)), ("text-anchor", "middle"), ("class", "mark"));
        }

        html.Element("text", XName, ("x", Figures.At((Left + width - Right) / 2)), ("y", Figures.At(height - 4)), ("text-anchor", "middle"), ("class", "name"));
        html.Element("text", "share of the values", ("x", "0"), ("y", "10"), ("class", "name"));
        for (int s = 0; s < Series.Length; s++) Outline(html, s, AtX, AtY);
        for (int r = 0; r < References.Length; r++)
        {
            string at = Figures.At(AtX(References[r].Value));
            html.Empty("line", ("x1", at), ("x2", at), ("y1", Figures.At(Top)), ("y2", Figures.At(floor)), ("class", "reference"), ("stroke-dasharray", ReferenceLine.Dashes(r)));
        }

        html.Close().Close();
    }

    private void Outline(Markup html, int index, Func<double, double> atX, Func<double, double> atY)
    {
        ImmutableArray<double> shares = Series[index].Values;
        double step = (High - Low) / Math.Max(1, shares.Length);
        StringBuilder path = new($"M{Figures.At(atX(Low))} {Figures.At(atY(0))}");
        for (int i = 0; i < shares.Length; i++) path.Append($" V{Figures.At(atY(double.IsFinite(shares[i]) ? shares[i] : 0))} H{Figures.At(atX(Low + (i + 1) * step))}");
        path.Append($" V{Figures.At(atY(0))}");
        html.Line().Open("path", ("d", path.ToString()), ("class", "area"), ("fill", Report.Series.Colour(index)), ("stroke", Report.Series.Colour(index)), ("stroke-dasharray", Report.Series.Dashes(index)))
            .Element("title", Series[index].Name).Close();
    }

    private static ImmutableArray<double> Shares(ReadOnlySpan<float> values, double low, double high, int bins)
    {
        long[] counts = new long[bins];
        long all = 0;
        foreach (float value in values)
        {
            if (!float.IsFinite(value)) continue;
            counts[Math.Clamp((int)((value - low) / (high - low) * bins), 0, bins - 1)]++;
            all++;
        }

        return [.. counts.Select(count => all == 0 ? 0 : count / (double)all)];
    }
}
