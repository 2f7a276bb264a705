using System.Collections.Immutable;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Training;

/// <summary>
/// Where a run stands: what it needs, beside the network's weights and the optimiser's tensors, to go on to the same bits. On disk all of it is one safetensors
/// file, which appears when it is complete: tensors <c>weights/NAME</c>, <c>SLOT/NAME</c> and <c>best/NAME</c>, and the rest as JSON in its metadata.
/// </summary>
internal sealed class TrainingState
{
    /// <summary>Key of the run's description in the metadata.</summary>
    public const string DescriptionKey = "amalgam.description";

    /// <summary>Why a run does not begin after a state could not be read to its end.</summary>
    public const string HalfRead = "a state could not be resumed and has left parts of it in this run: create the run anew to begin from the start";

    private const string Key = "amalgam.training";
    private const string Weights = "weights/", BestWeights = "best/";

    private double _lossSum;
    private long _samples, _right;
    private bool _hasClasses;

    /// <summary>Steps done.</summary>
    public long Step { get; private set; }

    /// <summary>What the epochs came to.</summary>
    public ImmutableArray<EpochRecord> History { get; private set; } = [];

    /// <summary>Epochs that were done when the run was resumed.</summary>
    public int EpochsBefore { get; private init; }

    /// <summary>The best epoch, from 1 on.</summary>
    public int BestEpoch { get; private set; }

    /// <summary>All parameters after the best epoch.</summary>
    public IReadOnlyDictionary<string, Tensor>? Best { get; private set; }

    /// <summary>Mean over the epoch's samples so far.</summary>
    public double MeanLoss => _lossSum / Math.Max(1, _samples);

    /// <summary>Share of the epoch's samples so far that were right.</summary>
    public double? Accuracy => _hasClasses ? _right / (double)Math.Max(1, _samples) : null;

    /// <summary>Counts a step.</summary>
    public void Add(float loss, int samples, int? right)
    {
        Step++;
        _lossSum += (double)loss * samples;
        _samples += samples;
        _right += right ?? 0;
        _hasClasses = right is not null;
    }

    /// <summary>Closes an epoch.</summary>
    public EpochRecord Finish(double rate, Score? validation, double seconds)
    {
        EpochRecord record = new(History.Length + 1, Step, rate, MeanLoss, Accuracy, validation, Math.Round(seconds, 7));
        History = History.Add(record);
        (_lossSum, _samples, _right) = (0, 0, 0);
        return record;
    }

    public void SetBest(int epoch, IReadOnlyDictionary<string, Tensor> weights) => (BestEpoch, Best) = (epoch, weights);

    public void Save(string path, Graph network, Loss loss, Optimizer optimizer, string description)
    {
        Graph box = new();
        Dictionary<string, string> notes = new() { [DescriptionKey] = description };
        Write(box, notes, "", network, loss, optimizer);
        GraphWeights.Save(box, path, overwrite: true, notes);
    }

    /// <summary>Adds the state to what is to be written.</summary>
    /// <param name="box">Gets the tensors, under their names on disk.</param>
    /// <param name="notes">Gets the rest, which becomes metadata.</param>
    /// <param name="prefix">Put before the names, where several runs share a file.</param>
    /// <param name="network">The network.</param>
    /// <param name="loss">What it is trained with.</param>
    /// <param name="optimizer">Its optimiser.</param>
    public void Write(Graph box, IDictionary<string, string> notes, string prefix, Graph network, Loss loss, Optimizer optimizer)
    {
        notes[prefix + Key] = ToJson(optimizer.Steps);
        Fill(box, prefix, network, loss, optimizer, Best);
    }

    /// <summary>Reads a state into the network's, the loss's and the optimiser's tensors.</summary>
    public static TrainingState Load(Checkpoint checkpoint, Graph network, Loss loss, Optimizer optimizer)
    {
        Graph box = new();
        TrainingState state = Read(checkpoint, box, "", network, loss, optimizer);
        GraphWeights.Load(box, checkpoint);
        return state;
    }

    /// <summary>Opens the state of a run with a description.</summary>
    public static Checkpoint Open(string path, string description)
    {
        Checkpoint checkpoint = Checkpoint.Open(path);
        if (checkpoint.Metadata.GetValueOrDefault(DescriptionKey, "") == description || !checkpoint.Metadata.Keys.Any(key => key.EndsWith(Key, StringComparison.Ordinal))) return checkpoint;
        checkpoint.Dispose();
        throw new TrainingException($"{path} is the state of a run with another description or other data; resume it with those that it began with, or begin anew with another output");
    }

    /// <summary>Reads what <see cref="Write"/> left but for the tensors, which are added to a box, to be loaded.</summary>
    public static TrainingState Read(Checkpoint checkpoint, Graph box, string prefix, Graph network, Loss loss, Optimizer optimizer)
    {
        TrainingState state = Parse(checkpoint, prefix + Key, json => FromJson(json, optimizer));
        if (state.BestEpoch > 0) state.Best = network.Parameters.ToImmutableDictionary(p => p.Key, p => new Tensor(p.Value.Shape));
        Fill(box, prefix, network, loss, optimizer, state.Best);
        return state;
    }

    /// <summary>Reads a note of a state.</summary>
    /// <exception cref="InvalidDataException">It is not there, or not what it should be.</exception>
    public static T Parse<T>(Checkpoint checkpoint, string key, Func<JsonElement, T> read)
    {
        if (!checkpoint.Metadata.TryGetValue(key, out string? text)) throw new InvalidDataException($"{checkpoint.Path} is not the state of a training run: its metadata lacks '{key}'");
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            return read(json.RootElement);
        }
        catch (KeyNotFoundException e)
        {
            throw new InvalidDataException($"{checkpoint.Path} is the state of a training run in an older form, which lacks what is needed to go on, or is damaged: begin anew", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{checkpoint.Path} is not the state of a training run: {e.Message}", e);
        }
    }

    /// <summary>All tensors of the state under their names on disk.</summary>
    private static void Fill(Graph box, string prefix, Graph network, Loss loss, Optimizer optimizer, IReadOnlyDictionary<string, Tensor>? best)
    {
        foreach (var (name, node) in network.Parameters) box.Parameter(prefix + Weights + name, node.Value!);
        foreach (var (name, tensor) in loss.Own) box.Parameter(prefix + name, tensor);
        foreach (var (name, tensor) in optimizer.State) box.Parameter(prefix + name, tensor);
        foreach (string name in best is null ? [] : network.Parameters.Keys) box.Parameter(prefix + BestWeights + name, best![name]);
    }

    private string ToJson(long optimizerSteps) => JsonLine.Of(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("step", Step);
        json.WriteNumber("optimizer_steps", optimizerSteps);
        json.WriteNumber("loss_sum", _lossSum);
        json.WriteNumber("samples", _samples);
        if (_hasClasses) json.WriteNumber("right", _right);
        json.WriteNumber("best_epoch", BestEpoch);
        json.WriteStartArray("epochs");
        foreach (EpochRecord epoch in History) epoch.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static TrainingState FromJson(JsonElement json, Optimizer optimizer)
    {
        optimizer.Steps = json.GetProperty("optimizer_steps").GetInt64();
        ImmutableArray<EpochRecord> history = [.. json.GetProperty("epochs").EnumerateArray().Select(EpochRecord.Read)];
        int best = json.GetProperty("best_epoch").GetInt32();
        if (best < 0 || best > history.Length) throw new FormatException($"its best epoch is {best} of {history.Length}");
        long step = json.GetProperty("step").GetInt64(), samples = json.GetProperty("samples").GetInt64();
        if (step < 0 || samples < 0 || optimizer.Steps < 0 || step < history.Length) throw new FormatException($"its step {step} and {history.Length} epochs do not go together");
        bool hasClasses = json.TryGetProperty("right", out JsonElement right);
        return new()
        {
            Step = step,
            _lossSum = json.GetProperty("loss_sum").GetDouble(),
            _samples = samples,
            _right = hasClasses ? right.GetInt64() : 0,
            _hasClasses = hasClasses,
            History = history,
            EpochsBefore = history.Length,
            BestEpoch = best,
        };
    }
}
