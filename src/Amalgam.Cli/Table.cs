using System.Text;

namespace Amalgam.Cli;

/// <summary>
/// Rows of text in aligned columns. A row is one line; on a terminal that is too narrow for that it is two, the first columns (what the row is about) above
/// the others, so that no cell is ever cut or folded.
/// </summary>
/// <param name="lead">Columns that stay on the first line when a row takes two.</param>
/// <param name="columns">Names of the columns; one that begins with <c>&gt;</c> is aligned to the right.</param>
internal sealed class Table(int lead, params string[] columns)
{
    private const string Gap = "  ";
    private readonly List<string[]> _rows = [[.. columns.Select(c => c.TrimStart('>'))]];

    /// <summary>Adds a row, of cells that are safe to print.</summary>
    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, columns.Length);
        _rows.Add(cells);
    }

    /// <summary>Prints the table.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="width">Columns of the terminal; null for no limit.</param>
    public void Write(TextWriter output, int? width)
    {
        int[] widths = [.. columns.Select((_, column) => _rows.Max(row => row[column].Length))];
        bool stacked = Sum(widths) > width;
        StringBuilder text = new();
        foreach (string[] row in _rows)
        {
            if (!stacked)
            {
                Append(text, "", row, widths, 0, columns.Length);
                continue;
            }

            text.AppendJoin(Gap, row[..lead]).AppendLine();
            Append(text, Gap, row, widths, lead, columns.Length);
        }

        output.Write(text);
    }

    private static int Sum(int[] widths) => widths.Sum() + Gap.Length * (widths.Length - 1);

    private void Append(StringBuilder text, string indent, string[] row, int[] widths, int from, int to)
    {
        text.Append(indent);
        for (int i = from; i < to; i++)
        {
            if (i > from) text.Append(Gap);
            bool right = columns[i].StartsWith('>');
            if (right) text.Append(' ', widths[i] - row[i].Length);
            text.Append(row[i]);
            if (!right && i + 1 < to) text.Append(' ', widths[i] - row[i].Length);
        }

        while (text.Length > 0 && text[^1] == ' ') text.Length--;
        text.AppendLine();
    }
}
