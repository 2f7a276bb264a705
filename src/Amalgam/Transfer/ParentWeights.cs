using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Graphs;

namespace Amalgam.Transfer;

/// <summary>The weights of several networks by name, and which network is the host.</summary>
internal sealed class ParentWeights
{
    internal const string Weight = "weight", Bias = "bias";
    private const int MostNamed = 5;

    private readonly IReadOnlyList<Graph> _models;
    private readonly IntegrationOptions _options;
    private readonly HashSet<string> _statistics;

    public ParentWeights(IReadOnlyList<Graph> models, IntegrationOptions options)
    {
        if (models.Count < 2) throw new GraphException($"an integration takes two models or more, found {models.Count}");
        (_models, _options) = (models, options);
        int[] dynamic = [.. Enumerable.Range(0, models.Count).Where(k => models.Any(other => other.Parameters.Keys.Any(name => models[k].Find(name) is { Op: not Parameter })))];
        if (dynamic.Length > 1) throw new GraphException($"models {string.Join(" and ", dynamic.Select(k => k + 1))} make weights for each sample; only one model of an integration can");
        if (dynamic.Length == 1) Dynamic = dynamic[0];
        CheckPorts();
        Host = Rewrite.Apply(models[Dynamic ?? 0], (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, node.Value!.Copy(), node.Trainable, node.Type) : null).Graph;
        _statistics = [.. Rewrite.ForTraining(Host).Graph.Updates.Keys.Select(node => node.Name!)];
    }

    /// <summary>A copy of the host, with weights of its own.</summary>
    public Graph Host { get; }

    /// <summary>Number of the model that makes weights for each sample; null when none does.</summary>
    public int? Dynamic { get; }

    /// <summary>The names that are to be spliced, in the host's order.</summary>
    public IEnumerable<string> Spliced(VectorTreatment vectors)
    {
        List<string> missing = [];
        foreach (string name in Host.Nodes.Where(node => node.Op is not Input).Select(node => node.Name).OfType<string>())
        {
            if (_statistics.Contains(name) || Stored(name) is not { Type.IsFloat: true } stored) continue;
            if (!(_options.Include?.Invoke(name) ?? stored.Shape.Rank > 1) && !(stored.Shape.Rank < 2 && vectors == VectorTreatment.Splice && IsOfSpliced(name))) continue;
            if (_models.Any(m => m.Find(name) is null)) missing.Add(name);
            else if (Misfit(name, stored.Shape) is { } other) throw new GraphException($"'{name}' has shape {stored.Shape} in one model and {other} in another");
            else yield return name;
        }

        if (_options.Include is not null && missing.Count > 0) throw new GraphException($"not all models have {Named(missing)}");
    }

    /// <summary>What an expression is made of.</summary>
    public WeightSite Site(Graph to, string name, Node own) => new(
        to, name, Stored(name)!.Shape,
        [.. _models.Select((m, k) => k == Dynamic && own.Op is not Parameter ? own : to.Constant(m.Parameters[name].Value!.Copy()))],
        _options.Base is not { } origin ? null
            : to.Constant((origin.Parameters.GetValueOrDefault(name) ?? throw new GraphException($"the base has no weight '{name}'")).Value!.Copy()),
        _options.Seed);

    /// <summary>Sets running statistics, and vectors that are not spliced, to the mean over the models where all have them.</summary>
    public void Average(Graph graph, ImmutableArray<string> spliced)
    {
        foreach (var (name, node) in graph.Parameters)
        {
            if (node.Shape.Rank > 1 || spliced.Contains(name) || !(IsOfSpliced(name) || _statistics.Contains(name))) continue;
            Tensor[] values = [.. _models.Select(m => m.Parameters.GetValueOrDefault(name)?.Value).OfType<Tensor>().Where(v => v.Shape == node.Shape)];
            if (values.Length < _models.Count) continue;
            Span<float> mean = node.Value!.Span;
            for (int i = 0; i < mean.Length; i++) mean[i] = (float)(values.Sum(v => (double)v.Span[i]) / values.Length);
        }
    }

    /// <summary>Whether a vector goes with what is spliced: every one where no names are given, else the bias beside such a weight.</summary>
    private bool IsOfSpliced(string name) =>
        _options.Include is not { } include || include(name) || (name.EndsWith(Bias, StringComparison.Ordinal) && include(name[..^Bias.Length] + Weight));

    /// <summary>A weight as a parameter of the first model where it is one; null where it is a parameter of none.</summary>
    private Node? Stored(string name) => _models.Select(m => m.Parameters.GetValueOrDefault(name)).FirstOrDefault(node => node is not null);

    private Shape? Misfit(string name, Shape shape)
    {
        foreach (Graph model in _models)
        {
            Node node = model.Find(name)!;
            Shape own = node.Op is Parameter || node.Shape.Rank != shape.Rank + 1 ? node.Shape : new(node.Shape.Sizes[1..]);
            if (own != shape) return node.Shape;
        }

        return null;
    }

    /// <summary>The models must take and give the same.</summary>
    private void CheckPorts()
    {
        foreach (Graph model in _models)
        {
            if (!model.Inputs.Keys.Order().SequenceEqual(_models[0].Inputs.Keys.Order()))
                throw new GraphException($"the models take other inputs: {Named(_models[0].Inputs.Keys)}, and {Named(model.Inputs.Keys)}");
        }
    }

    private static string Named(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return string.Join(", ", all.Take(MostNamed).Select(n => $"'{n}'")) + (all.Length > MostNamed ? $" and {all.Length - MostNamed} more" : "");
    }
}
