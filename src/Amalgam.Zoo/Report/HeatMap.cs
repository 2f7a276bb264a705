using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>
/// A matrix in colours: similarities, a mapping of layers, a confusion matrix, a loss landscape. Where the cells are large enough their numbers stand in them;
/// a large matrix is drawn as an image.
/// </summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Values">The matrix, row by row; NaN is grey.</param>
public sealed record HeatMap(string Title, int Rows, int Columns, ImmutableArray<double> Values) : ReportPart
{
    private const int MostShapes = 64 * 64;
    private const double Right = 78, TickRoom = 24;

    /// <summary>What stands beside each row; empty for none. Where there is no room only some are shown.</summary>
    public ImmutableArray<string> RowLabels { get; init; } = [];

    /// <summary>What stands above each column; empty for none.</summary>
    public ImmutableArray<string> ColumnLabels { get; init; } = [];

    /// <summary>What the rows are; may be empty.</summary>
    public string RowName { get; init; } = "";

    /// <summary>What the columns are; may be empty.</summary>
    public string ColumnName { get; init; } = "";

    /// <summary>How values are written, as .NET formats are.</summary>
    public string? Format { get; init; }

    /// <summary>Value of the darkest colour; by default the least value.</summary>
    public double? Low { get; init; }

    /// <summary>Value of the lightest colour; by default the largest value.</summary>
    public double? High { get; init; }

    /// <summary>Whether zero is the middle of the colours: by default where there are values on both of its sides.</summary>
    public bool? TwoSided { get; init; }

    /// <summary>Cells with a frame, such as the matched ones.</summary>
    public ImmutableArray<(int Row, int Column)> Chosen { get; init; } = [];

    /// <summary>Whether a line goes from one chosen cell to the next, which lies below it and to its right.</summary>
    public bool Joined { get; init; }

    /// <summary>Parts of the matrix that are framed, and outside of which nothing is drawn: row, column, rows, columns. Empty for all of it.</summary>
    public ImmutableArray<(int Row, int Column, int Rows, int Columns)> Areas { get; init; } = [];

    /// <summary>Whether it is drawn as an image however small it is: a smaller page, whose cells say no numbers.</summary>
    public bool IsImage { get; init; }

    /// <summary>How wide it is drawn where there is room.</summary>
    internal double Width => Math.Max(LeftRoom + Columns * Cell + Right, LeftRoom + Columns * Cell + Sine * WidestOf(ColumnLabels) - Cell / 2 + 8);

    private double Cell => Math.Clamp(440.0 / Math.Max(Rows, Columns), 0.75, 38);

    private double LeftRoom => (RowLabels.IsEmpty ? 0 : WidestOf(RowLabels) + 10) + (RowName == "" ? 0 : 18);

    /// <summary>Every how many columns a label has room.</summary>
    private int ColumnStep => StepOf(ColumnLabels.Length, (WidestOf(ColumnLabels) + 8) / Cell);

    /// <summary>By how many degrees labels of columns are turned: as far as they must be to stand at each.</summary>
    private int Tilt => ColumnStep == 1 || Cell < 13 ? 0 : Cell < 18 ? 90 : 45;

    /// <summary>How much of a label's length goes to the right.</summary>
    private double Sine => Tilt == 45 ? 0.71 : 0;

    internal override void Write(Markup html)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Values.Length, Rows * Columns, nameof(Values));
        double[] finite = [.. Values.Where(double.IsFinite).DefaultIfEmpty(0)];
        double low = Low ?? finite.Min(), high = High ?? finite.Max();
        bool twoSided = TwoSided ?? (low < 0 && high > 0);
        if (twoSided) (low, high) = (-Math.Max(Math.Abs(low), Math.Abs(high)), Math.Max(Math.Abs(low), Math.Abs(high)));

        double cell = Cell, left = LeftRoom;
        int tilt = Tilt, rowStep = StepOf(RowLabels.Length, 13 / cell), columnStep = tilt > 0 ? 1 : ColumnStep;
        double top = (ColumnLabels.IsEmpty ? 4 : tilt > 0 ? WidestOf(ColumnLabels) * (tilt == 45 ? Sine : 1) + 14 : TickRoom) + (ColumnName == "" ? 0 : 18);
        double width = Columns * cell, height = Rows * cell;
        (byte, byte, byte) ColourOf(int i) => Palette.Of(high > low ? (Values[i] - low) / (high - low) : 0.5, twoSided);

        Figure(html, "heat", Title);
        Drawing(html, Width, top + Math.Max(height, 60) + 6, $"{Rows} by {Columns} values from {Figures.Text(low, Format)} to {Figures.Text(high, Format)}");
        if (RowName != "") html.Element("text", RowName, ("class", "name"), ("text-anchor", "middle"), ("transform", $"translate(11 {Figures.At(top + height / 2)}) rotate(-90)"));
        if (ColumnName != "") html.Element("text", ColumnName, ("class", "name"), ("text-anchor", "middle"), ("x", Figures.At(left + width / 2)), ("y", "12"));
        for (int r = 0; r < RowLabels.Length; r += rowStep)
            html.Element("text", RowLabels[r], ("class", "mark"), ("text-anchor", "end"), ("x", Figures.At(left - 6)), ("y", Figures.At(top + (r + 0.5) * cell + 4)));
        for (int c = 0; c < ColumnLabels.Length; c += columnStep)
        {
            string x = Figures.At(left + (c + 0.5) * cell + (tilt > 0 ? 4 : 0)), y = Figures.At(top - 7);
            if (tilt > 0) html.Element("text", ColumnLabels[c], ("class", "mark"), ("transform", $"translate({x} {y}) rotate(-{tilt})"));
            else html.Element("text", ColumnLabels[c], ("class", "mark"), ("text-anchor", "middle"), ("x", x), ("y", y));
        }

        if (IsImage || Values.Length > MostShapes) WriteImage(html, left, top, width, height, ColourOf);
        else WriteCells(html, left, top, cell, ColourOf);
        foreach (var (r, c, rows, columns) in Areas) Frame(html, "frame", left + c * cell, top + r * cell, columns * cell, rows * cell);
        WriteChosen(html, left, top, cell);
        WriteScale(html, left + width + 16, top, Math.Clamp(height, 60, 160), (low, high), twoSided);
        html.Close().Close();
    }

    /// <summary>A light line within a dark one can be seen on every colour. From one cell to the next it goes along the edges of the cells between, and so past their numbers.</summary>
    private void WriteChosen(Markup html, double left, double top, double cell)
    {
        foreach (string part in (ReadOnlySpan<string>)["chosen", "chosen inner"])
        {
            for (int i = 1; Joined && i < Chosen.Length; i++)
            {
                var ((r, c), (nextRow, nextColumn)) = (Chosen[i - 1], Chosen[i]);
                html.Empty("line", ("class", part), ("x1", Figures.At(left + (c + 1) * cell)), ("y1", Figures.At(top + (r + 1) * cell)), ("x2", Figures.At(left + nextColumn * cell)), ("y2", Figures.At(top + nextRow * cell)));
            }

            foreach (var (r, c) in Chosen) Frame(html, part, left + c * cell, top + r * cell, cell, cell);
        }
    }

    private static void Frame(Markup html, string kind, double x, double y, double width, double height) =>
        html.Empty("rect", ("class", kind), ("x", Figures.At(x)), ("y", Figures.At(y)), ("width", Figures.At(width)), ("height", Figures.At(height)));

    private bool IsShown(int row, int column) => Areas.IsEmpty || Areas.Any(a => row >= a.Row && row < a.Row + a.Rows && column >= a.Column && column < a.Column + a.Columns);

    private void WriteCells(Markup html, double left, double top, double cell, Func<int, (byte, byte, byte)> colourOf)
    {
        double gap = cell > 12 ? 1 : 0;
        bool fits = Values.Where(double.IsFinite).DefaultIfEmpty(0).Max(v => Legend.WidthOf(Figures.Text(v, Format))) * 0.85 < cell && cell >= 16;
        for (int i = 0; i < Values.Length; i++)
        {
            int r = i / Columns, c = i % Columns;
            double x = left + c * cell, y = top + r * cell;
            if (c == 0) html.Line();
            if (!IsShown(r, c)) continue;
            html.Open("rect", ("x", Figures.At(x)), ("y", Figures.At(y)), ("width", Figures.At(cell - gap)), ("height", Figures.At(cell - gap)), ("fill", Palette.Css(colourOf(i))))
                .Element("title", $"{NameOf(RowLabels, r)}, {NameOf(ColumnLabels, c)}: {Figures.Text(Values[i], Format)}").Close();
            if (fits)
            {
                html.Element(
                    "text", Figures.Text(Values[i], Format), ("x", Figures.At(x + (cell - gap) / 2)), ("y", Figures.At(y + cell / 2 + 3.5)), ("text-anchor", "middle"),
                    ("style", $"font-size:10.5px;pointer-events:none;fill:{Palette.InkOn(colourOf(i))}"));
            }
        }
    }

    private void WriteImage(Markup html, double left, double top, double width, double height, Func<int, (byte Red, byte Green, byte Blue)> colourOf)
    {
        byte[] pixels = new byte[Values.Length * 3];
        for (int i = 0; i < Values.Length; i++) (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) = colourOf(i);
        html.Empty(
            "image", ("x", Figures.At(left)), ("y", Figures.At(top)), ("width", Figures.At(width)), ("height", Figures.At(height)), ("preserveAspectRatio", "none"),
            ("href", Address(Columns, Rows, pixels)));
    }

    /// <summary>Which colour is which value.</summary>
    private void WriteScale(Markup html, double x, double top, double height, (double Low, double High) range, bool twoSided)
    {
        const int Steps = 32;
        double step = height / Steps;
        for (int i = 0; i < Steps; i++)
        {
            string fill = Palette.Css(Palette.Of(1 - (i + 0.5) / Steps, twoSided));
            html.Empty("rect", ("x", Figures.At(x)), ("y", Figures.At(top + i * step)), ("width", "12"), ("height", Figures.At(step + 0.4)), ("fill", fill));
        }

        foreach (double share in (ReadOnlySpan<double>)[0, 0.5, 1])
        {
            double value = range.Low + share * (range.High - range.Low);
            html.Element("text", Figures.Text(value, Format), ("class", "mark"), ("x", Figures.At(x + 17)), ("y", Figures.At(top + (1 - share) * height + (share == 0 ? 0 : share == 1 ? 9 : 4))));
        }
    }

    private static string NameOf(ImmutableArray<string> labels, int i) => labels.IsEmpty ? $"{i + 1}" : labels[i];

    private static double WidestOf(ImmutableArray<string> labels) => labels.Select(Legend.WidthOf).DefaultIfEmpty(0).Max() * 0.92;

    /// <summary>Every how many labels there is room for one.</summary>
    private static int StepOf(int labels, double need) => labels == 0 ? 1 : Math.Max(1, (int)Math.Ceiling(need));
}
