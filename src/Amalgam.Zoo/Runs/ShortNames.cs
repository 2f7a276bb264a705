using System.Collections.Immutable;
using Amalgam.Alignment.Layers;

namespace Amalgam.Zoo.Runs;

/// <summary>The names of a network's layers, short enough for a picture: without the parts, between dots, that all begin with, and of long ones only the last parts.</summary>
internal sealed class ShortNames
{
    private const int MostLetters = 28;
    private const string Cut = "\u2026";

    public ShortNames(IReadOnlyList<NetworkLayer> layers)
    {
        string[] names = [.. layers.Select(layer => layer.Name)];
        int common = names.Length < 2 ? 0 : Common(names);
        string[] own = [.. names.Select(name => name[common..])];
        string[] brief = [.. own.Select(Shorten)];
        // Two layers must not look like one.
        HashSet<string> twice = [.. brief.CountBy(name => name).Where(pair => pair.Value > 1).Select(pair => pair.Key)];
        All = [.. brief.Select((name, i) => twice.Contains(name) ? own[i] : name)];
    }

    /// <summary>The names, in the order of the layers.</summary>
    public ImmutableArray<string> All { get; }

    /// <summary>Letters up to the last dot that all names begin with.</summary>
    private static int Common(string[] names)
    {
        int same = 0;
        while (names.All(name => same < name.Length && name[same] == names[0][same])) same++;
        return names[0][..same].LastIndexOf('.') + 1;
    }

    private static string Shorten(string name)
    {
        string rest = name;
        while (rest.Length > MostLetters && rest.IndexOf('.') is >= 0 and var dot) rest = rest[(dot + 1)..];
        if (rest.Length > MostLetters) rest = rest[^(MostLetters - 1)..];
        return rest == name ? name : Cut + rest;
    }
}
