using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Networks train together and teach each other by their parameters (<see cref="JointTraining"/>); then, to compare with, each of them by itself, with the same seed and options. Leaves a folder as a
/// <see cref="TrainingRun"/> does for each, whose networks are the original graphs, and what the transfers came to.
/// </summary>
public sealed class TransferRun
{
    private readonly RunOutput _output;
    private readonly RunOutput[] _models;
    private readonly JointTraining _training;

    /// <summary>Prepares the folder. Nothing is written before all of it fits together.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="folder">Where what it leaves behind goes.</param>
    /// <param name="resume">Go on with what an interrupted run of the same description left there, if it left something.</param>
    /// <param name="overwrite">Replace what another run left there.</param>
    /// <param name="report">Where the page goes; null for the folder.</param>
    /// <exception cref="IOException">There is something in the folder already.</exception>
    /// <exception cref="GraphException">The parts do not fit together.</exception>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    /// <exception cref="TrainingException">The folder is that of a run with another description.</exception>
    public TransferRun(TransferPlan plan, string folder, bool resume = false, bool overwrite = false, string? report = null)
    {
        Plan = plan;
        string?[] inputs = [.. plan.Members.SelectMany(member => member.Model.Run is { } run ? TrainingRun.InputsOf(run) : TrainingRun.InputsOf(member.Model.Model))];
        string[] names = [.. Trained.Select(member => member.Model.Name)], before = [.. TransferFolder.ModelsIn(folder).Except(names)];
        _output = new(folder, TransferFolder.All, inputs, resume, overwrite, [.. names, .. before, TransferFolder.Solo]);
        Report = report ?? _output.PathOf(TransferFolder.Report);
        bool goesOn = resume && File.Exists(_output.PathOf(RunFolder.State));
        RunOutput Of(string path) => new(path, RunFolder.NamesIn(path), inputs, resume: false, overwrite || goesOn);
        _models = [.. names.Select(name => Of(_output.PathOf(name)))];
        RunOutput[] others = [.. names.Concat(before).Select(name => Of(SoloOf(name))), .. before.Select(name => Of(_output.PathOf(name)))];

        _training = plan.Begin(_output.PathOf(RunFolder.State));
        Resumed = resume && _training.Resume();
        Begin(Resumed ? [] : others);
    }

    /// <summary>The networks, the data and the transfers.</summary>
    public TransferPlan Plan { get; }

    /// <summary>Where the page goes.</summary>
    public string Report { get; }

    /// <summary>Whether the run goes on where another stopped.</summary>
    public bool Resumed { get; }

    /// <summary>Rounds done.</summary>
    public long Round => _training.Round;

    /// <summary>Rounds of the whole run.</summary>
    public long Rounds => _training.Rounds;

    /// <summary>Numbers that an adapter learns, which are gone when the run has ended.</summary>
    /// <param name="transfer">The place of its transfer in the plan.</param>
    public long AdapterParameters(int transfer) => _training.AdapterParameters(transfer);

    private IEnumerable<TransferMember> Trained => Plan.Members.Where(member => !member.Model.Frozen);

    /// <summary>Trains to the end and writes networks, metrics and the page.</summary>
    /// <param name="progress">Hears of every round.</param>
    /// <param name="epochDone">Called after every epoch of a network, with its name and whether it is trained by itself.</param>
    /// <param name="alone">Hears of every step of a network that is trained by itself.</param>
    /// <param name="cancel">Stops between rounds; the run can then be resumed.</param>
    /// <exception cref="TrainingException">A loss, or what an adapter generates, is not a finite number any more.</exception>
    public TransferResult Train(IProgress<JointProgress>? progress = null, Action<string, bool, EpochRecord>? epochDone = null, IProgress<TrainingProgress>? alone = null, CancellationToken cancel = default)
    {
        _training.Run(progress, (name, epoch) =>
        {
            WriteMetrics();
            epochDone?.Invoke(name, false, epoch);
        }, cancel);
        WriteMetrics();
        RunResult[] together = [.. Trained.Select((member, i) => Finish(member, _models[i], cancel))];
        TransferResult result = new()
        {
            Models = [.. Trained.Select((member, i) => new TransferredModel(member.Model.Name, together[i], Plan.Description.Solo ? Alone(member, epochDone, alone, cancel) : null)
            {
                Parameters = member.Parameters,
                IsSameNetwork = NetworkSize.IsSame(member.Learner.Network, _training.NetworkOf(member.Model.Name)),
            })],
            Transfers = [.. Plan.Transfers.Select((transfer, i) => new TransferSummary(transfer, _training.AdapterParameters(i), [.. _training.HistoryOf(i)]))],
            Times = _training.Times,
            Rounds = _training.Rounds,
            Notes = [.. Plan.Notes.Concat(together.SelectMany(of => of.Notes)).Distinct()],
        };
        _output.WriteText(RunFolder.Result, TransferJson.Result(result));
        TransferPage.Of(result, Plan).Save(Report);
        return result;
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
        _output.WriteText(TransferFolder.Description, TransferYaml.Write(Plan.Description with { Output = _output.Folder }));
        foreach (var (member, output) in Trained.Zip(_models))
        {
            output.Begin(Resumed);
            output.WriteText(RunFolder.Description, $"# Trained together with others: ../{TransferFolder.Description}\n{RunYaml.Write(member.Model.Run! with { Output = output.Folder })}");
        }
    }

    private static void DeleteIfEmpty(string folder)
    {
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
    }

    private RunResult Finish(TransferMember member, RunOutput output, CancellationToken cancel)
    {
        string name = member.Model.Name;
        Trainer trainer = _training.Trainers[Plan.Members.IndexOf(member)]!;
        List<string> notes = [];
        Score? Save(Graph network, string weights, string onnx)
        {
            output.Save(network, member.Model.Model, weights, onnx, notes, member.Data!.Train!.Classes);
            return member.Data.Test is not { } test ? null : new Evaluation(network, member.Loss!, test, member.Model.Run!.Batch, merit: ItemRanking.Merit(test), setMerit: PairRetrieval.Merit(test)).Run(cancel);
        }

        Score? last = Save(_training.NetworkOf(name), RunFolder.Model, RunFolder.Onnx);
        Score? ofBest = _training.BestOf(name) is { } best ? Save(best, RunFolder.Best, RunFolder.BestOnnx) : null;
        RunResult result = new(trainer.History, trainer.BestEpoch, last, ofBest, [.. notes.Distinct()]) { MeritName = member.Data!.MeritName };
        output.WriteText(RunFolder.Result, result.ToJson());
        return result;
    }

    /// <summary>Trains a network by itself, as <c>amalgam train</c> does, or goes on with it.</summary>
    private RunResult Alone(TransferMember member, Action<string, bool, EpochRecord>? epochDone, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        TrainingRun run = new(member.Model.Run!, SoloOf(member.Model.Name), resume: true, overwrite: true);
        return run.Train(progress, epoch => epochDone?.Invoke(member.Model.Name, true, epoch), cancel);
    }

    private string SoloOf(string name) => Path.Combine(_output.Folder, TransferFolder.Solo, name);

    private void WriteMetrics()
    {
        foreach (var (member, output) in Trained.Zip(_models))
            output.WriteText(RunFolder.Metrics, string.Concat(_training.Trainers[Plan.Members.IndexOf(member)]!.History.Select(epoch => epoch.ToJson() + "\n")));
        _output.WriteText(TransferFolder.Transfers, string.Concat(Plan.Transfers.SelectMany((transfer, i) => _training.HistoryOf(i).Select(record => TransferJson.Line(transfer, record) + "\n"))));
    }
}
