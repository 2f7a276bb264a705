using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Several trained networks become one that is learned: their weights are spliced by a rule with parameters that are trained on data, and what comes of it is baked into a network that is
/// the first model's, operator for operator. Leaves a folder as a <see cref="TrainingRun"/> does, and what became of each weight.
/// </summary>
public sealed class SpliceRun
{
    /// <summary>Samples that the networks are built for; of weights that are made for each sample so many are looked at.</summary>
    private const int Samples = 32;

    private const int MostNamed = 5;

    /// <summary>What tables call the result, and the ensemble.</summary>
    internal const string LearnedName = "learned splice", EnsembleName = "ensemble of outputs";

    private readonly SpliceDescription _splice;
    private readonly RunDescription _run;
    private readonly ParentModel[] _models;
    private readonly ParentModel? _origin;
    private readonly ParentModel _host;
    private readonly RunOutput _output;
    private readonly RunData _data;
    private readonly SpliceTraining _training;
    private readonly Trainer? _baseline;
    private readonly Graph? _alone;
    private readonly NetworkJudge _judge;
    private readonly List<string> _notes = [];

    /// <summary>Opens models and data. Nothing is written before the training begins.</summary>
    /// <param name="splice">What to do.</param>
    /// <param name="folder">Where what it leaves behind goes.</param>
    /// <param name="resume">Go on with what an interrupted run of the same description left there, if it left something.</param>
    /// <param name="overwrite">Replace what another run left there.</param>
    /// <exception cref="IOException">There is something in the folder already.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the parts do not fit together.</exception>
    /// <exception cref="GraphException">The models do not belong together.</exception>
    /// <exception cref="MergeException">The method cannot be used so.</exception>
    /// <exception cref="TrainingException">The folder is that of another run.</exception>
    public SpliceRun(SpliceDescription splice, string folder, bool resume = false, bool overwrite = false)
    {
        ModelDescription? architecture = splice.Run.Model.Name == "" ? null : splice.Run.Model;
        ParentModel Open(ModelReference reference) => ParentModel.Open(reference.Path, architecture, Samples);
        _models = [.. TrainingRules.SourcesOf(splice.Recipe).Select(m => Open(m.Model))];
        _origin = splice.Recipe.BaseModel is { } origin ? Open(origin) : null;
        Names = ParentModel.NamesOf(_models);

        RunDescription run = splice.Run;
        string?[] inputs = [.. _models.Append(_origin).SelectMany(m => (string?[])[m?.File, m?.Path]), run.Loss.ClassVectors, run.Data.IsFile ? run.Data.Name : null];
        _output = new(folder, [.. RunFolder.NamesIn(folder), .. SpliceFolder.All, .. SpliceFolder.SideFilesOf(_models[0])], inputs, resume, overwrite);
        _data = RunData.Open(_models.Aggregate(run.Data, (data, model) => ModelText.For(data, model.Path)));
        SpliceRule.CheckPatterns(splice.Recipe, [.. _models.SelectMany(m => m.Graph.Parameters.Keys)]);
        _training = new(splice.Recipe, _models, _origin, run, _data, _output.PathOf(RunFolder.State));
        _run = _training.Run;
        _splice = splice with { Run = _run };
        _host = _training.Host;
        _judge = new(_run, _training.Loss);
        if (_run.Train == TrainScope.All && splice.Baseline) (_alone, _baseline) = _training.Alone(_data, _output.PathOf(SpliceFolder.BaselineState));

        Resumed = resume && _training.Trainer.Resume();
        if (Resumed) _baseline?.Resume();
        _notes.AddRange(Differences());
    }

    /// <summary>What the models do not have in common, sentences for people.</summary>
    private IEnumerable<string> Differences()
    {
        if (Integration.Unshared is { IsEmpty: false } unshared)
            yield return $"not all models have {string.Join(", ", unshared.Take(MostNamed))}{(unshared.Length > MostNamed ? $" and {unshared.Length - MostNamed} more" : "")}: nothing is spliced there";
        if (Integration.IsDynamic) yield break;
        for (int k = 1; k < _models.Length; k++)
        {
            if (!NetworkSize.IsSame(_models[0].Graph, _models[k].Graph))
                yield return $"{Names[k]} is not the same network as {Names[0]} (other operators, sizes or weights): weights of one name are put together, whatever they do in each";
        }
    }

    /// <summary>Whether the run goes on where another stopped.</summary>
    public bool Resumed { get; }

    /// <summary>Short names of the models.</summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>Short name of the model whose network trains.</summary>
    public string HostName => Names[Array.IndexOf(_models, _host)];

    /// <summary>Steps done, those of the baseline too.</summary>
    public long Step => _training.Trainer.Step + (_baseline?.Step ?? 0);

    /// <summary>Steps of the whole run.</summary>
    public long Steps => _training.Trainer.Steps + (_baseline?.Steps ?? 0);

    /// <summary>The network that is trained.</summary>
    public Integration Integration => _training.Integration;

    /// <summary>The data.</summary>
    public RunData Data => _data;

    /// <summary>What there is before training: the models, and what is made of them without training.</summary>
    /// <param name="progress">Hears how many of how many networks are measured.</param>
    /// <param name="cancel">Stops between operations; nothing has been written then.</param>
    public ImmutableArray<SpliceRow> Before(Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        List<Func<SpliceRow?>> networks = [.. _models.Select((m, k) => (Func<SpliceRow?>)(() => Row(SpliceStage.Given, Names[k], m.Graph, cancel))), () => Together(cancel)];
        if (!Integration.IsDynamic)
        {
            ClosedSplice closed = new(Integration, _training.Start, _models);
            Cki form = _training.Rule is LearnedCki learned ? learned.Form : new Cki();
            networks.Add(() => Row(SpliceStage.Combined, "average of weights", closed.Average(), cancel));
            networks.Add(() => Row(SpliceStage.Combined, form.Splice == CkiSplice.Soft ? "CKI in closed form" : "CKI in closed form, hard", closed.Merged(form), cancel));
        }

        networks.Add(() => Row(SpliceStage.Combined, "splice before training", _training.Start, cancel));
        List<SpliceRow> rows = [];
        for (int k = 0; k < networks.Count; k++)
        {
            progress?.Invoke(k, networks.Count);
            if (networks[k]() is { } row) rows.Add(row);
        }

        return [.. rows];
    }

    /// <summary>Trains to the end, and writes the network and what there is to tell of it.</summary>
    /// <param name="before">The rows of <see cref="Before"/>.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="epochDone">Called after every epoch; true for those of the baseline.</param>
    /// <param name="cancel">Stops at a step; the run can then be resumed.</param>
    /// <exception cref="TrainingException">The loss is not a finite number any more.</exception>
    public SpliceResult Train(ImmutableArray<SpliceRow> before, IProgress<TrainingProgress>? progress = null, Action<EpochRecord, bool>? epochDone = null, CancellationToken cancel = default)
    {
        Begin();
        _training.Trainer.Run(progress, epoch =>
        {
            WriteMetrics();
            epochDone?.Invoke(epoch, false);
        }, cancel);
        WriteMetrics();
        _baseline?.Run(progress, epoch => epochDone?.Invoke(epoch, true), cancel);

        Graph last = _training.Last(), result = _training.Result();
        if (!Integration.IsDynamic) foreach (Graph network in (Graph[])[last, result]) SpliceFolder.Round(network, _host);
        bool hasBest = _training.Trainer.Best is not null, isFolder = _host.IsFolder;

        // A folder of Hugging Face has one file of weights by that name: those that the run is known by.
        Save(last, isFolder && hasBest ? RunFolder.Last : RunFolder.Model, isFolder && hasBest ? RunFolder.LastOnnx : RunFolder.Onnx);
        if (hasBest) Save(result, isFolder ? RunFolder.Model : RunFolder.Best, isFolder ? RunFolder.Onnx : RunFolder.BestOnnx);
        List<SpliceRow> rows = [.. before, Row(SpliceStage.Trained, LearnedName, result, cancel)];
        if (_baseline is not null) rows.Add(Row(SpliceStage.Trained, $"{HostName}, trained on alone", SaveBaseline(), cancel));

        ImmutableArray<SplicedWeight> weights = _training.Inspect(_data);
        SpliceResult made = Describe(result, [.. rows], weights, cancel);
        _output.WriteText(RunFolder.Result, SpliceJson.Result(made));
        _output.WriteText(SpliceFolder.Weights, SpliceJson.Weights(made));
        SplicePage.Of(made, weights, _data).Save(_output.PathOf(SpliceFolder.Report));
        return made;
    }

    /// <summary>Makes the folder, with what the run is.</summary>
    private void Begin()
    {
        _output.Begin(Resumed);
        _output.WriteText(RunFolder.Description, ReadableYaml.Of(RunYaml.Write(_run with { Output = _output.Folder })));
        if (_splice.Text is not { } recipe) return;
        string train = string.Concat(RunYaml.Write(_run, withOutput: false).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"  {line}\n"));
        _output.WriteText(SpliceFolder.Recipe, $"{recipe}train:\n{train}");
    }

    private SpliceResult Describe(Graph result, ImmutableArray<SpliceRow> rows, ImmutableArray<SplicedWeight> weights, CancellationToken cancel)
    {
        Dataset timed = _data.Test ?? _data.Validation ?? _data.Train!;
        double[] seconds = _judge.Seconds([.. _models.Select(m => m.Graph), result], timed, cancel);
        NetworkSize[] sizes = [.. _models.Select(m => NetworkSize.Of(m.Graph, Samples))];
        return new()
        {
            Models = Names,
            Method = _splice.Method,
            Train = _run.Train!.Value,
            Rows = rows,
            Weights = [.. weights.Select(SplicedSummary.Of)],
            Epochs = [.. _training.Trainer.History],
            Best = _training.Trainer.BestEpoch,
            Baseline = [.. _baseline?.History ?? []],
            Host = HostName,
            Before = NetworkSize.Of(_host.Graph, Samples),
            Together = new(sizes.Sum(s => s.Parameters), sizes.Sum(s => s.Operators), sizes.Sum(s => s.Work)),
            After = NetworkSize.Of(result, Samples),
            IsSameNetwork = NetworkSize.IsSame(_host.Graph, result),
            Seconds = (seconds[Array.IndexOf(_models, _host)], seconds[^1], seconds[..^1].Sum()),
            Batch = Math.Min(_run.Batch, timed.Count),
            Notes = [.. _notes.Distinct()],
        };
    }

    private SpliceRow Row(SpliceStage stage, string name, Graph network, CancellationToken cancel)
    {
        IReadOnlyList<Measure> Of(Dataset? data) => data is null ? [] : _judge.Measures(network, data, cancel);
        return new(stage, name, Of(_data.Validation), Of(_data.Test));
    }

    /// <summary>The ensemble of the models' outputs; null where the networks have no scores.</summary>
    private SpliceRow? Together(CancellationToken cancel)
    {
        IReadOnlyList<Measure> Of(Dataset? data) => data is null ? [] : _judge.Ensemble([.. _models.Select(m => m.Graph)], data, cancel);
        SpliceRow row = new(SpliceStage.Combined, EnsembleName, Of(_data.Validation), Of(_data.Test));
        return row.Validation.Count + row.Test.Count == 0 ? null : row;
    }

    private void Save(Graph network, string weights, string onnx)
    {
        ModelDescription model = _host.Model;
        if (Integration.IsDynamic)
        {
            Checkpoints.GraphWeights.Save(network, _output.PathOf(SpliceFolder.Parameters), overwrite: true);
            _output.SaveOnnx(network, new(""), onnx, _notes);
            _notes.Add($"weights that are made for each sample cannot be baked: the .onnx files run with the splice inside them, {SpliceFolder.Parameters} has what was trained");
            return;
        }

        if (model.IsOnnx) _output.Save(network, model, weights, onnx, _notes);
        else
        {
            NetworkFile.SaveLike(network, _host, _output.PathOf(weights), overwrite: true);
            _output.SaveOnnx(network, model, onnx, _notes);
        }

        foreach (string file in SpliceFolder.SideFilesOf(_host)) File.Copy(Path.Combine(_host.Path, file), _output.PathOf(file), overwrite: true);
    }

    /// <summary>The host trained on alone, as it was after its best epoch.</summary>
    private Graph SaveBaseline()
    {
        if (_baseline!.Best is { } best)
        {
            foreach (var (name, node) in _alone!.Parameters) best[name].Span.CopyTo(node.Value!.Span);
        }

        Checkpoints.GraphWeights.Save(_alone!, _output.PathOf(SpliceFolder.Baseline), overwrite: true, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = _host.Model.Text });
        return _alone!;
    }

    private void WriteMetrics() => _output.WriteText(RunFolder.Metrics, string.Concat(_training.Trainer.History.Select(epoch => epoch.ToJson() + "\n")));
}
