using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Amalgam.Zoo.Report;

/// <summary>A place that a map names.</summary>
/// <param name="X">Where it is, along the map's first axis.</param>
/// <param name="Y">Along the second.</param>
/// <param name="Label">What stands beside it; may be empty.</param>
/// <param name="IsMain">Whether it is drawn larger than the others.</param>
public sealed record LandscapeMark(double X, double Y, string Label, bool IsMain = false);

/// <summary>A height over a plane as bands of colour with lines between them, such as a loss around networks. Values between the points of the grid are interpolated.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="X">Places along the first axis, evenly spaced and rising.</param>
/// <param name="Y">Places along the second axis, evenly spaced and rising.</param>
/// <param name="Values">The heights, row by row from the least y on; NaN is grey.</param>
public sealed record ContourMap(string Title, ImmutableArray<double> X, ImmutableArray<double> Y, ImmutableArray<double> Values) : ReportPart
{
    private const int Left = 46, Top = 8, Bottom = 36, Right = 84, PlotWidth = 460, MostHeight = 460, Pixels = 2;

    /// <summary>What the first axis is; may be empty.</summary>
    public string XName { get; init; } = "";

    /// <summary>What the second axis is; may be empty.</summary>
    public string YName { get; init; } = "";

    /// <summary>Places with a name.</summary>
    public ImmutableArray<LandscapeMark> Marks { get; init; } = [];

    /// <summary>Heights above this have the last colour; null for the largest.</summary>
    public double? High { get; init; }

    /// <summary>Number of bands.</summary>
    public int Bands { get; init; } = 14;

    /// <summary>How heights are written, as .NET formats are.</summary>
    public string? Format { get; init; }

    internal override void Write(Markup html)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Values.Length, X.Length * Y.Length, nameof(Values));
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(X.Length, Y.Length), 2, nameof(Values));
        double[] finite = [.. Values.Where(double.IsFinite).DefaultIfEmpty(0)];
        double low = finite.Min(), high = Math.Max(Math.Min(High ?? double.PositiveInfinity, finite.Max()), low + 1e-12);
        double width = PlotWidth, height = Math.Clamp(PlotWidth * (Y[^1] - Y[0]) / (X[^1] - X[0]), PlotWidth / 3.0, MostHeight);
        double AtX(double x) => Left + width * (x - X[0]) / (X[^1] - X[0]);
        double AtY(double y) => Top + height * (1 - (y - Y[0]) / (Y[^1] - Y[0]));

        Figure(html, "contours", Title);
        Drawing(html, Left + width + Right, Top + height + Bottom, $"Heights from {Figures.Text(low, Format)} to {Figures.Text(high, Format)} over {X.Length} by {Y.Length} points");
        WriteImage(html, width, height, low, high);
        for (int band = 1; band < Bands; band++) WriteLine(html, low + band * (high - low) / Bands, AtX, AtY);
        WriteAxes(html, width, height, AtX, AtY);
        foreach (LandscapeMark mark in Marks.Where(m => m.X >= X[0] && m.X <= X[^1] && m.Y >= Y[0] && m.Y <= Y[^1])) WriteMark(html, mark, AtX(mark.X), AtY(mark.Y), Left + width);
        WriteScale(html, Left + width + 14, Math.Min(height, 200), low, high);
        html.Close().Close();
    }

    /// <summary>The height at a place, linear along both axes between the points of the grid.</summary>
    internal double At(double x, double y)
    {
        var (i, s) = Cell(X, x);
        var (j, t) = Cell(Y, y);
        double Value(int a, int b) => Values[b * X.Length + a];
        return (1 - t) * ((1 - s) * Value(i, j) + s * Value(i + 1, j)) + t * ((1 - s) * Value(i, j + 1) + s * Value(i + 1, j + 1));
    }

    private static (int Index, double Share) Cell(ImmutableArray<double> places, double at)
    {
        double place = (at - places[0]) / (places[^1] - places[0]) * (places.Length - 1);
        int index = Math.Clamp((int)place, 0, places.Length - 2);
        return (index, place - index);
    }

    private (byte Red, byte Green, byte Blue) ColourOf(double value, double low, double high)
    {
        if (double.IsNaN(value)) return Palette.Of(double.NaN, false);
        int band = Math.Clamp((int)((value - low) / (high - low) * Bands), 0, Bands - 1);
        return Palette.Of((band + 0.5) / Bands, false);
    }

    private void WriteImage(Markup html, double width, double height, double low, double high)
    {
        int columns = (int)(width * Pixels), rows = (int)(height * Pixels);
        byte[] pixels = new byte[3 * columns * rows];
        for (int r = 0; r < rows; r++)
        {
            double y = Y[^1] - (r + 0.5) / rows * (Y[^1] - Y[0]);
            for (int c = 0; c < columns; c++)
            {
                int i = 3 * (r * columns + c);
                (pixels[i], pixels[i + 1], pixels[i + 2]) = ColourOf(At(X[0] + (c + 0.5) / columns * (X[^1] - X[0]), y), low, high);
            }
        }

        html.Empty(
            "image", ("x", Figures.At(Left)), ("y", Figures.At(Top)), ("width", Figures.At(width)), ("height", Figures.At(height)), ("preserveAspectRatio", "none"), ("href", Address(columns, rows, pixels)));
    }

    /// <summary>Where the heights pass a level: marching squares, a saddle cut by its mean.</summary>
    private void WriteLine(Markup html, double level, Func<double, double> atX, Func<double, double> atY)
    {
        StringBuilder path = new();
        for (int j = 0; j + 1 < Y.Length; j++)
        {
            for (int i = 0; i + 1 < X.Length; i++)
            {
                foreach (var (from, to) in Segments(i, j, level))
                    path.Append(CultureInfo.InvariantCulture, $"M{Figures.At(atX(from.X))} {Figures.At(atY(from.Y))}L{Figures.At(atX(to.X))} {Figures.At(atY(to.Y))}");
            }
        }

        if (path.Length > 0) html.Empty("path", ("d", path.ToString()), ("fill", "none"), ("stroke", "#000"), ("stroke-opacity", "0.28"), ("stroke-width", "0.7"));
    }

    private IEnumerable<((double X, double Y) From, (double X, double Y) To)> Segments(int i, int j, double level)
    {
        (double X, double Y, double Height)[] corners = [Corner(i, j), Corner(i + 1, j), Corner(i + 1, j + 1), Corner(i, j + 1)];
        if (corners.Any(corner => double.IsNaN(corner.Height))) yield break;
        List<(double X, double Y)> crossings = [];
        for (int k = 0; k < 4; k++)
        {
            var (a, b) = (corners[k], corners[(k + 1) % 4]);
            if (a.Height >= level == b.Height >= level) continue;
            double share = (level - a.Height) / (b.Height - a.Height);
            crossings.Add((a.X + share * (b.X - a.X), a.Y + share * (b.Y - a.Y)));
        }

        if (crossings.Count == 2) yield return (crossings[0], crossings[1]);
        if (crossings.Count != 4) yield break;
        bool together = corners.Average(corner => corner.Height) >= level == corners[0].Height >= level;
        yield return together ? (crossings[0], crossings[1]) : (crossings[3], crossings[0]);
        yield return together ? (crossings[2], crossings[3]) : (crossings[1], crossings[2]);
    }

    private (double X, double Y, double Height) Corner(int i, int j) => (X[i], Y[j], Values[j * X.Length + i]);

    private void WriteAxes(Markup html, double width, double height, Func<double, double> atX, Func<double, double> atY)
    {
        foreach (var (value, text) in new Axis(X[0], X[^1], 6, widen: false).Marks)
        {
            if (value >= X[0] && value <= X[^1]) html.Element("text", text, ("class", "mark"), ("text-anchor", "middle"), ("x", Figures.At(atX(value))), ("y", Figures.At(Top + height + 15)));
        }

        foreach (var (value, text) in new Axis(Y[0], Y[^1], 5, widen: false).Marks)
        {
            if (value >= Y[0] && value <= Y[^1]) html.Element("text", text, ("class", "mark"), ("text-anchor", "end"), ("x", Figures.At(Left - 6)), ("y", Figures.At(atY(value) + 4)));
        }

        html.Element("text", XName, ("class", "name"), ("text-anchor", "middle"), ("x", Figures.At(Left + width / 2)), ("y", Figures.At(Top + height + 31)));
        html.Element("text", YName, ("class", "name"), ("text-anchor", "middle"), ("transform", $"translate(11 {Figures.At(Top + height / 2)}) rotate(-90)"));
    }

    private static void WriteMark(Markup html, LandscapeMark mark, double x, double y, double right)
    {
        html.Empty("circle", ("cx", Figures.At(x)), ("cy", Figures.At(y)), ("r", mark.IsMain ? "5" : "3.2"), ("fill", mark.IsMain ? "#fff" : "#d7301f"), ("stroke", "#000"), ("stroke-width", "1.2"));
        if (mark.Label == "") return;
        bool before = x + 9 + Legend.WidthOf(mark.Label) > right;
        html.Element(
            "text", mark.Label, ("x", Figures.At(before ? x - 9 : x + 9)), ("y", Figures.At(y + 4)), ("text-anchor", before ? "end" : "start"),
            ("style", "font-size:12px;font-weight:600;fill:#fff;stroke:#000;stroke-width:2.6px;paint-order:stroke"));
    }

    private void WriteScale(Markup html, double x, double height, double low, double high)
    {
        double step = height / Bands;
        for (int band = 0; band < Bands; band++)
        {
            string fill = Palette.Css(Palette.Of((band + 0.5) / Bands, false));
            html.Empty("rect", ("x", Figures.At(x)), ("y", Figures.At(Top + height - (band + 1) * step)), ("width", "12"), ("height", Figures.At(step)), ("fill", fill));
        }

        foreach (double share in (ReadOnlySpan<double>)[0, 0.5, 1])
        {
            string text = Figures.Text(low + share * (high - low), Format) + (share == 1 && High is not null ? " +" : "");
            html.Element("text", text, ("class", "mark"), ("x", Figures.At(x + 17)), ("y", Figures.At(Top + (1 - share) * height + (share == 0 ? 0 : share == 1 ? 9 : 4))));
        }
    }
}
