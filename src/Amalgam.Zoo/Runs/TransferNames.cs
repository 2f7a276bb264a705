using System.Collections.Immutable;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>What the networks of a transfer run may be called: each is the name of a folder beside the run's own files, on every system.</summary>
internal static class TransferNames
{
    /// <summary>Names of devices on Windows, whatever stands behind a dot.</summary>
    private static readonly ImmutableArray<string> Devices = ["con", "prn", "aux", "nul", .. Enumerable.Range(0, 10).SelectMany(i => new[] { $"com{i}", $"lpt{i}" })];

    /// <summary>Endings of files that are not complete yet.</summary>
    private static readonly ImmutableArray<string> Unfinished = ["", ".tmp", ".partial"];

    /// <exception cref="Merging.MergeException">One may not be a name, or two are the same where upper and lower case are; the message says where.</exception>
    public static void Check(IReadOnlyList<(string Name, RecipePosition Position)> names)
    {
        Dictionary<string, string> seen = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, position) in names)
        {
            if (Fault(name) is { } fault) throw position.Refuse(fault);
            if (!seen.TryAdd(name, name)) throw position.Refuse($"the models {Nearest.Quote(seen[name])} and {Nearest.Quote(name)} differ by upper and lower case alone, and on some systems their folders would be one; name one otherwise");
        }
    }

    private static string? Fault(string name)
    {
        bool Is(string other) => string.Equals(name, other, StringComparison.OrdinalIgnoreCase);
        if (name.Length == 0 || name[0] == '.' || name[^1] == '.' || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
            return $"a folder gets the name of each model, so it has letters, digits, '-', '_' and '.' and neither begins nor ends with '.', found {Nearest.Quote(name)}";
        if (Is(TransferReader.Solo)) return $"{TransferReader.Solo} is the folder of the models that are trained by themselves; name this one otherwise";
        if (TransferFolder.All.Any(file => Unfinished.Any(ending => Is(file + ending)))) return $"a folder gets the name of each model, and {Nearest.Quote(name)} is a file that the run writes beside; name this one otherwise";
        return Devices.Contains(name.Split('.')[0].ToLowerInvariant()) ? $"a folder gets the name of each model, and Windows has a device named {Nearest.Quote(name)}; name this one otherwise" : null;
    }
}
