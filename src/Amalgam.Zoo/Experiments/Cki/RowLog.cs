using System.Collections.Immutable;
using System.Text.Json;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>The rows of a table.</summary>
/// <param name="path">The file.</param>
/// <param name="description">What its rows are of.</param>
/// <param name="names">Names of the figures.</param>
/// <param name="overwrite">Whether rows of another description are replaced.</param>
/// <exception cref="InvalidDataException">The file has rows of another description, which are not to be replaced.</exception>
internal sealed class RowLog(string path, string description, ImmutableArray<string> names, bool overwrite = false)
    : RowFile<Row>(path, description, overwrite, line => Parse(line, names), row => row.ToJson(names))
{
    /// <summary>The row of that start, seed and method; null when there is none yet.</summary>
    public Row? Find(CkiStart start, int seed, string method) => Rows.FirstOrDefault(row => row.Start == start && row.Seed == seed && row.Method == method);

    private static Row? Parse(string line, ImmutableArray<string> names)
    {
        try
        {
            return Row.Parse(line, names);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
