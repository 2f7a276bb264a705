using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Networks train together and teach each other by their parameters (<see cref="JointTraining"/>); then, to compare with, each that was changed by it by itself, with the same seed and options. Leaves a folder as a
/// <see cref="TrainingRun"/> does for each, whose networks are the original graphs, and what the transfers came to.
/// </summary>
public sealed class TransferRun
{
    private readonly RunOutput _output;
    private readonly RunOutput[] _models;
    private readonly JointTraining _training;
    private readonly EndedTransfer? _ended;
    private readonly string _described;
    private FirstRounds _first;
    private (string Model, TrainingRun Run)? _alone;

    /// <summary>Prepares the folder. Nothing is written before all of it fits together.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="folder">Where what it leaves behind goes.</param>
    /// <param name="resume">
    /// Go on with what an interrupted run of the same description left there, if it left something. Of one that has ended the page is written anew, and networks are trained by themselves where that was left out.
    /// </param>
    /// <param name="overwrite">Replace what another run left there.</param>
    /// <param name="report">Where the page goes; null for the folder.</param>
    /// <param name="cancel">Stops the preparation.</param>
    /// <exception cref="IOException">There is something in the folder already, or another run is at work there.</exception>
    /// <exception cref="GraphException">The parts do not fit together.</exception>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    /// <exception cref="TrainingException">The folder is that of a run with another description.</exception>
    public TransferRun(TransferPlan plan, string folder, bool resume = false, bool overwrite = false, string? report = null, CancellationToken cancel = default)
        : this(plan, folder, resume, overwrite, report, begins: true, cancel)
    {
    }

    private TransferRun(TransferPlan plan, string folder, bool resume, bool overwrite, string? report, bool begins, CancellationToken cancel)
    {
        Plan = plan;
        if (resume && HasEnded(plan, folder)) _ended = new(folder, Trained);
        RunOutput.CheckReport(report, folder, ReadBy(plan), overwrite);
        (_output, _models, RunOutput[] others) = Open(plan, folder, resume, overwrite, _ended is not null);
        Report = report ?? _output.PathOf(TransferFolder.Report);

        _training = plan.Begin(_output.PathOf(RunFolder.State), cancel);
        Resumed = _ended is not null || (resume && Resume());
        _described = ReadableYaml.Of(TransferYaml.Write(plan.Description with { Output = folder }));
        if (!begins) return;
        using IDisposable held = RunOutput.Hold(Written);
        if (_ended is null) Begin(Resumed ? [] : others);
    }

    /// <summary>Refuses a folder as the run there would, and writes nothing.</summary>
    /// <param name="plan">What to do; it serves for nothing else after.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="resume">Whether what is there is gone on with.</param>
    /// <param name="overwrite">Whether it is replaced.</param>
    /// <param name="cancel">Stops the preparation.</param>
    internal static void Check(TransferPlan plan, string folder, bool resume, bool overwrite, CancellationToken cancel)
    {
        bool hasEnded = resume && HasEnded(plan, folder);
        if (resume && !hasEnded) _ = new TransferRun(plan, folder, resume, overwrite, null, begins: false, cancel);
        else _ = Open(plan, folder, resume, overwrite, hasEnded);
    }

    /// <summary>The folders of a run: its own, those of its networks, and those of which nothing may stay where it begins anew.</summary>
    private static (RunOutput Output, RunOutput[] Models, RunOutput[] Others) Open(TransferPlan plan, string folder, bool resume, bool overwrite, bool hasEnded)
    {
        string?[] inputs = [.. plan.Members.SelectMany(member => member.Model.Run is { } run ? TrainingRun.InputsOf(run) : TrainingRun.InputsOf(member.Model.Model))];
        string[] names = [.. plan.Members.Where(member => !member.Model.Frozen).Select(member => member.Model.Name)], before = [.. TransferFolder.ModelsIn(folder).Except(names)];
        // Of a run that has ended nothing is replaced, so anything may lie beside it.
        string[] BesideIn(string path) => !hasEnded || !Directory.Exists(path) ? [] : [.. Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry))];
        RunOutput output = new(folder, TransferFolder.All, inputs, resume, overwrite || hasEnded, [.. names, .. before, TransferFolder.Solo, .. BesideIn(folder)]);
        bool goesOn = resume && File.Exists(output.PathOf(RunFolder.State));
        RunOutput Of(string path) => new(path, RunFolder.NamesIn(path), inputs, resume, overwrite || goesOn || hasEnded, BesideIn(path));
        string SoloOf(string name) => Path.Combine(folder, TransferFolder.Solo, name);
        RunOutput[] models = [.. names.Select(name => Of(output.PathOf(name)))];
        return (output, models, [.. names.Concat(before).Select(name => Of(SoloOf(name))), .. before.Select(name => Of(output.PathOf(name)))]);
    }

    /// <summary>The networks, the data and the transfers.</summary>
    public TransferPlan Plan { get; }

    /// <summary>Where the page goes.</summary>
    public string Report { get; }

    /// <summary>Whether the run goes on where another stopped.</summary>
    public bool Resumed { get; }

    /// <summary>Rounds done.</summary>
    public long Round => _ended is null ? _training.Round : _training.Rounds;

    /// <summary>Rounds of the whole run.</summary>
    public long Rounds => _training.Rounds;

    /// <summary>The training together.</summary>
    public JointTraining Training => _training;

    /// <summary>The network that trains by itself, and how far it has come; null where none does yet.</summary>
    public (string Model, long Step, long Steps)? Alone => _alone is var (model, run) ? (model, run.Step, run.Steps) : null;

    /// <summary>Whether a run has ended in a folder, so that there is nothing to go on with.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="TrainingException">It has, and was one with another description or other data.</exception>
    public static bool HasEnded(TransferPlan plan, string folder)
    {
        if (TransferFolder.IdentityOfEnded(folder) is not { } ended) return false;
        if (ended == plan.Identity) return true;
        string where = TransferFolder.Difference(folder, plan.Description) is { } differs ? $" ({differs})" : "";
        throw new TrainingException($"{folder} is that of a run with another description or other data{where}, which has ended; --overwrite begins anew, or name another folder");
    }

    /// <summary>Whether the run in a folder, which has ended, lacks networks trained by themselves that are asked for.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="folder">The folder.</param>
    public static bool LacksSolo(TransferPlan plan, string folder) =>
        plan.Description.Solo && plan.Members.Any(member => !member.Model.Frozen && plan.Changes(member.Model.Name) && !EndedTransfer.IsWhole(Path.Combine(folder, TransferFolder.Solo, member.Model.Name)));

    /// <summary>What a page must not replace of what a run reads.</summary>
    internal static IEnumerable<string?> ReadBy(TransferPlan plan) =>
        plan.Members.SelectMany(member => member.Model.Run is { } run ? TrainingRun.ReadBy(run) : TrainingRun.InputsOf(member.Model.Model));

    private IEnumerable<TransferMember> Trained => Plan.Members.Where(member => !member.Model.Frozen);

    /// <summary>Trains to the end and writes networks, metrics and the page.</summary>
    /// <param name="progress">Hears of every round, and of every step of a network that is trained by itself.</param>
    /// <param name="epochDone">Called after every epoch of a network, with its name and whether it is trained by itself.</param>
    /// <param name="begins">Called before a network is trained by itself, when <see cref="Alone"/> says where it goes on.</param>
    /// <param name="cancel">Stops at a step; the run can then be resumed.</param>
    /// <exception cref="TrainingException">A loss, or what an adapter generates, is not a finite number any more.</exception>
    public TransferResult Train(IProgress<TransferProgress>? progress = null, Action<string, bool, EpochRecord>? epochDone = null, Action? begins = null, CancellationToken cancel = default)
    {
        IDisposable held = RunOutput.Hold(Written);
        try
        {
            if (_ended is null) _output.CheckDescription(TransferFolder.Description, _described);
            return TrainAll(progress, epochDone, begins, cancel);
        }
        catch (Exception e) when (e is TrainingException or GraphException && _ended is null && !File.Exists(_output.PathOf(RunFolder.State)))
        {
            // Nothing is there that could be gone on with.
            foreach (RunOutput output in _models.Append(_output)) output.Clear();
            held.Dispose();
            foreach (RunOutput output in _models.Append(_output)) DeleteIfEmpty(output.Folder);
            throw;
        }
        finally
        {
            held.Dispose();
        }
    }

    /// <summary>The folders that the training together writes; of a run that has ended the networks' stay as they are.</summary>
    private IEnumerable<RunOutput> Written => _ended is null ? _models.Prepend(_output) : [_output];

    private TransferResult TrainAll(IProgress<TransferProgress>? progress, Action<string, bool, EpochRecord>? epochDone, Action? begins, CancellationToken cancel)
    {
        int[] alone = Plan.Description.Solo ? [.. Enumerable.Range(0, Plan.Members.Length).Where(i => !Plan.Members[i].Model.Frozen && Plan.Changes(Plan.Members[i].Model.Name))] : [];
        TransferForecast forecast = new(_training, [.. Plan.Members.Select(member => member.Model.Name)], alone);
        if (_ended is null) TrainTogether(forecast, progress, epochDone, cancel);
        RunResult[] together = [.. Trained.Select((member, i) => _ended?.Together(member) ?? Finish(member, _models[i], cancel))];
        RunResult? Solo(TransferMember member, RunResult own)
        {
            if (_ended?.Alone(member, Plan.Changes(member.Model.Name)) is { } there) return there;
            if (!Plan.Description.Solo) return null;
            int place = Array.IndexOf(alone, Plan.Members.IndexOf(member));
            if (place < 0) return own;
            Relay<TrainingProgress> steps = new(step => progress?.Report(forecast.Of(place, step)));
            return member.Model.Locate(() => TrainAlone(member, steps, epochDone, begins, cancel));
        }

        TransferResult result = Result([.. Trained.Select((member, i) => new TransferredModel(member.Model.Name, together[i], Solo(member, together[i]))
        {
            Parameters = member.Parameters,
            Given = GivenScore.Of(member, cancel),
            IsChanged = Plan.Changes(member.Model.Name),
            IsSameNetwork = _ended?.IsSameNetwork(member.Model.Name) ?? NetworkSize.IsSame(member.Learner.Network, _training.NetworkOf(member.Model.Name)),
        })], cancel);
        Write(result);
        return result;
    }

    private TransferResult Result(ImmutableArray<TransferredModel> models, CancellationToken cancel) => new()
    {
        Models = models,
        Frozen = [.. Plan.Members.Where(member => member.Model.Frozen).Select(member => GivenScore.OfFrozen(member, Trained, cancel)).OfType<FrozenTeacher>()],
        Transfers = [.. Plan.Transfers.Select((transfer, i) => new TransferSummary(transfer, _training.AdapterParameters(i), _ended?.HistoryOf(transfer) ?? [.. _training.HistoryOf(i)]))],
        InFactors = Plan.InFactors,
        Times = _ended?.Times ?? _training.Times,
        First = _ended?.First ?? (Resumed ? default : _first),
        Resumed = _ended is null ? Resumed : _ended.Resumed || _alone is not null,
        Rounds = _training.Rounds,
        Identity = Plan.Identity,
        Notes = _ended?.Notes ?? [.. Plan.Notes.Concat(Plan.NotesOn(_training)).Concat(models.SelectMany(of => of.Together.Notes)).Distinct()],
    };

    /// <summary>Writes what came of it, and removes what is needed to go on; of a run that had ended what is new.</summary>
    private void Write(TransferResult result)
    {
        if (_ended is not null && _alone is not null) WriteDescription();
        if (_ended is null || _alone is not null) _output.WriteText(RunFolder.Result, TransferJson.Result(result));
        TransferPage.Of(result, Plan).Save(Report);
        File.Delete(_output.PathOf(RunFolder.State));
        foreach (string own in Trained.Select(member => SoloOf(member.Model.Name)).Where(EndedTransfer.IsWhole)) File.Delete(Path.Combine(own, RunFolder.State));
    }

    private void TrainTogether(TransferForecast forecast, IProgress<TransferProgress>? progress, Action<string, bool, EpochRecord>? epochDone, CancellationToken cancel)
    {
        _training.Run(new Relay<JointProgress>(round =>
        {
            if (round.Round == FirstRounds.Of(round.Rounds)) _first = new(round.Round, _training.Times);
            progress?.Report(forecast.Of(round));
        }), (name, epoch) =>
        {
            WriteMetrics();
            epochDone?.Invoke(name, false, epoch);
        }, cancel);
        WriteMetrics();
    }

    private bool Resume()
    {
        string? differs = TransferFolder.Difference(_output.Folder, Plan.Description);
        try
        {
            if (_training.Resume()) return true;
        }
        catch (TrainingException e) when (differs is not null)
        {
            throw new TrainingException($"{e.Message}: {differs}", e);
        }

        if (differs is not null) throw new TrainingException($"{_output.Folder} is that of a run with another description, which has only begun: {differs}; --overwrite begins anew, or name another folder");
        return false;
    }

    /// <summary>Makes the folders, with what the run is; where it begins anew, without what another one left.</summary>
    private void Begin(IEnumerable<RunOutput> others)
    {
        _output.Begin(Resumed);
        foreach (RunOutput other in others.Where(other => Directory.Exists(other.Folder)))
        {
            other.Begin(resumed: false);
            DeleteIfEmpty(other.Folder);
        }

        DeleteIfEmpty(_output.PathOf(TransferFolder.Solo));
        WriteDescription();
        foreach (var (member, output) in Trained.Zip(_models))
        {
            output.Begin(Resumed);
            output.WriteText(RunFolder.Description, $"# Trained together with others: ../{TransferFolder.Description}\n{ReadableYaml.Of(RunYaml.Write(member.Model.Run! with { Output = output.Folder }))}");
        }
    }

    private void WriteDescription() => _output.WriteText(TransferFolder.Description, _described);

    private static void DeleteIfEmpty(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
    }

    private RunResult Finish(TransferMember member, RunOutput output, CancellationToken cancel)
    {
        string name = member.Model.Name;
        LearnerRecord own = _training.RecordOf(name)!;
        List<string> notes = [];
        Score? Save(Graph network, string weights, string onnx)
        {
            output.Save(network, member.Model.Model, weights, onnx, notes, member.Data!.Train!.Classes);
            return member.Data.Test is not { } test ? null : new Evaluation(network, member.Loss!, test, member.Model.Run!.Batch, merit: ItemRanking.Merit(test), setMerit: PairRetrieval.Merit(test)).Run(cancel);
        }

        Score? last = Save(_training.NetworkOf(name), RunFolder.Model, RunFolder.Onnx);
        Score? ofBest = _training.BestOf(name) is { } best ? Save(best, RunFolder.Best, RunFolder.BestOnnx) : null;
        RunResult result = new(own.History, own.BestEpoch, last, ofBest, [.. notes.Distinct()]) { MeritName = member.Data!.MeritName };
        output.WriteText(RunFolder.Result, result.ToJson());
        return result;
    }

    /// <summary>Trains a network by itself, as <c>amalgam train</c> does, or goes on with it.</summary>
    private RunResult TrainAlone(TransferMember member, IProgress<TrainingProgress> progress, Action<string, bool, EpochRecord>? epochDone, Action? begins, CancellationToken cancel)
    {
        TrainingRun run = new(member.Model.Run!, SoloOf(member.Model.Name), resume: true, overwrite: true);
        _alone = (member.Model.Name, run);
        begins?.Invoke();
        return run.Train(progress, epoch => epochDone?.Invoke(member.Model.Name, true, epoch), cancel);
    }

    private sealed class Relay<T>(Action<T> to) : IProgress<T>
    {
        public void Report(T value) => to(value);
    }

    private string SoloOf(string name) => Path.Combine(_output.Folder, TransferFolder.Solo, name);

    private void WriteMetrics()
    {
        foreach (var (member, output) in Trained.Zip(_models))
            output.WriteText(RunFolder.Metrics, string.Concat(_training.RecordOf(member.Model.Name)!.History.Select(epoch => epoch.ToJson() + "\n")));
        _output.WriteText(TransferFolder.Transfers, string.Concat(Plan.Transfers.SelectMany((transfer, i) => _training.HistoryOf(i).Select(record => TransferJson.Line(transfer, record) + "\n"))));
    }
}
