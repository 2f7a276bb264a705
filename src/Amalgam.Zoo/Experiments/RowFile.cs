using System.Text.Json;

namespace Amalgam.Zoo.Experiments;

/// <summary>Rows of results in a file, a line of JSON each, behind a line that says what they are of. Rows of the same description that an earlier run has left are taken over.</summary>
internal abstract class RowFile<TRow>
    where TRow : class
{
    private readonly string _path, _head;
    private readonly Func<TRow, string> _write;
    private readonly List<TRow> _rows = [];

    /// <param name="path">The file.</param>
    /// <param name="description">What its rows are of.</param>
    /// <param name="overwrite">Whether rows of another description are replaced.</param>
    /// <param name="parse">Reads a line; null where it is none, as a run that was killed may leave half a line.</param>
    /// <param name="write">Writes a line.</param>
    /// <exception cref="InvalidDataException">The file has rows of another description, which are not to be replaced.</exception>
    protected RowFile(string path, string description, bool overwrite, Func<string, TRow?> parse, Func<TRow, string> write)
    {
        (_path, _write) = (path, write);
        _head = $"{{\"description\":\"{JsonEncodedText.Encode(description)}\"}}";
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        if (lines.Length > 0 && EarlierRun.IsTakenOver(path, Description(lines[0]), description, overwrite)) _rows.AddRange(lines.Skip(1).Select(parse).TakeWhile(row => row is not null)!);
        if (lines.Length == 0) return;
        string beside = path + ".tmp";
        File.WriteAllLines(beside, [_head, .. _rows.Select(write)]);
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>The rows, in the order in which they were made.</summary>
    public IReadOnlyList<TRow> Rows => _rows;

    /// <summary>Adds a row.</summary>
    public void Add(TRow row)
    {
        _rows.Add(row);
        if (!File.Exists(_path) || new FileInfo(_path).Length == 0) File.WriteAllText(_path, _head + Environment.NewLine);
        File.AppendAllText(_path, _write(row) + Environment.NewLine);
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
}
