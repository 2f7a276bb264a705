namespace Amalgam.Zoo.Experiments;

/// <summary>The rows of a part.</summary>
/// <param name="path">The file.</param>
/// <param name="description">What its rows are of.</param>
/// <param name="overwrite">Whether rows of another description are replaced.</param>
/// <exception cref="InvalidDataException">The file has rows of another description, which are not to be replaced.</exception>
internal sealed class MethodLog(string path, string description, bool overwrite) : RowFile<MethodRow>(path, description, overwrite, MethodRow.Parse, row => row.ToJson())
{
    /// <summary>Whether there is a row of a method on a pair.</summary>
    public bool Has(string table, string pair, string method) => Rows.Any(row => row.Table == table && row.Pair == pair && row.Method == method);
}
