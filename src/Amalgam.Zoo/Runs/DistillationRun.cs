using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Trains a student by its teachers, as a <see cref="TrainingRun"/> with <c>distill</c> does; where it is asked for also the same network from the same seed by the labels alone, in a folder inside; and
/// measures teachers, student and that network side by side.
/// </summary>
public sealed class DistillationRun
{
    /// <summary>The folder of the network that is trained without a teacher, in the student's.</summary>
    public const string Solo = "solo";

    /// <summary>The page for people.</summary>
    public const string Page = "report.html";

    private readonly RunDescription _run;
    private readonly DistillDescription _distill;
    private readonly string _folder;
    private readonly TrainingRun _student;
    private TrainingRun? _solo;

    /// <summary>Opens data, teachers and student and prepares the folder. Nothing is written before all of it fits together.</summary>
    /// <param name="run">What to do.</param>
    /// <param name="folder">Where what it leaves behind goes.</param>
    /// <param name="resume">Go on with what an interrupted run of the same description left there, if it left something.</param>
    /// <param name="overwrite">Replace what another run left there.</param>
    /// <param name="report">Where the page goes; null for the folder.</param>
    /// <exception cref="IOException">There is something in the folder already.</exception>
    /// <exception cref="InvalidDataException">The description names no way to distil, a file is not what it claims to be, or the parts do not fit together.</exception>
    /// <exception cref="GraphException">The parts do not fit together.</exception>
    /// <exception cref="TrainingException">The folder is that of a run with another description.</exception>
    public DistillationRun(RunDescription run, string folder, bool resume = false, bool overwrite = false, string? report = null)
    {
        _distill = run.Distill ?? throw new InvalidDataException($"{(run.Place is null ? "" : $"{run.Place}: ")}'distill' is missing here: it says from what the student learns; a description without it is run by amalgam train");
        run = run with { Model = RunFolder.Resolve(run.Model) };
        (_run, _folder) = (run, folder);
        Report = report ?? Path.Combine(folder, Page);
        RunOutput.CheckReport(report, folder, TrainingRun.ReadBy(run), overwrite);
        RunOutput solo = new(SoloFolder, RunFolder.NamesIn(SoloFolder), [], resume: false, overwrite: true);
        _student = new(run, folder, resume, overwrite, [Solo, Page], student => Begin(student, solo));
    }

    /// <summary>Where the page goes.</summary>
    public string Report { get; }

    /// <summary>The student's training.</summary>
    public TrainingRun Student => _student;

    /// <summary>Whether the student's training is over, and that of the same network without a teacher goes on.</summary>
    public bool IsAlone => _solo is not null;

    /// <summary>Whether anything is done already, since the run goes on where another stopped.</summary>
    public bool Resumed => _student.Resumed;

    /// <summary>Steps done of the training at work.</summary>
    public long Step => (_solo ?? _student).Step;

    /// <summary>All steps of the training at work.</summary>
    public long Steps => (_solo ?? _student).Steps;

    private RunDescription Alone => _run with { Distill = null };

    private string SoloFolder => Path.Combine(_folder, Solo);

    /// <summary>Trains to the end, measures, and writes networks and page.</summary>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="epochDone">Called after every epoch, with whether it is one without a teacher.</param>
    /// <param name="cancel">Stops at a step; the run can then be resumed.</param>
    /// <exception cref="TrainingException">The loss is not a finite number any more.</exception>
    public DistillationResult Train(IProgress<TrainingProgress>? progress = null, Action<bool, EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        using IDisposable held = _student.Hold();
        RunResult student = _student.Train(progress, epoch => epochDone?.Invoke(false, epoch), cancel), solo = student;
        if (_distill.Solo) _solo ??= BeginSolo();
        using IDisposable? heldAlone = _solo?.Hold();
        if (_solo is not null) solo = _solo.Train(progress, epoch => epochDone?.Invoke(true, epoch), cancel);

        List<string> notes = [.. student.Notes, .. solo.Notes];
        var networks = Networks(notes);
        NetworkJudge judge = new(_run, RunTrainer.LossOf(_run.Loss, _run.Data));
        DistillationResult result = new()
        {
            Method = _distill.Method,
            Rows = [.. networks.Select(network => Row(judge, network.Stage, network.Name, network.Graph, cancel))],
            Sizes = [.. networks.Select(network => NetworkSize.Of(network.Graph, network.Graph.Inputs.Values.First().Shape.Size(0)))],
            Student = student,
            Solo = _distill.Solo ? solo : null,
            Notes = [.. notes.Distinct()],
        };
        _student.WriteText(RunFolder.Result, SpliceJson.Result(result));
        DistillationPage.Of(result, _student.Data).Save(Report);
        return result;
    }

    /// <summary>Goes on with the training without a teacher, or removes what another run left of one.</summary>
    private void Begin(TrainingRun student, RunOutput solo)
    {
        if (student.Resumed)
        {
            if (_distill.Solo && student.Step == student.Steps) _solo = BeginSolo();
            return;
        }

        File.Delete(Path.Combine(_folder, Page));
        if (!Directory.Exists(solo.Folder)) return;
        using (solo.Hold()) solo.Begin(resumed: false);
        if (!Directory.EnumerateFileSystemEntries(solo.Folder).Any()) Directory.Delete(solo.Folder);
    }

    private TrainingRun BeginSolo() => new(Alone, SoloFolder, resume: true, overwrite: true);

    /// <summary>The networks that are compared, as they are known by what was written.</summary>
    private ImmutableArray<(SpliceStage Stage, string Name, Graph Graph)> Networks(List<string> notes)
    {
        ParentModel[] teachers = [.. _distill.Teachers.Select(path => ParentModel.Open(path, null, GivenNetworks.AnyBatch, _student.Data.Train))];
        var named = teachers.Zip(_distill.Teachers, (teacher, path) => (Stage: SpliceStage.Given, Name: $"teacher ({path})", teacher.Graph)).ToArray();
        long Scores(Graph graph) => DataInputs.OutputOf(graph).Shape[^1];
        notes.AddRange(named.Where(t => Scores(t.Graph) != Scores(_student.Network)).Select(t => $"{t.Name} gives {Scores(t.Graph)} scores for a sample, the student {Scores(_student.Network)}: it is not measured"));
        if (_distill.Method is TfKdSelf && named.FirstOrDefault(t => !NetworkSize.IsSame(t.Graph, _student.Network)) is { Name: { } other })
            notes.Add($"{other} is another network than the student, so what tf_kd_self does here is kd's distillation, with other parameters");
        return
        [
            .. named.Where(t => Scores(t.Graph) == Scores(_student.Network)),
            (SpliceStage.Trained, DistillationResult.StudentName, RunFolder.Load(_folder, _run)),
            .. _distill.Solo ? [(SpliceStage.Trained, DistillationResult.SoloName, RunFolder.Load(SoloFolder, Alone))] : Array.Empty<(SpliceStage, string, Graph)>(),
        ];
    }

    private SpliceRow Row(NetworkJudge judge, SpliceStage stage, string name, Graph network, CancellationToken cancel)
    {
        IReadOnlyList<Measure> Of(Dataset? data) => data is null ? [] : judge.Measures(network, data, cancel);
        return new(stage, name, Of(_student.Data.Validation), Of(_student.Data.Test));
    }
}
