using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>An adapter between matrices as a network of its own, ready to generate and to be differentiated.</summary>
internal sealed class AdapterNetwork
{
    private const string TargetName = "target", SourceName = "source", GeneratedName = "generated", ChangeName = "change";

    private readonly Executor _executor;
    private readonly Executor? _plain;
    private readonly Node _result;
    private readonly Tensor? _step;
    private readonly (Tensor To, Tensor From)[] _updates;
    private readonly (Tensor To, Tensor From)[] _plainInputs = [];

    /// <param name="adapter">What it is.</param>
    /// <param name="first">The target's value at the start.</param>
    /// <param name="sources">The sources' shapes.</param>
    /// <param name="seed">Draws the first parameters and the masks of dropout.</param>
    /// <param name="dropsOut">Whether what is generated goes through dropout.</param>
    /// <exception cref="GraphException">The adapter cannot be made for such matrices.</exception>
    public AdapterNetwork(ParameterAdapter adapter, Tensor first, ReadOnlySpan<Shape> sources, long seed, bool dropsOut)
    {
        Graph = new();
        Node target = Graph.Input(TargetName, first.Shape);
        var given = ImmutableArray.CreateBuilder<Node>();
        foreach (Shape source in sources) given.Add(Graph.Input(AdapterSite.NameOf(SourceName, given.Count), source));
        Node generated = adapter.Add(new(Graph, target, given.ToImmutable(), first, Seed: seed));
        if (generated.Shape != first.Shape) throw new GraphException($"the adapter generates {generated.Shape} for a target {first.Shape}");
        Graph.Output(GeneratedName, generated);
        if (!dropsOut) _plain = new(Graph, [generated]);

        Graph graph = Rewrite.ForTraining(Graph).Graph;
        _result = graph.Outputs[GeneratedName];
        Parameters = [.. graph.Parameters.Values.Where(node => node.Trainable)];
        Node change = graph.Input(ChangeName, first.Shape);
        var gradients = Graphs.Gradients.Of(_result, change, Parameters);
        Node[] ofParameters = [.. Parameters.Select(node => gradients.GetValueOrDefault(node) ?? graph.Constant(new Tensor(node.Shape)))];
        _executor = new(graph, [_result, .. ofParameters, .. graph.Updates.Values]);
        (Target, Change) = (_executor[TargetName], _executor[change]);
        Sources = [.. given.Select(source => _executor[source.Name!])];
        if (_plain is not null) _plainInputs = [(_plain[target], Target), .. given.Select((source, i) => (_plain[source], Sources[i]))];
        Generated = _plain is null ? _executor[_result] : _plain[generated];
        Gradients = [.. ofParameters.Select(node => _executor[node])];
        _updates = [.. graph.Updates.Select(u => (u.Key.Value!, _executor[u.Value]))];
        if (graph.Inputs.TryGetValue(TrainingForm.StepName, out Node? step)) _step = _executor[step];
        if (graph.Inputs.TryGetValue(TrainingForm.SeedName, out Node? own)) _executor[own].Span[0] = seed & ((1 << 24) - 1);
    }

    /// <summary>The adapter in its inference form; its parameters and buffers are those that are trained.</summary>
    public Graph Graph { get; }

    /// <summary>The parameters that are trained.</summary>
    public Node[] Parameters { get; }

    /// <summary>The target as it was, to be filled before <see cref="Generate"/>.</summary>
    public Tensor Target { get; }

    /// <summary>The sources, to be filled before <see cref="Generate"/>.</summary>
    public Tensor[] Sources { get; }

    /// <summary>The target as it is generated.</summary>
    public Tensor Generated { get; }

    /// <summary>The gradient by what is generated, to be filled before <see cref="Differentiate"/>.</summary>
    public Tensor Change { get; }

    /// <summary>The gradient by each parameter.</summary>
    public Tensor[] Gradients { get; }

    /// <summary>Generates the target.</summary>
    /// <param name="round">Decides on the masks of dropout.</param>
    public void Generate(long round)
    {
        if (_step is { } step) step.Span[0] = round;
        if (_plain is null)
        {
            _executor.RunUntil(_result);
            return;
        }

        foreach (var (to, from) in _plainInputs) from.Span.CopyTo(to.Span);
        _plain.Run();
    }

    /// <summary>Computes the gradients of what was generated last, and what the buffers become.</summary>
    public void Differentiate()
    {
        if (_plain is null) _executor.RunAfter(_result);
        else _executor.Run();
    }

    /// <summary>Sets the buffers to what <see cref="Differentiate"/> gave.</summary>
    public void Update()
    {
        foreach (var (to, from) in _updates) from.Span.CopyTo(to.Span);
    }
}
