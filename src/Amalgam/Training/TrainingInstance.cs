using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Training;

/// <summary>A network in its training form for one number of samples, with loss and gradients, ready to run.</summary>
internal sealed class TrainingInstance
{
    private readonly Executor _executor;
    private readonly (Tensor To, Tensor From)[] _updates;
    private readonly Tensor? _step, _epoch;

    public TrainingInstance(Graph network, Loss loss, Dataset data, int samples, TrainingOptions options)
    {
        Graph graph = Rewrite.ForTraining(DataInputs.Fit(network, data, samples)).Graph;
        LossNodes nodes = loss.Add(DataInputs.OutputOf(graph, options.Output));
        Parameters = [.. graph.Parameters.Values.Where(node => node.Trainable)];
        Node[] gradients = Graphs.Gradients.Of(nodes.Value, Parameters);
        List<Node> results = [nodes.Value, .. gradients, .. graph.Updates.Values];
        if (nodes.Scores is not null) results.Add(nodes.Scores);
        _executor = new(graph, results);

        Inputs = DataInputs.Bind(data, graph, samples, nodes.Truth, _executor);
        Gradients = [.. gradients.Select(node => _executor[node])];
        _updates = [.. graph.Updates.Select(u => (u.Key.Value!, _executor[u.Value]))];
        (Loss, Truth, Scores) = (_executor[nodes.Value], nodes.Truth is null ? null : _executor[nodes.Truth], nodes.Scores is null ? null : _executor[nodes.Scores]);
        if (graph.Inputs.TryGetValue(TrainingForm.StepName, out Node? step)) _step = _executor[step];
        if (graph.Inputs.TryGetValue(TrainingForm.EpochName, out Node? epoch)) _epoch = _executor[epoch];
        if (graph.Inputs.TryGetValue(TrainingForm.SeedName, out Node? seed)) _executor[seed].Span[0] = options.Seed & ((1 << 24) - 1);
    }

    /// <summary>The parameters that are trained, those of this instance.</summary>
    public Node[] Parameters { get; }

    /// <summary>What the data's fields fill.</summary>
    public Tensor?[] Inputs { get; }

    /// <summary>A gradient for each parameter.</summary>
    public Tensor[] Gradients { get; }

    public Tensor Loss { get; }

    public Tensor? Truth { get; }

    public Tensor? Scores { get; }

    /// <summary>Computes loss and gradients; changes no parameter.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="epoch">The epoch at work, from 1 on.</param>
    /// <param name="cancel">Stops between operations.</param>
    public void Run(long step, long epoch, CancellationToken cancel)
    {
        if (_step is { } number) number.Span[0] = step;
        if (_epoch is { } turn) turn.Span[0] = epoch;
        _executor.Run(cancel);
    }

    /// <summary>Sets running statistics to what the run gave.</summary>
    public void Update()
    {
        foreach (var (to, from) in _updates) from.Span.CopyTo(to.Span);
    }
}
