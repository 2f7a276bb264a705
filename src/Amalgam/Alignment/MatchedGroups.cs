using System.IO.Enumeration;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>Which groups of units are matched.</summary>
internal static class MatchedGroups
{
    /// <summary>All groups but those in which nothing may be permuted and those that the options pin.</summary>
    /// <exception cref="GraphException">A pin names nothing.</exception>
    public static UnitGroup[] Of(UnitGroups groups, AlignmentOptions options)
    {
        foreach (string pin in options.Pins)
        {
            if (!groups.Groups.Any(group => Names(group).Any(name => IsOf(pin, name))))
                throw new GraphException($"nothing is called '{pin}', which should keep its units in their places; classes of units are {string.Join(", ", groups.Classes.Select(units => $"'{units.Name}'"))}");
        }

        return [.. groups.Groups.Where(group => !group.IsPinned && !options.Pins.Any(pin => Names(group).Any(name => IsOf(pin, name))))];
    }

    private static IEnumerable<string> Names(UnitGroup group) => group.Classes.SelectMany(units => units.Parameters.Select(place => place.Node.Name!).Prepend(units.Name));

    private static bool IsOf(string pin, string name) => FileSystemName.MatchesSimpleExpression(pin, name, ignoreCase: false);
}
