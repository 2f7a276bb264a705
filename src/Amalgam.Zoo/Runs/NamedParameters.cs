using Amalgam.Graphs;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>Which parameters the name patterns of a run description mean.</summary>
/// <param name="network">The network that is trained.</param>
/// <param name="others">Names that a pattern may mean though this network has no parameter of that name.</param>
/// <param name="learned">The parameters of a learned splice, <c>splice/fc.weight</c>: a pattern of the model's names, <c>fc.weight</c>, does not mean them, one that names the prefix does.</param>
internal sealed class NamedParameters(Graph network, IReadOnlyCollection<string> others, IReadOnlyCollection<string> learned)
{
    private const int MostNamed = 10;

    private readonly HashSet<string> _learned = [.. learned];

    /// <summary>The parameters of a network by itself.</summary>
    public NamedParameters(Graph network) : this(network, [], [])
    {
    }

    /// <summary>Whether a pattern means a parameter.</summary>
    public bool Match(NamePattern pattern, string name) =>
        pattern.Matches(name) && (!_learned.Contains(name) || pattern.Text.Contains(name[..name.IndexOf('/')], StringComparison.Ordinal));

    /// <summary>Reads patterns.</summary>
    /// <param name="what">What they are for, to say it where one means nothing.</param>
    /// <param name="texts">The patterns.</param>
    /// <exception cref="GraphException">A pattern means no parameter.</exception>
    public NamePattern[] Parse(string what, IEnumerable<string> texts)
    {
        NamePattern[] patterns = [.. texts.Select(text => NamePattern.Parse(text, plainIsGlob: false))];
        string[] all = [.. network.Parameters.Keys.Concat(others).Distinct()];
        if (patterns.FirstOrDefault(p => !all.Any(name => Match(p, name))) is not { } idle) return patterns;
        throw new GraphException($"{what}: no parameter of the model matches {Nearest.Quote(idle.Text)}; there are {string.Join(", ", all.Take(MostNamed))}{(all.Length > MostNamed ? $" and {all.Length - MostNamed} more" : "")}");
    }

    /// <summary>Makes the parameters that patterns mean ones that are not trained.</summary>
    /// <exception cref="GraphException">A pattern means no parameter.</exception>
    public void Freeze(IEnumerable<string> texts)
    {
        NamePattern[] patterns = Parse("freeze", texts);
        foreach (Node node in network.Parameters.Values.Where(node => patterns.Any(p => Match(p, node.Name!)))) node.Trainable = false;
    }
}
