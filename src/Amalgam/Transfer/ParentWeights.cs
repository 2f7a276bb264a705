using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer;

/// <summary>The weights of several networks by name, and which network is the host.</summary>
internal sealed class ParentWeights
{
    internal const string Weight = "weight", Bias = "bias";
    private const int MostNamed = 5;

    private readonly IReadOnlyList<Graph> _models;
    private readonly IntegrationOptions _options;
    private readonly Dictionary<string, string?> _statistics = [];

    public ParentWeights(IReadOnlyList<Graph> models, IntegrationOptions options)
    {
        if (models.Count < 2) throw new GraphException($"an integration takes two models or more, found {models.Count}");
        (_models, _options) = (models, options);
        int[] dynamic = [.. Enumerable.Range(0, models.Count).Where(k => models.Any(other => other.Parameters.Keys.Any(name => models[k].Find(name) is { Op: not Parameter })))];
        if (dynamic.Length > 1) throw new GraphException($"models {string.Join(" and ", dynamic.Select(k => k + 1))} make weights for each sample; only one model of an integration can");
        if (dynamic.Length == 1) Dynamic = dynamic[0];
        CheckPorts();
        HostNumber = Dynamic ?? 0;
        Host = Surgery.Copy(models[HostNumber]);
        foreach (Node node in Host.Nodes.Where(node => node.Op is BatchNormalization))
        {
            foreach (Node statistic in node.Inputs[3..].Where(input => input.Op is Parameter)) _statistics[statistic.Name!] = node.Inputs[1].Name;
        }
    }

    /// <summary>Number of the model that is the host.</summary>
    public int HostNumber { get; }

    /// <summary>Weights that are asked for and that not all models have.</summary>
    public ImmutableArray<string> Unshared { get; private set; } = [];

    /// <summary>A copy of the host, with weights of its own.</summary>
    public Graph Host { get; }

    /// <summary>Number of the model that makes weights for each sample; null when none does.</summary>
    public int? Dynamic { get; }

    /// <summary>The names that are to be spliced, in the host's order.</summary>
    public ImmutableArray<string> Spliced(VectorTreatment vectors)
    {
        List<string> spliced = [], missing = [];
        foreach (string name in Host.Nodes.Where(node => node.Op is not Input).Select(node => node.Name).OfType<string>())
        {
            if (_statistics.ContainsKey(name) || Stored(name) is not { Type.IsFloat: true } stored) continue;
            bool isVector = stored.Shape.Rank < 2;
            if (!(_options.Include?.Invoke(name) ?? !isVector) && !(isVector && vectors == VectorTreatment.Splice && IsOfSpliced(name))) continue;
            if (_models.Any(m => m.Find(name) is null)) missing.Add(name);
            else if (Misfit(name, stored.Shape) is { } other) throw new GraphException($"'{name}' has shape {stored.Shape} in one model and {other} in another");
            else spliced.Add(name);
        }

        Unshared = [.. missing, .. _models.SelectMany(m => m.Parameters).Where(p => p.Value.Shape.Rank > 1 && Host.Find(p.Key) is null && (_options.Include?.Invoke(p.Key) ?? true)).Select(p => p.Key).Distinct()];
        return [.. spliced];
    }

    /// <summary>What an expression is made of.</summary>
    public WeightSite Site(Graph to, string name, Node own)
    {
        Shape shape = Stored(name)!.Shape;
        return new(
            to, name, shape, [.. _models.Select((m, k) => k == Dynamic && own.Op is not Parameter ? own : to.Constant(m.Parameters[name].Value!.Copy()))],
            _options.Base is { } origin ? to.Constant(OfBase(origin, name, shape).Copy()) : null, _options.Seed)
        { InputAxis = InputAxis(name, shape) };
    }

    private static Tensor OfBase(Graph origin, string name, Shape shape)
    {
        Tensor value = (origin.Parameters.GetValueOrDefault(name) ?? throw new GraphException($"the base has no weight '{name}'")).Value!;
        return value.Shape == shape ? value : throw new GraphException($"'{name}' has shape {shape} in the models and {value.Shape} in the base");
    }

    /// <summary>The axis that the operation which reads the weight sums over.</summary>
    private int InputAxis(string name, Shape shape)
    {
        Node weight = Host.Find(name)!;
        Node? reader = Host.Nodes.FirstOrDefault(node => node.Inputs.Contains(weight));
        return reader?.Op switch
        {
            MatMul product when reader.Inputs[1] == weight && shape.Rank > 1 => product.TransposeB ? shape.Rank - 1 : shape.Rank - 2,
            MatMul product when shape.Rank > 1 => product.TransposeA ? shape.Rank - 2 : shape.Rank - 1,
            ConvTranspose => 0,
            _ => shape.Rank > 1 ? 1 : 0,
        };
    }

    /// <summary>Sets vectors that go with what is spliced and are no expressions, such as running statistics, to the mean over the models where all have them.</summary>
    public void Average(Graph graph, ImmutableArray<string> spliced)
    {
        foreach (var (name, node) in graph.Parameters)
        {
            if (node.Shape.Rank > 1 || spliced.Contains(name) || !IsOfSpliced(_statistics.GetValueOrDefault(name) ?? name)) continue;
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
