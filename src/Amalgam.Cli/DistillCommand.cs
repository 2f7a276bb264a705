using System.CommandLine;
using System.Diagnostics;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam distill</c>: trains a student by its teachers and says what that was worth.</summary>
internal sealed class DistillCommand
{
    private readonly Argument<string> _path = new("run") { Description = "Run description with distill, a YAML file" };
    private readonly Option<string?> _folder = RunOptions.Folder();
    private readonly Option<string?> _report = new("--report") { Description = "Where the page of tables and curves goes [default: report.html in the folder]", HelpName = "file" };
    private readonly Option<bool> _solo = new("--solo") { Description = "Also train the same network from the same seed without a teacher, to compare with" };
    private RunOptions? _run;

    public static Command Create() => new DistillCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "distill", "Train a network by trained ones: kd, rkd, dkd, nkd and tf_kd_self by teachers, tf_kd_reg and uskd without one. What is written is the student alone.",
            [
                "amalgam distill run.yml -o runs/student",
                "amalgam distill run.yml -o runs/student --solo   # and the same network without a teacher",
                "amalgam distill run.yml --resume                 # goes on after Ctrl-C, to the same bits",
            ])
        {
            _path, _folder, _report, _solo,
        };
        _run = new(verb);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit limit = _run!.Limit(parse);
        RunDescription description = _run!.Seeded(parse, RunDescription.Read(parse.GetValue(_path)!));
        if (parse.GetValue(_solo) && description.Distill is { } distill) description = description with { Distill = distill with { Solo = true } };
        string folder = RunOptions.FolderOf(parse.GetValue(_folder), description.Output);
        if (parse.GetValue(_report) is { } report) OutputFile.Check("--report", report, [parse.GetValue(_path)!], _run!.Overwrite(parse) || _run!.Resume(parse));
        DistillationRun run = new(description, folder, _run!.Resume(parse), _run!.Overwrite(parse), parse.GetValue(_report));
        _run!.SayWhetherResumed(parse, folder, run.Resumed);
        Run(run, folder, parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error, _run!.Quiet(parse), cancel);
    }

    private static void Run(DistillationRun run, string folder, TextWriter output, TextWriter error, bool quiet, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        if (!quiet) error.WriteLine(run.Resumed ? $"going on after {Where(run)}" : $"{Printable.Count(run.Steps, "step")}, {Printable.Count(TrainCommand.Trained(run.Student), "parameter")}");
        DistillationResult result = TrainCommand.Watch(error, quiet, () => Where(run), progress =>
            run.Train(progress, (alone, epoch) =>
            {
                if (!quiet) progress.Write(output, $"{(alone ? "without a teacher, " : "")}{TrainCommand.Line(epoch, run.Student.Data.MeritName)}");
            }, cancel));
        foreach (string note in result.Notes) error.WriteLine($"note: {Printable.Line(note)}");
        output.WriteLine();
        SpliceText.WriteRows(output, result.Method.Name, result.Rows, run.Student.Data);
        output.WriteLine(result.Epochs);
        if (result.Comparison != "") output.WriteLine(Printable.Line(result.Comparison));
        if (result.Warning is { } warning) output.WriteLine(Printable.Line(warning));
        output.WriteLine($"{Printable.Count(result.Student.Epochs.Count, "epoch")}{(run.Resumed ? ", " : " in ")}{clock.Elapsed.TotalSeconds:0.0} s{(run.Resumed ? " in this start" : "")}, network in {Printable.Line(folder)}, page in {Printable.Line(run.Report)}");
    }

    private static string Where(DistillationRun run) => $"step {run.Step:N0} of {run.Steps:N0}{(run.IsAlone ? " of the training without a teacher" : "")}";
}
