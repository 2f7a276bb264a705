using System.Collections.Immutable;

namespace Amalgam.Zoo.Report;

/// <summary>Which value of a column is shown in bold.</summary>
public enum Best
{
    /// <summary>None.</summary>
    None,

    /// <summary>The largest of each section; all that read the same.</summary>
    Highest,

    /// <summary>The smallest of each section; all that read the same.</summary>
    Lowest,
}

/// <summary>A column of a table.</summary>
/// <param name="Name">Its heading.</param>
/// <param name="Format">How its numbers are written, as .NET formats are: <c>0.0%</c>, <c>0.000</c>; null for four digits.</param>
/// <param name="Best">Which of its numbers is shown in bold.</param>
public sealed record Column(string Name, string? Format = null, Best Best = Best.None)
{
    /// <summary>Whether texts in it are numbers with what belongs to them, and stand to the right as numbers do.</summary>
    public bool IsRight { get; init; }
}

/// <summary>What stands in one place of a table: text or a number.</summary>
public readonly record struct Cell
{
    private Cell(string? text, double? number) => (Text, Number) = (text, number);

    /// <summary>The text; null for a number.</summary>
    public string? Text { get; }

    /// <summary>The number, NaN for one that does not exist; null for text.</summary>
    public double? Number { get; }

    public static implicit operator Cell(string text) => new(text, null);

    public static implicit operator Cell(double number) => new(null, number);
}

/// <summary>Rows that belong together.</summary>
/// <param name="Title">Stands above them; may be empty.</param>
/// <param name="Rows">As many cells in each as the table has columns.</param>
public sealed record TableSection(string Title, params ImmutableArray<ImmutableArray<Cell>> Rows);

/// <summary>A table: text to the left, numbers to the right, the best value of a column and section in bold.</summary>
/// <param name="Title">Its title; may be empty.</param>
/// <param name="Columns">The columns.</param>
/// <param name="Sections">The rows.</param>
public sealed record DataTable(string Title, ImmutableArray<Column> Columns, params ImmutableArray<TableSection> Sections) : ReportPart
{
    internal override void Write(Markup html)
    {
        Figure(html, "table", Title).Open("table").Open("thead").Open("tr");
        for (int c = 0; c < Columns.Length; c++) html.Element("th", Columns[c].Name, ("class", IsNumeric(c) ? "n" : "t"));
        html.Close().Close();
        foreach (TableSection section in Sections) Write(html, section);
        html.Close().Close();
    }

    private void Write(Markup html, TableSection section)
    {
        string?[] best = [.. Columns.Select((column, c) => BestOf(section, column, c))];
        html.Open("tbody");
        if (section.Title != "") html.Open("tr").Element("th", section.Title, ("class", "section"), ("colspan", $"{Columns.Length}")).Close();
        foreach (ImmutableArray<Cell> row in section.Rows)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, Columns.Length, nameof(Sections));
            html.Line().Open("tr");
            for (int c = 0; c < row.Length; c++)
            {
                string text = row[c].Text ?? Figures.Text(row[c].Number ?? double.NaN, Columns[c].Format);
                html.Element("td", text, ("class", (IsNumeric(c) ? "n" : "t") + (row[c].Number is not null && text == best[c] ? " best" : "")));
            }

            html.Close();
        }

        html.Close();
    }

    private bool IsNumeric(int column) => Columns[column].IsRight || Sections.Any(s => s.Rows.Any(r => r[column].Number is not null));

    /// <summary>How the best number reads; null when there is nothing to compare.</summary>
    private static string? BestOf(TableSection section, Column column, int index)
    {
        double[] numbers = [.. section.Rows.Select(r => r[index].Number ?? double.NaN).Where(n => !double.IsNaN(n))];
        if (column.Best == Best.None || numbers.Length < 2) return null;
        return Figures.Text(column.Best == Best.Highest ? numbers.Max() : numbers.Min(), column.Format);
    }
}
