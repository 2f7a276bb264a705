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
    private const string Settings = "settings";

    private readonly KnowledgeTransfer _transfer;
    private readonly TransferPort[] _sources;
    private readonly TransferPort _target;
    private readonly Trainer _trainer;
    private readonly string _prefix;
    private readonly AdapterNetwork _adapter;
    private readonly Optimizer _optimizer;
    private readonly TransferSettings _settings;
    private readonly float[] _zeros = [], _written, _after;
    private readonly float _damping;
    private readonly double _trustRegion;
    private readonly int _gradient;
    private readonly Tensor? _momentum;
    private double _rate, _changeSum, _ownStep;
    private long _transfers, _round;
    private int _changes;
    private bool _isOpen;

    /// <param name="transfer">What is transferred and how.</param>
    /// <param name="sources">Where the sources' numbers are.</param>
    /// <param name="target">Where the target's are.</param>
    /// <param name="trainer">What trains the target.</param>
    /// <exception cref="GraphException">The adapter cannot be made for such matrices.</exception>
    public AdapterTraining(KnowledgeTransfer transfer, TransferPort[] sources, TransferPort target, Trainer trainer)
    {
        (_transfer, _sources, _target, _trainer, _prefix) = (transfer, sources, target, trainer, $"adapters/{transfer.Name}/");
        Tensor first = new(new(target.Rows, target.Columns));
        target.Read(first.Span);
        try
        {
            // By the transfer's name, so that an adapter does not depend on which others there are.
            _adapter = new(transfer.Adapter, first, [.. sources.Select(source => new Shape(source.Rows, source.Columns))], (long)(Philox.Key(transfer.Seed, transfer.Name, 0) >> 1), transfer.WritesDropout);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{transfer.Name}: {e.Message}", e);
        }

        for (int i = 0; i < sources.Length; i++) sources[i].Read(_adapter.Sources[i].Span);
        _settings = new(transfer, sources.Select((source, i) => source.IsTrained ? null : _adapter.Sources[i]));
        _optimizer = new(transfer.Optimizer, _adapter.Parameters, transfer.Settings, transfer.ClipNorm);
        _damping = (float)(transfer.Damping ?? transfer.Adapter.UsualDamping);
        _trustRegion = transfer.TrustRegion ?? transfer.Adapter.UsualTrustRegion;
        (_written, _after) = (new float[first.Count], new float[first.Count]);
        _gradient = trainer.PlaceOf(target.Parameter);
        if (!transfer.ResetsMomentum) return;
        _momentum = trainer.MomentumOf(target.Parameter);
        _zeros = new float[first.Count];
    }

    /// <summary>What the epochs came to.</summary>
    public ImmutableArray<TransferRecord> History { get; private set; } = [];

    /// <summary>Parameters of the adapter that are trained.</summary>
    public long Parameters => _adapter.Parameters.Sum(node => node.Shape.Count);

    /// <summary>Whether a round has a transfer: while the target still trains.</summary>
    public bool IsDue(long round) => round % _transfer.Cycle == 0 && !_trainer.IsDone;

    /// <summary>Reads all matrices and generates the target's; writes nothing, so that all transfers of a round see one snapshot (eq. 1).</summary>
    public void Generate(long round)
    {
        (_round, _rate) = (round, _transfer.Rate * _trainer.FactorOf(_transfer.Schedule));
        for (int i = 0; i < _sources.Length; i++) _sources[i].Read(_adapter.Sources[i].Span);
        _target.Read(_adapter.Target.Span);
        _adapter.Generate(round);
        if (!double.IsFinite(Norm(_adapter.Generated))) throw Astray("generates no finite numbers", $"or look for NaN in the source{(_sources.Length > 1 ? "s" : "")}");
    }

    /// <summary>Writes what was generated into the target; from then on until <see cref="Update"/> the transfer is open.</summary>
    public void Write()
    {
        _isOpen = true;
        double change = Settle(), norm = Norm(_adapter.Target);
        _changeSum += norm > 0 ? change / norm : 0;
        _changes++;
        _transfers++;
        _target.Write(_written);
        if (_momentum is { } momentum) _target.Write(_zeros, momentum);
    }

    /// <summary>What is written: what was generated, or as much of the way there as the trust region has.</summary>
    /// <returns>How far that is from what the target was.</returns>
    private double Settle()
    {
        double sum = 0;
        ReadOnlySpan<float> before = _adapter.Target.Span, generated = _adapter.Generated.Span;
        for (int i = 0; i < before.Length; i++) sum += Square((double)generated[i] - before[i]);
        double length = Math.Sqrt(sum), farthest = _trustRegion * _ownStep;
        generated.CopyTo(_written);
        if (_trustRegion == 0 || length <= farthest) return length;
        float share = (float)(farthest / length);
        for (int i = 0; i < before.Length; i++) _written[i] = before[i] + share * (generated[i] - before[i]);
        return farthest;
    }

    /// <summary>Takes note of the gradient at what was generated; called after the target's first step of a round.</summary>
    public void Observe()
    {
        if (_isOpen && _transfer.Rule == AdapterRule.ChainRule) _target.Read(_trainer.GradientOf(_gradient), _adapter.Change.Span);
    }

    /// <summary>Updates the adapter's parameters after the target's steps of a round with a transfer; does nothing after those of another.</summary>
    public void Update()
    {
        if (!_isOpen) return;
        Learn();
        _adapter.Differentiate();
        try
        {
            _optimizer.Step(_adapter.Gradients, _rate);
        }
        catch (TrainingException e)
        {
            throw new TrainingException($"the adapter of {_transfer.Name}: {e.Message}", e);
        }

        _adapter.Update();
        _isOpen = false;
        // A step of limited gradients is finite unless the rate is far off, which the end of the epoch tells soon enough.
        if (_transfer.ClipNorm is null) CheckedNorm();
    }

    /// <summary>Measures what training made of what was written, and makes it the gradient where the rule says so.</summary>
    private void Learn()
    {
        _target.Read(_after);
        TensorPrimitives.Subtract(_written, _after, _after);
        _ownStep = Math.Sqrt(Sums.SumOfSquares(_after));
        if (_transfer.Rule == AdapterRule.ChainRule) return;
        _after.CopyTo(_adapter.Change.Span);
        if (_damping > 0) Damp(_adapter.Change.Span);
    }

    /// <summary>Adds a multiple of what the transfer itself changed.</summary>
    private void Damp(Span<float> change)
    {
        ReadOnlySpan<float> before = _adapter.Target.Span, generated = _adapter.Generated.Span;
        for (int i = 0; i < change.Length; i++) change[i] += _damping * (generated[i] - before[i]);
    }

    /// <summary>Closes an epoch of the target.</summary>
    public void FinishEpoch(int epoch)
    {
        var mixing = _transfer.Adapter.SharesOf(_adapter.Graph).Select(layer => layer.ToImmutableArray());
        History = History.Add(new(epoch, _transfers, CheckedNorm(), _changes == 0 ? 0 : _changeSum / _changes, [.. mixing]));
        (_changeSum, _changes) = (0, 0);
    }

    /// <summary>Adds the adapter's tensors to a state, to be written or to be read.</summary>
    public void AddTo(Graph box)
    {
        foreach (var (name, node) in _adapter.Graph.Parameters) box.Parameter(_prefix + "weights/" + name, node.Value!);
        foreach (var (name, tensor) in _optimizer.State) box.Parameter(_prefix + name, tensor);
        if (!_isOpen) return;
        for (int i = 0; i < _sources.Length; i++) box.Parameter(_prefix + AdapterSite.NameOf("open/source", i), _adapter.Sources[i]);
        box.Parameter(_prefix + "open/target", _adapter.Target);
        box.Parameter(_prefix + "open/change", _adapter.Change);
    }

    /// <summary>After all is read: what an open transfer generated is generated again.</summary>
    public void Reopen()
    {
        if (!_isOpen) return;
        _adapter.Generate(_round);
        Settle();
    }

    /// <summary>Writes what else a state has of it.</summary>
    public void Save(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WritePropertyName(Settings);
        _settings.Save(json);
        json.WriteNumber("transfers", _transfers);
        json.WriteNumber("optimizer_steps", _optimizer.Steps);
        json.WriteNumber("change_sum", _changeSum);
        json.WriteNumber("changes", _changes);
        json.WriteNumber("own_step", _ownStep);
        if (_isOpen)
        {
            json.WriteNumber("open_round", _round);
            json.WriteNumber("open_rate", _rate);
        }

        json.WriteStartArray("epochs");
        foreach (TransferRecord record in History) record.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Whether what <see cref="Save"/> wrote is of a transfer with the same settings.</summary>
    /// <exception cref="TrainingException">It is not.</exception>
    public void Check(JsonElement json, string path) => _settings.Check(json.GetProperty(Settings), path);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Restore(JsonElement json)
    {
        _optimizer.Steps = json.GetProperty("optimizer_steps").GetInt64();
        (_transfers, _changes) = (json.GetProperty("transfers").GetInt64(), json.GetProperty("changes").GetInt32());
        (_changeSum, _ownStep) = (json.GetProperty("change_sum").GetDouble(), json.GetProperty("own_step").GetDouble());
        History = [.. json.GetProperty("epochs").EnumerateArray().Select(TransferRecord.Read)];
        _isOpen = json.TryGetProperty("open_round", out JsonElement open);
        if (_isOpen) (_round, _rate) = (open.GetInt64(), json.GetProperty("open_rate").GetDouble());
        if (_transfers < 0 || _changes < 0 || _transfers < _changes || _optimizer.Steps != _transfers - (_isOpen ? 1 : 0)) throw new FormatException($"{_transfers} transfers and {_optimizer.Steps} updates of an adapter do not go together");
    }

    /// <summary>The norm of all parameters.</summary>
    private double CheckedNorm()
    {
        double squares = 0;
        foreach (Node parameter in _adapter.Parameters) squares += Sums.SumOfSquares(parameter.Value!.Span);
        return double.IsFinite(squares) ? Math.Sqrt(squares) : throw Astray("has parameters that are no finite numbers", "or limit the norm of its gradient");
    }

    private TrainingException Astray(string what, string otherwise) => new($"the adapter of {_transfer.Name} {what} after {_transfers} transfers: lower its learning rate, {otherwise}");

    private static double Norm(Tensor x) => Math.Sqrt(Sums.SumOfSquares(x.Span));

    private static double Square(double x) => x * x;
}
