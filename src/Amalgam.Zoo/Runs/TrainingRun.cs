using System.Text;
using System.Text.Json;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Zoo.Runs;

/// <summary>What a run came to.</summary>
/// <param name="Epochs">Each epoch.</param>
/// <param name="Best">The epoch with the best score on the validation data; null without.</param>
/// <param name="Last">On the test data, with the weights after the last epoch; null where there is no test data.</param>
/// <param name="OfBest">On the test data, with the weights after the best epoch; null without.</param>
/// <param name="Notes">What a user should know of what was written.</param>
public sealed record RunResult(IReadOnlyList<EpochRecord> Epochs, EpochRecord? Best, Score? Last, Score? OfBest, IReadOnlyList<string> Notes)
{
    /// <summary>What the scores' merit is.</summary>
    public string MeritName { get; init; } = ItemRanking.MeritName;

    /// <summary>What <c>result.json</c> says: number of epochs, the best one, and the scores on the test data.</summary>
    internal string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true })) Write(json);
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteFields(json);
        json.WriteEndObject();
    }

    /// <summary>Takes up what <see cref="WriteFields"/> left.</summary>
    /// <param name="json">What <c>result.json</c> says.</param>
    /// <param name="epochs">What the epochs came to, by <c>metrics.jsonl</c>.</param>
    /// <param name="meritName">What the scores' merit is.</param>
    internal static RunResult Read(JsonElement json, IReadOnlyList<EpochRecord> epochs, string meritName)
    {
        double? Optional(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : null;
        Score? ScoreOf(string name) => !json.TryGetProperty(name, out JsonElement of) ? null
            : new(Optional(of, "loss") ?? double.NaN, Optional(of, "accuracy"), of.GetProperty("samples").GetInt32()) { Merit = Optional(of, KeyOf(meritName)) };
        EpochRecord? best = json.TryGetProperty("best_epoch", out JsonElement number) ? epochs[number.GetInt32() - 1] : null;
        return new(epochs, best, ScoreOf("test"), ScoreOf("test_of_best"), []) { MeritName = meritName };
    }

    private static string KeyOf(string merit) => merit.Replace(' ', '_');

    internal void WriteFields(Utf8JsonWriter json)
    {
        json.WriteNumber("epochs", Epochs.Count);
        if (Best is { } best) json.WriteNumber("best_epoch", best.Epoch);
        foreach (var (name, score) in new[] { ("test", Last), ("test_of_best", OfBest) })
        {
            if (score is null) continue;
            json.WriteStartObject(name);
            if (double.IsFinite(score.Loss)) json.WriteNumber("loss", score.Loss);
            if (score.Accuracy is { } accuracy) json.WriteNumber("accuracy", accuracy);
            if (score.Merit is { } merit) json.WriteNumber(KeyOf(MeritName), merit);
            json.WriteNumber("samples", score.Samples);
            json.WriteEndObject();
        }
    }
}

/// <summary>Does what a <see cref="RunDescription"/> says, into a folder.</summary>
public sealed class TrainingRun
{
    private const int AnyBatch = 2;

    private readonly RunDescription _run;
    private readonly RunOutput _output;
    private readonly RunData _data;
    private readonly Loss _loss;
    private readonly Graph _network;
    private readonly Trainer _trainer;
    private readonly List<string> _notes = [];
    private readonly string _described;

    /// <summary>Opens data and model and prepares the folder. Nothing is written before all of it fits together.</summary>
    /// <param name="run">What to do.</param>
    /// <param name="folder">Where what it leaves behind goes.</param>
    /// <param name="resume">Go on with what an interrupted run of the same description left there, if it left something.</param>
    /// <param name="overwrite">Replace what another run left there.</param>
    /// <param name="beside">Names of what else may lie in the folder, which is seen to by itself; null for nothing.</param>
    /// <exception cref="IOException">There is something in the folder already, or another run is at work there.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the parts do not fit together.</exception>
    /// <exception cref="GraphException">The parts do not fit together.</exception>
    /// <exception cref="TrainingException">The folder is that of a run with another description.</exception>
    public TrainingRun(RunDescription run, string folder, bool resume = false, bool overwrite = false, IReadOnlyCollection<string>? beside = null)
        : this(run, folder, resume, overwrite, beside, null)
    {
    }

    /// <summary>The same, and calls <paramref name="begun"/> while the folder is held, when the run has begun there.</summary>
    internal TrainingRun(RunDescription run, string folder, bool resume, bool overwrite, IReadOnlyCollection<string>? beside, Action<TrainingRun>? begun)
    {
        if (run.Train is not null) throw new InvalidDataException("train: says what a learned splice trains, so amalgam splice runs this description; without that key amalgam train does");
        _run = run = run with { Model = RunFolder.Resolve(run.Model) };
        _output = new(folder, RunFolder.NamesIn(folder), InputsOf(run), resume, overwrite, beside);
        _data = RunData.Open(ModelText.For(run.Data, run.Model.Name));
        _loss = RunTrainer.LossOf(run.Loss, run.Data);
        _network = ModelLoader.Build(run.Model, AnyBatch, run.Seed, _data.Train, _notes);
        _notes.AddRange(NetworkFit.NotesOf(run, _data));
        _trainer = RunTrainer.Create(run, _network, _loss, _data, _output.PathOf(RunFolder.State));

        Resumed = resume && RunDifference.Resume(folder, run, overwrite, _trainer.Resume);
        _described = ReadableYaml.Of(RunYaml.Write(run with { Output = folder }));
        using IDisposable held = _output.Hold();
        _output.Begin(Resumed);
        _output.WriteText(RunFolder.Description, _described);
        begun?.Invoke(this);
    }

    /// <summary>Files and folders that a run reads; null entries count for nothing.</summary>
    internal static IEnumerable<string?> InputsOf(RunDescription run) => [.. InputsOf(run.Model), run.Loss.ClassVectors, run.Data.IsFile ? run.Data.Name : null, .. run.Distill?.Teachers ?? []];

    /// <summary>All of these that a page must not replace: the data too, where they are files.</summary>
    internal static IEnumerable<string?> ReadBy(RunDescription run) => [.. InputsOf(run), .. run.Data.Options.Values.Append(run.Data.Name).Where(Path.Exists)];

    /// <summary>Files and folders that a model is read from.</summary>
    internal static IEnumerable<string?> InputsOf(ModelDescription model) => [model.IsOnnx || model.IsLayers || model.IsFolder ? model.Name : null, model.Weights];

    /// <summary>Whether the run goes on where another stopped.</summary>
    public bool Resumed { get; }

    /// <summary>Steps done.</summary>
    public long Step => _trainer.Step;

    /// <summary>Steps of the whole run.</summary>
    public long Steps => _trainer.Steps;

    /// <summary>The network that is trained.</summary>
    public Graph Network => _network;

    /// <summary>The data.</summary>
    public RunData Data => _data;

    /// <summary>Trains to the end and writes the network.</summary>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="epochDone">Called after every epoch.</param>
    /// <param name="cancel">Stops at a step; the run can then be resumed.</param>
    /// <exception cref="TrainingException">The loss is not a finite number any more.</exception>
    public RunResult Train(IProgress<TrainingProgress>? progress = null, Action<EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        using IDisposable held = _output.Hold();
        _output.CheckDescription(RunFolder.Description, _described);
        _trainer.Run(progress, epoch =>
        {
            WriteMetrics();
            epochDone?.Invoke(epoch);
        }, cancel);
        WriteMetrics();

        List<string> notes = [.. _notes];
        _output.Save(_network, _run.Model, RunFolder.Model, RunFolder.Onnx, notes, _data.Train!.Classes);
        Score? last = Test(cancel), ofBest = null;
        if (_trainer.Best is { } best)
        {
            Dictionary<string, Tensor> kept = _network.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Copy());
            SetWeights(best);
            _output.Save(_network, _run.Model, RunFolder.Best, RunFolder.BestOnnx, notes, _data.Train.Classes);
            ofBest = Test(cancel);
            SetWeights(kept);
        }

        RunResult result = new(_trainer.History, _trainer.BestEpoch, last, ofBest, [.. notes.Distinct()]) { MeritName = _data.MeritName };
        _output.WriteText(RunFolder.Result, result.ToJson());
        return result;
    }

    private Score? Test(CancellationToken cancel) => _data.Test is null ? null : new Evaluation(_network, _loss, _data.Test, _run.Batch, merit: ItemRanking.Merit(_data.Test), setMerit: PairRetrieval.Merit(_data.Test)).Run(cancel);

    private void SetWeights(IReadOnlyDictionary<string, Tensor> weights)
    {
        foreach (var (name, node) in _network.Parameters) weights[name].Span.CopyTo(node.Value!.Span);
    }

    /// <summary>Keeps other runs out of the folder, also beyond what <see cref="Train"/> does.</summary>
    /// <exception cref="IOException">Another run is at work there.</exception>
    internal IDisposable Hold() => _output.Hold();

    /// <summary>Puts more into the run's folder.</summary>
    internal void WriteText(string name, string text) => _output.WriteText(name, text);

    private void WriteMetrics() => _output.WriteText(RunFolder.Metrics, string.Concat(_trainer.History.Select(epoch => epoch.ToJson() + "\n")));
}
