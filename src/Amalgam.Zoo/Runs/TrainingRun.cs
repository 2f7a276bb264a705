using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>What a run came to.</summary>
/// <param name="Epochs">Each epoch.</param>
/// <param name="Best">The epoch with the best score on the validation data; null without.</param>
/// <param name="Last">On the test data, with the weights after the last epoch; null where there is no test data.</param>
/// <param name="OfBest">On the test data, with the weights after the best epoch; null without.</param>
/// <param name="Notes">What a user should know of what was written.</param>
public sealed record RunResult(IReadOnlyList<EpochRecord> Epochs, EpochRecord? Best, Score? Last, Score? OfBest, IReadOnlyList<string> Notes);

/// <summary>Does what a <see cref="RunDescription"/> says, into a folder.</summary>
public sealed class TrainingRun
{
    private const int AnyBatch = 2;

    private readonly RunDescription _run;
    private readonly string _folder;
    private readonly RunData _data;
    private readonly Loss _loss;
    private readonly Graph _network;
    private readonly Trainer _trainer;

    /// <summary>Opens data and model and prepares the folder. Nothing is written before all of it fits together.</summary>
    /// <param name="run">What to do.</param>
    /// <param name="folder">Where what it leaves behind goes.</param>
    /// <param name="resume">Go on with what an interrupted run of the same description left there, if it left something.</param>
    /// <param name="overwrite">Replace what another run left there.</param>
    /// <exception cref="IOException">There is something in the folder already.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the parts do not fit together.</exception>
    /// <exception cref="GraphException">The parts do not fit together.</exception>
    /// <exception cref="TrainingException">The folder is that of a run with another description.</exception>
    public TrainingRun(RunDescription run, string folder, bool resume = false, bool overwrite = false)
    {
        (_run, _folder) = (run, folder);
        CheckFolder(resume, overwrite);
        _data = RunData.Open(run.Data);
        _loss = MakeLoss(run.Loss, run.Data);
        _network = ModelLoader.Build(run.Model, AnyBatch, run.Seed);
        string description = RunYaml.Write(run, withOutput: false) + Signature(_data.Train!);
        _trainer = new(_network, _loss, _data.Train!, new()
        {
            Rule = run.Optimizer,
            Rate = run.Rate,
            Schedule = run.Schedule,
            Epochs = run.Epochs,
            Batch = run.Batch,
            DropLast = run.DropLast,
            Seed = run.Seed,
            ClipNorm = run.ClipNorm,
            Settings = Settings(run, _network),
            StatePath = Path.Combine(folder, RunFolder.State),
            Description = description,
            Merit = ItemRanking.Merit(_data.Validation),
        }, _data.Validation);

        Resumed = resume && _trainer.Resume();
        Directory.CreateDirectory(folder);
        if (!Resumed) foreach (string name in RunFolder.All) File.Delete(Path.Combine(folder, name));
        WriteText(RunFolder.Description, RunYaml.Write(run with { Output = folder }));
    }

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
        _trainer.Run(progress, epoch =>
        {
            WriteMetrics();
            epochDone?.Invoke(epoch);
        }, cancel);
        WriteMetrics();

        List<string> notes = [];
        Save(RunFolder.Model, RunFolder.Onnx, notes);
        Score? last = Test(cancel), ofBest = null;
        if (_trainer.Best is { } best)
        {
            Dictionary<string, Tensor> kept = _network.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Copy());
            SetWeights(best);
            Save(RunFolder.Best, RunFolder.BestOnnx, notes);
            ofBest = Test(cancel);
            SetWeights(kept);
        }

        RunResult result = new(_trainer.History, _trainer.BestEpoch, last, ofBest, [.. notes.Distinct()]);
        WriteText(RunFolder.Result, ToJson(result));
        return result;
    }

    private static Loss MakeLoss(LossDescription loss, DataDescription data)
    {
        string truth = loss.Target ?? "target", label = loss.Target ?? "label";
        return loss.Name switch
        {
            "cosine" => new CosineCrossEntropy(ClassVectors.Read(loss.ClassVectors!, data.Classes), loss.Scale, loss.LabelSmoothing, label),
            "bce" => new BinaryCrossEntropy(label),
            "mse" => new SquaredError(truth),
            _ => new CrossEntropy(loss.LabelSmoothing, label),
        };
    }

    /// <summary>What tells the samples of a run from others: a run is resumed with the same ones only.</summary>
    private static string Signature(Dataset data)
    {
        byte[] labels = SHA256.HashData(MemoryMarshal.AsBytes(data.Labels));
        return $"# {data.Count} samples, {string.Join(", ", data.Fields.Select(f => $"{f.Name} {f.Shape}"))}, labels {Convert.ToHexStringLower(labels)[..16]}\n";
    }

    private static Func<Node, ParameterSetting> Settings(RunDescription run, Graph network)
    {
        NamePattern[] exempt = [.. run.NoDecay.Select(Parse)];
        var groups = run.Groups.Select(g => (Pattern: Parse(g.Match), Group: g)).ToArray();
        foreach (NamePattern pattern in exempt.Concat(groups.Select(g => g.Pattern)))
        {
            if (!network.Parameters.Keys.Any(pattern.Matches)) throw new InvalidDataException($"optimizer: no parameter of the model matches '{pattern.Text}'");
        }

        return node =>
        {
            RateGroup? group = groups.FirstOrDefault(g => g.Pattern.Matches(node.Name!)).Group;
            bool decays = (run.DecayVectors || node.Shape.Rank > 1) && !exempt.Any(p => p.Matches(node.Name!));
            return new(group?.RateScale ?? 1, decays ? group?.WeightDecay : 0);
        };

        static NamePattern Parse(string text) => NamePattern.Parse(text, plainIsGlob: false);
    }

    private void CheckFolder(bool resume, bool overwrite)
    {
        if (File.Exists(_folder)) throw new IOException($"{_folder} is a file, expected a folder for what the run leaves behind");
        foreach (string path in new[] { _run.Model.IsOnnx || _run.Model.IsLayers ? _run.Model.Name : null, _run.Model.Weights, _run.Loss.ClassVectors, _run.Data.IsFile ? _run.Data.Name : null }.OfType<string>())
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) == Path.GetFullPath(_folder).TrimEnd(Path.DirectorySeparatorChar))
                throw new IOException($"{path} lies in {_folder}, where the run leaves its files and would replace it; name another output");
        }

        if (!Directory.Exists(_folder) || (resume && File.Exists(Path.Combine(_folder, RunFolder.State)))) return;
        string[] inside = [.. Directory.EnumerateFileSystemEntries(_folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];
        if (inside.Length == 0) return;
        if (!overwrite) throw new IOException($"{_folder} is not empty; {(resume ? "it holds no interrupted run to go on with" : "--resume goes on with an interrupted run")}, --overwrite begins anew, or name another folder");
        if (inside.FirstOrDefault(name => !RunFolder.All.Contains(name) && !name.StartsWith('.')) is { } strange)
            throw new IOException($"{_folder} holds '{strange}', which no run leaves, so --overwrite does not replace the folder; name another or clear it yourself");
    }

    private Score? Test(CancellationToken cancel) => _data.Test is null ? null : new Evaluation(_network, _loss, _data.Test, _run.Batch, merit: ItemRanking.Merit(_data.Test)).Run(cancel);

    private void SetWeights(IReadOnlyDictionary<string, Tensor> weights)
    {
        foreach (var (name, node) in _network.Parameters) weights[name].Span.CopyTo(node.Value!.Span);
    }

    private void Save(string weights, string onnx, List<string> notes)
    {
        GraphWeights.Save(_network, Path.Combine(_folder, weights), overwrite: true, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = _run.Model.Text });
        try
        {
            string path = Path.Combine(_folder, onnx);
            if (!_run.Model.IsOnnx)
            {
                OnnxModel.Write(_network, path, new("batch", Overwrite: true));
                return;
            }

            using OnnxModel origin = OnnxModel.Open(_run.Model.Name);
            origin.Save(_network, path, new(Overwrite: true));
        }
        catch (GraphException e)
        {
            notes.Add($"no {onnx}: {e.Message}");
        }
    }

    private void WriteMetrics() => WriteText(RunFolder.Metrics, string.Concat(_trainer.History.Select(epoch => epoch.ToJson() + "\n")));

    private void WriteText(string name, string text)
    {
        string path = Path.Combine(_folder, name), beside = path + ".tmp";
        File.WriteAllText(beside, text);
        File.Move(beside, path, overwrite: true);
    }

    private static string ToJson(RunResult result)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("epochs", result.Epochs.Count);
            if (result.Best is { } best) json.WriteNumber("best_epoch", best.Epoch);
            foreach (var (name, score) in new[] { ("test", result.Last), ("test_of_best", result.OfBest) })
            {
                if (score is null) continue;
                json.WriteStartObject(name);
                if (double.IsFinite(score.Loss)) json.WriteNumber("loss", score.Loss);
                if (score.Accuracy is { } accuracy) json.WriteNumber("accuracy", accuracy);
                if (score.Merit is { } merit) json.WriteNumber(ItemRanking.MeritName, merit);
                json.WriteNumber("samples", score.Samples);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
