using System.Collections.Immutable;
using System.Text.Json;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>The rows of a table in a file, a line of JSON each, behind a line that says what they are of. Rows of the same description that an earlier run has left are taken over.</summary>
internal sealed class RowLog
{
    private readonly string _path;
    private readonly ImmutableArray<string> _names;
    private readonly List<Row> _rows = [];

    /// <param name="path">The file.</param>
    /// <param name="description">What its rows are of.</param>
    /// <param name="names">Names of the figures.</param>
    /// <param name="overwrite">Whether rows of another description are replaced.</param>
    /// <exception cref="InvalidDataException">The file has rows of another description, which are not to be replaced.</exception>
    public RowLog(string path, string description, ImmutableArray<string> names, bool overwrite = false)
    {
        (_path, _names) = (path, names);
        string head = $"{{\"description\":\"{JsonEncodedText.Encode(description)}\"}}";
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        if (lines.Length > 0 && EarlierRun.IsTakenOver(path, Description(lines[0]), description, overwrite)) _rows.AddRange(lines.Skip(1).Select(Parse).TakeWhile(row => row is not null)!);
        string beside = path + ".tmp";
        File.WriteAllLines(beside, [head, .. _rows.Select(row => row.ToJson(names))]);
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>The rows, in the order in which they were made.</summary>
    public IReadOnlyList<Row> Rows => _rows;

    /// <summary>The row of that start, seed and method; null when there is none yet.</summary>
    public Row? Find(CkiStart start, int seed, string method) => _rows.Find(row => row.Start == start && row.Seed == seed && row.Method == method);

    /// <summary>Adds a row.</summary>
    public void Add(Row row)
    {
        _rows.Add(row);
        File.AppendAllText(_path, row.ToJson(_names) + Environment.NewLine);
    }

    private static string Description(string head)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(head);
            return document.RootElement.GetProperty("description").GetString() ?? "";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "";
        }
    }

    /// <summary>A run that was killed may have left half a line.</summary>
    private Row? Parse(string line)
    {
        try
        {
            return Row.Parse(line, _names);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
