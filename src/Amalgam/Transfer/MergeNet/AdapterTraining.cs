using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Text.Json;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>An adapter at work: it generates, is written, and learns from what the target's training makes of it.</summary>
internal sealed class AdapterTraining
{
    private readonly KnowledgeTransfer _transfer;
    private readonly TransferPort _source, _target;
    private readonly Trainer _trainer;
    private readonly string _prefix;
    private readonly Graph _adapter;
    private readonly Executor _executor;
    private readonly Node _result;
    private readonly Tensor _targets, _sources, _generated, _change;
    private readonly Tensor? _step;
    private readonly Tensor[] _gradients;
    private readonly (Tensor To, Tensor From)[] _updates;
    private readonly Optimizer _optimizer;
    private double _rate, _changeSum;
    private long _transfers;
    private int _changes;

    /// <param name="transfer">What is transferred and how.</param>
    /// <param name="index">Which of the run's transfers it is.</param>
    /// <param name="source">Where the source's numbers are.</param>
    /// <param name="target">Where the target's are.</param>
    /// <param name="trainer">What trains the target.</param>
    public AdapterTraining(KnowledgeTransfer transfer, int index, TransferPort source, TransferPort target, Trainer trainer)
    {
        (_transfer, _source, _target, _trainer, _prefix) = (transfer, source, target, trainer, $"adapters/{index}/");
        _adapter = Build(transfer, index, source, target);
        Graph graph = Rewrite.ForTraining(_adapter).Graph;
        _result = graph.Outputs[Generated];
        Node[] parameters = [.. graph.Parameters.Values.Where(node => node.Trainable)];
        Node change = graph.Input(Change, _result.Shape);
        var gradients = Gradients.Of(_result, change, parameters);
        Node[] ofParameters = [.. parameters.Select(node => gradients.GetValueOrDefault(node) ?? graph.Constant(new Tensor(node.Shape)))];
        _executor = new(graph, [_result, .. ofParameters, .. graph.Updates.Values]);
        (_targets, _sources, _generated, _change) = (_executor[Target], _executor[Source], _executor[_result], _executor[change]);
        if (graph.Inputs.TryGetValue(TrainingForm.StepName, out Node? step)) _step = _executor[step];
        if (graph.Inputs.TryGetValue(TrainingForm.SeedName, out Node? seed)) _executor[seed].Span[0] = transfer.Seed & ((1 << 24) - 1);
        _gradients = [.. ofParameters.Select(node => _executor[node])];
        _updates = [.. graph.Updates.Select(u => (u.Key.Value!, _executor[u.Value]))];
        _optimizer = new(transfer.Optimizer, parameters, transfer.Settings, transfer.ClipNorm);
    }

    private const string Target = "target", Source = "source", Generated = "generated", Change = "change";

    /// <summary>What the epochs came to.</summary>
    public ImmutableArray<TransferRecord> History { get; private set; } = [];

    /// <summary>Parameters of the adapter.</summary>
    public long Parameters => _adapter.Parameters.Values.Where(node => node.Trainable).Sum(node => node.Shape.Count);

    /// <summary>Whether a round has a transfer: while the target still trains.</summary>
    public bool IsDue(long round) => round % _transfer.Cycle == 0 && !_trainer.IsDone;

    /// <summary>Reads both matrices and generates the target's; writes nothing, so that all transfers of a round see one snapshot (eq. 1).</summary>
    public void Generate(long round)
    {
        _rate = _transfer.Rate * _trainer.FactorOf(_transfer.Schedule);
        _source.Read(_sources.Span);
        _target.Read(_targets.Span);
        if (_step is { } step) step.Span[0] = round;
        _executor.RunUntil(_result);
        if (double.IsFinite(Norm(_generated.Span))) return;
        throw new TrainingException($"the adapter of {_transfer.Name} generates no finite numbers at round {round + 1}: lower its learning rate, or look for NaN in the source");
    }

    /// <summary>Writes what was generated into the target.</summary>
    public void Write()
    {
        double change = 0;
        ReadOnlySpan<float> before = _targets.Span, after = _generated.Span;
        for (int i = 0; i < before.Length; i++) change += Square((double)after[i] - before[i]);
        double norm = Norm(before);
        _changeSum += norm > 0 ? Math.Sqrt(change) / norm : 0;
        _changes++;
        _transfers++;
        _target.Write(after);
        if (_transfer.ResetsState) _trainer.Forget(_target.Parameter);
    }

    /// <summary>Takes note of the gradient at what was generated; called after the target's first step.</summary>
    public void Observe()
    {
        if (_transfer.Rule == AdapterRule.ChainRule) _target.Read(_trainer.GradientOf(_target.Parameter), _change.Span);
    }

    /// <summary>Updates the adapter's parameters after the target's steps of the round.</summary>
    public void Update()
    {
        if (_transfer.Rule == AdapterRule.Change)
        {
            _target.Read(_change.Span);
            TensorPrimitives.Subtract(_generated.Span, _change.Span, _change.Span);
        }

        _executor.RunAfter(_result);
        _optimizer.Step(_gradients, _rate);
        foreach (var (to, from) in _updates) from.Span.CopyTo(to.Span);
    }

    /// <summary>Closes an epoch of the target.</summary>
    public void FinishEpoch(int epoch)
    {
        double squares = _adapter.Parameters.Values.Where(node => node.Trainable).Sum(node => Sums.SumOfSquares(node.Value!.Span));
        var mixing = LowRankAdapter.MixingOf(_adapter).Select(layer => layer.ToImmutableArray());
        History = History.Add(new(epoch, _transfers, Math.Sqrt(squares), _changes == 0 ? 0 : _changeSum / _changes, [.. mixing]));
        (_changeSum, _changes) = (0, 0);
    }

    /// <summary>Adds the adapter's tensors to a state.</summary>
    public void AddTo(Graph box)
    {
        foreach (var (name, node) in _adapter.Parameters) box.Parameter(_prefix + "weights/" + name, node.Value!);
        foreach (var (name, tensor) in _optimizer.State) box.Parameter(_prefix + name, tensor);
    }

    /// <summary>Writes what else it needs to go on.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("transfers", _transfers);
        json.WriteNumber("optimizer_steps", _optimizer.Steps);
        json.WriteNumber("change_sum", _changeSum);
        json.WriteNumber("changes", _changes);
        json.WriteStartArray("epochs");
        foreach (TransferRecord record in History) record.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public void Read(JsonElement json)
    {
        _optimizer.Steps = json.GetProperty("optimizer_steps").GetInt64();
        (_transfers, _changes) = (json.GetProperty("transfers").GetInt64(), json.GetProperty("changes").GetInt32());
        _changeSum = json.GetProperty("change_sum").GetDouble();
        History = [.. json.GetProperty("epochs").EnumerateArray().Select(TransferRecord.Read)];
    }

    private static Graph Build(KnowledgeTransfer transfer, int index, TransferPort source, TransferPort target)
    {
        Graph graph = new();
        Node to = graph.Input(Target, new(target.Rows, target.Columns)), from = graph.Input(Source, new(source.Rows, source.Columns));
        Tensor first = new(to.Shape);
        target.Read(first.Span);
        Node generated = transfer.Adapter.Add(new(graph, to, from, first, Seed: transfer.Seed + ((long)index << 32)));
        if (generated.Shape != to.Shape) throw new GraphException($"the adapter of {transfer.Name} generates {generated.Shape} for a target {to.Shape}");
        graph.Output(Generated, generated);
        return graph;
    }

    private static double Norm(ReadOnlySpan<float> x) => Math.Sqrt(Sums.SumOfSquares(x));

    private static double Square(double x) => x * x;
}
