using System.Text.Json;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>Pieces and their ids.</summary>
internal sealed class PieceTable
{
    private const int Most = 1 << 24;

    private readonly string _path;
    private readonly HashSet<int> _taken = [];

    private PieceTable(string path) => _path = path;

    /// <summary>The id of each piece.</summary>
    public Dictionary<string, int> Ids { get; } = new(StringComparer.Ordinal);

    /// <summary>Ids are below this.</summary>
    public int Count { get; private set; }

    /// <summary>A <c>vocab.txt</c>: a piece a line, its id the line's number from 0.</summary>
    /// <exception cref="InvalidDataException">It is empty, or a piece stands twice.</exception>
    public static PieceTable ReadLines(string path)
    {
        PieceTable table = new(path);
        string[] lines = TokenizerFile.ReadText(path).Split('\n');
        for (int i = 0; i < (lines[^1] == "" ? lines.Length - 1 : lines.Length); i++)
        {
            string piece = lines[i].EndsWith('\r') ? lines[i][..^1] : lines[i];
            if (!table.Ids.TryAdd(piece, i)) throw new InvalidDataException($"{path}, line {i + 1}: the piece '{piece}' stands twice, first in line {table.Ids[piece] + 1}");
            table.Count = i + 1;
        }

        return table.Count > 0 ? table : throw new InvalidDataException($"{path} is empty, expected a piece a line");
    }

    /// <summary>A JSON object of pieces and ids.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="vocabulary">The object.</param>
    /// <exception cref="InvalidDataException">It is none, or two pieces have one id.</exception>
    public static PieceTable Read(string path, JsonElement vocabulary)
    {
        if (vocabulary.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{path}: expected a vocabulary, an object of pieces and ids, found {TokenizerFile.Brief(vocabulary)}");
        PieceTable table = new(path);
        foreach (JsonProperty piece in vocabulary.EnumerateObject()) table.Add(piece.Name, TokenizerFile.Id(path, piece.Value, $"the piece '{piece.Name}'", Most));
        return table.Count > 0 ? table : throw new InvalidDataException($"{path}: its vocabulary is empty");
    }

    /// <summary>The id of a piece that must be there.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public int Need(string piece, string what) => Ids.TryGetValue(piece, out int id) ? id : throw new InvalidDataException($"{_path} has no piece '{piece}', which is {what}");

    private void Add(string piece, int id)
    {
        if (!_taken.Add(id)) throw new InvalidDataException($"{_path}: the id {id} belongs to '{piece}' and to '{Ids.First(p => p.Value == id).Key}'");
        Ids.Add(piece, id);
        Count = Math.Max(Count, id + 1);
    }
}
