using System.Text.Json;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>The rows of a part in a file, a line of JSON each, behind a line that says what they are of. Rows of the same description that an earlier run has left are taken over.</summary>
internal sealed class MudscLog
{
    private readonly string _path;
    private readonly List<MudscRow> _rows = [];

    /// <param name="path">The file.</param>
    /// <param name="description">What its rows are of.</param>
    /// <param name="overwrite">Whether rows of another description are replaced.</param>
    /// <exception cref="InvalidDataException">The file has rows of another description, which are not to be replaced.</exception>
    public MudscLog(string path, string description, bool overwrite)
    {
        _path = path;
        string head = $"{{\"description\":\"{JsonEncodedText.Encode(description)}\"}}";
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        if (lines.Length > 0 && EarlierRun.IsTakenOver(path, Description(lines[0]), description, overwrite)) _rows.AddRange(lines.Skip(1).Select(MudscRow.Parse).TakeWhile(row => row is not null)!);
        string beside = path + ".tmp";
        File.WriteAllLines(beside, [head, .. _rows.Select(row => row.ToJson())]);
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>The rows, in the order in which they were made.</summary>
    public IReadOnlyList<MudscRow> Rows => _rows;

    /// <summary>Whether there is a row of a method on a pair.</summary>
    public bool Has(ModelPair pair, string method) => _rows.Exists(row => row.Table == pair.Table && row.Pair == pair.Name && row.Method == method);

    /// <summary>Adds a row.</summary>
    public void Add(MudscRow row)
    {
        _rows.Add(row);
        File.AppendAllText(_path, row.ToJson() + Environment.NewLine);
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
