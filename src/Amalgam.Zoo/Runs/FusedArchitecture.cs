using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>The architecture of the Zoo that a network turns out to be.</summary>
/// <param name="Model">The architecture with its options.</param>
/// <param name="Network">A network of the architecture.</param>
/// <param name="Names">For each weight of the architecture, its name in the network that was looked at.</param>
internal sealed record FusedArchitecture(ModelDescription Model, Graph Network, IReadOnlyDictionary<string, string> Names)
{
    private const int AnyBatch = 2;

    /// <summary>Most architectures that are tried.</summary>
    private const int Most = 64;

    /// <summary>
    /// Finds it among those that take each of their options from one of several others, and of perceptrons the widths that the network has. Each candidate is built, and counts only where its operations and shapes
    /// are the network's, so that a wrong guess cannot name one.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="models">What the networks are that it came from.</param>
    /// <returns>Null where it is none of them.</returns>
    public static FusedArchitecture? Find(Graph network, IReadOnlyList<ModelDescription> models)
    {
        ModelDescription[] known = [.. models.Where(m => ZooModel.All.Any(entry => entry.Name == m.Name))];
        foreach (ModelDescription candidate in Candidates(known, WidthsOf(network)).DistinctBy(m => m.Text).Take(Most))
        {
            if (Match(network, candidate) is { } found) return found;
        }

        return null;
    }

    /// <summary>A network of the structure that was looked at, with its weights under the architecture's names.</summary>
    public Graph Named(Graph network) => GivenNetworks.With(Network, Names.ToDictionary(n => n.Key, n => network.Parameters[n.Value].Value!, StringComparer.Ordinal));

    private static IEnumerable<ModelDescription> Candidates(ModelDescription[] models, string widths)
    {
        foreach (ModelDescription model in models)
        {
            if (ZooModel.Find(model.Name).Options.FirstOrDefault(o => o.Name == "hidden" && o.Kind == OptionKind.Sizes) is { } hidden) yield return model with { Options = model.Options.SetItem(hidden.Name, widths), Weights = null, Freeze = [] };
        }

        foreach (string name in models.Select(m => m.Name).Distinct())
        {
            string[] options = [.. ZooModel.Find(name).Options.Select(o => o.Name).Where(o => models.Select(m => m.Options.GetValueOrDefault(o)).Distinct().Count() > 1)];
            IEnumerable<ModelDescription> mixed = [new(name) { Options = models[0].Options }];
            foreach (string option in options)
                mixed = mixed.SelectMany(model => models.Select(m => m.Options.GetValueOrDefault(option)).Distinct().Select(value => model with { Options = value is null ? model.Options.Remove(option) : model.Options.SetItem(option, value) }));
            foreach (ModelDescription model in mixed) yield return model;
        }
    }

    /// <summary>Units of the layers but the last, with commas between.</summary>
    private static string WidthsOf(Graph network) => string.Join(',', NetworkLayers.Of(network).Layers.Select(layer => layer.Width));

    /// <summary>What a network is of an architecture; null where it is another.</summary>
    private static FusedArchitecture? Match(Graph network, ModelDescription model)
    {
        try
        {
            Graph built = ModelLoader.Build(model, AnyBatch, 0);
            Homologues pair = Homologues.Of(network, built, check: false);
            bool isSame = pair.Parameters.Count == network.Parameters.Count && pair.Parameters.Count == built.Parameters.Count && pair.Parameters.All(p => p.A.Shape == p.B.Shape);
            return isSame ? new(model, built, pair.Parameters.ToDictionary(p => p.B.Name!, p => p.A.Name!, StringComparer.Ordinal)) : null;
        }
        catch (GraphException)
        {
            return null;
        }
    }
}
