using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Zoo.Report;

/// <summary>Curves, such as losses over epochs.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="XName">What the axis to the right counts.</param>
/// <param name="YName">What the axis upwards measures.</param>
/// <param name="Series">The curves; a NaN leaves a gap.</param>
public sealed record LineChart(string Title, string XName, string YName, params ImmutableArray<Series> Series) : ReportPart
{
    private const double LeastLeft = 52, LeastRight = 14, Top = 22, Bottom = 38, Gap = 7;
    private const int MostDots = 40;

    /// <summary>How values are written, as .NET formats are: <c>0.0%</c>.</summary>
    public string? Format { get; init; }

    /// <summary>Least value upwards; by default a round number below the least.</summary>
    public double? Low { get; init; }

    /// <summary>Largest value upwards; by default a round number above the largest.</summary>
    public double? High { get; init; }

    /// <summary>Values to compare with.</summary>
    public ImmutableArray<ReferenceLine> References { get; init; } = [];

    /// <summary>Width and height of the drawing; the page may scale it down.</summary>
    public (double Width, double Height) Size { get; init; } = (480, 290);

    internal override void Write(Markup html)
    {
        var points = Series.SelectMany(s => s.Values.Select((y, i) => (X: s.XOf(i), Y: y))).Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)).ToArray();
        double[] heights = [.. points.Select(p => p.Y), .. References.Select(r => r.Value)];
        Axis x = new(points.Select(p => p.X).DefaultIfEmpty(0).Min(), points.Select(p => p.X).DefaultIfEmpty(1).Max(), 8, widen: false, whole: points.All(p => p.X == Math.Floor(p.X)));
        Axis y = new(Low ?? heights.DefaultIfEmpty(0).Min(), High ?? heights.DefaultIfEmpty(1).Max(), 6, Format?.Contains('%') == true);
        (double width, double height) = Size;
        double left = Math.Max(LeastLeft, Math.Ceiling(Gap + y.Marks.Max(mark => Legend.WidthOf(mark.Text)))), right = Math.Max(LeastRight, Math.Ceiling(x.Marks.Max(mark => Legend.WidthOf(mark.Text)) / 2));
        double AtX(double value) => left + (width - left - right) * x.Share(value);
        double AtY(double value) => height - Bottom - (height - Top - Bottom) * y.Share(value);

        Figure(html, "lines", Title);
        Legend.Write(html, Series, References, lines: true);
        Drawing(html, width, height, $"{YName} over {XName}");
        foreach (var (value, text) in y.Marks)
        {
            Rule(html, "grid", left, width - right, AtY(value), AtY(value));
            html.Element("text", text, ("x", Figures.At(left - Gap)), ("y", Figures.At(AtY(value) + 4)), ("text-anchor", "end"), ("class", "mark"));
        }

        foreach (var (value, text) in x.Marks)
        {
            Rule(html, "axis", AtX(value), AtX(value), height - Bottom, height - Bottom + 4);
            html.Element("text", text, ("x", Figures.At(AtX(value))), ("y", Figures.At(height - Bottom + 17)), ("text-anchor", "middle"), ("class", "mark"));
        }

        Rule(html, "axis", left, width - right, height - Bottom, height - Bottom);
        html.Element("text", XName, ("x", Figures.At((left + width - right) / 2)), ("y", Figures.At(height - 4)), ("text-anchor", "middle"), ("class", "name"));
        html.Element("text", YName, ("x", "0"), ("y", "11"), ("class", "name"));
        for (int r = 0; r < References.Length; r++) Rule(html, "reference", left, width - right, AtY(References[r].Value), AtY(References[r].Value), ReferenceLine.Dashes(r));
        for (int s = 0; s < Series.Length; s++) Curve(html, s, AtX, AtY);
        html.Close().Close();
    }

    private static void Rule(Markup html, string kind, double x1, double x2, double y1, double y2, string dashes = "none") =>
        html.Empty("line", ("x1", Figures.At(x1)), ("x2", Figures.At(x2)), ("y1", Figures.At(y1)), ("y2", Figures.At(y2)), ("class", kind), ("stroke-dasharray", dashes));

    private void Curve(Markup html, int index, Func<double, double> atX, Func<double, double> atY)
    {
        Series series = Series[index];
        StringBuilder path = new();
        bool down = false;
        for (int i = 0; i < series.Values.Length; i++)
        {
            bool exists = double.IsFinite(series.Values[i]);
            if (exists) path.Append(down ? " L" : " M").Append(Figures.At(atX(series.XOf(i)))).Append(' ').Append(Figures.At(atY(series.Values[i])));
            down = exists;
        }

        html.Line().Empty("path", ("d", path.ToString().TrimStart()), ("class", "line"), ("stroke", Report.Series.Colour(index)), ("stroke-dasharray", Report.Series.Dashes(index)));
        if (series.Values.Length > MostDots) return;
        for (int i = 0; i < series.Values.Length; i++)
        {
            if (!double.IsFinite(series.Values[i])) continue;
            html.Open("circle", ("cx", Figures.At(atX(series.XOf(i)))), ("cy", Figures.At(atY(series.Values[i]))), ("r", "2.6"), ("fill", Report.Series.Colour(index)))
                .Element("title", $"{series.Name}, {XName} {Figures.Text(series.XOf(i), null)}: {Figures.Text(series.Values[i], Format)}").Close();
        }
    }
}
