using System.CommandLine;
using System.Diagnostics;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam transfer</c>: networks train together and teach each other by their parameters.</summary>
internal sealed class TransferCommand
{
    private readonly Argument<string> _path = new("run") { Description = "Description of the networks and of what teaches what, a YAML file" };
    private readonly Option<string?> _folder = RunOptions.Folder();
    private readonly Option<string?> _report = new("--report") { Description = "Where the page of tables and curves goes [default: report.html in the folder]", HelpName = "file" };
    private readonly Option<bool> _noSolo = new("--no-solo") { Description = "Do not also train each network by itself, to compare with" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Print the matrices of the networks and what would teach what, check that all fits, write nothing" };
    private RunOptions? _run;

    public static Command Create() => new TransferCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "transfer", "Train networks together, of which one's parameters teach another's (MergeNet). Networks may be of any kinds and tasks; each is left as it was given, operator for operator, with other weights.",
            [
                "amalgam transfer run.yml -o runs/pair",
                "amalgam transfer run.yml --dry-run            # which matrices there are, and which would teach which",
                "amalgam transfer run.yml -o runs/pair --resume   # goes on after Ctrl-C, to the same bits",
            ])
        {
            _path, _folder, _report, _noSolo, _dryRun,
        };
        _run = new(verb);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit limit = _run!.Limit(parse);
        TransferDescription description = TransferDescription.Read(parse.GetValue(_path)!);
        if (parse.GetValue(_noSolo)) description = description with { Solo = false };
        TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
        bool quiet = _run!.Quiet(parse);
        if (parse.GetValue(_dryRun))
        {
            CheckPlaces(parse, description);
            TransferPlan plan = new(description);
            TransferText.WritePlan(output, plan, plan.Begin(cancel: cancel));
            return;
        }

        string folder = RunOptions.FolderOf(parse.GetValue(_folder), description.Output);
        CheckPlaces(parse, description);
        TransferPlan whole = new(description);
        if (_run!.Resume(parse) && TransferRun.HasEnded(whole, folder))
        {
            output.WriteLine($"the run in {Printable.Line(folder)} has ended, there is nothing to go on with; --overwrite begins anew");
            return;
        }

        TransferRun run = new(whole, folder, _run!.Resume(parse), _run!.Overwrite(parse), parse.GetValue(_report), cancel);
        _run!.SayWhetherResumed(parse, folder, run.Resumed);
        Run(run, folder, output, error, quiet, cancel);
    }

    /// <summary>Refuses places that cannot be written before networks are opened; a run that is there already is nothing to a dry one.</summary>
    private void CheckPlaces(ParseResult parse, TransferDescription description)
    {
        bool isDry = parse.GetValue(_dryRun);
        if ((parse.GetValue(_folder) ?? description.Output) is { } folder) OutputPlace.CheckFolder(folder);
        if (parse.GetValue(_report) is { } report) OutputFile.Check("--report", report, [parse.GetValue(_path)!], isDry || _run!.Overwrite(parse) || _run!.Resume(parse));
    }

    private static void Run(TransferRun run, string folder, TextWriter output, TextWriter error, bool quiet, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        if (run.Plan.IsProposed || !quiet) TransferText.WriteTransfers(run.Plan.IsProposed ? output : error, run.Plan, run.Training);
        string[] notes = [.. run.Plan.Notes, .. run.Plan.NotesOn(run.Training)];
        if (!quiet) foreach (string note in notes) error.WriteLine($"note: {Printable.Line(note)}");
        if (!quiet) error.WriteLine(!run.Resumed ? TransferText.Rounds(run.Rounds) : run.Round < run.Rounds ? $"going on after round {run.Round:N0} of {run.Rounds:N0}" : "going on after the training together");
        TransferResult result;
        try
        {
            using Progress progress = new(error, quiet);
            result = run.Train(progress, (name, alone, epoch) =>
            {
                if (!quiet) progress.Write(output, $"{Printable.Line(name)}{(alone ? " by itself" : "")}, {TrainCommand.Line(epoch, MeritOf(run, name))}{(alone ? "" : TransferText.Changes(run, name, epoch.Epoch))}");
            }, () =>
            {
                if (!quiet && run.Alone is { Step: > 0 } begun && begun.Step < begun.Steps) progress.Write(error, $"going on with the training of {begun.Model} by itself, after step {begun.Step:N0} of {begun.Steps:N0}");
            }, cancel);
        }
        catch (OperationCanceledException) when (!quiet)
        {
            error.WriteLine(run.Alone is var (model, step, steps) ? $"stopped in the training of {model} by itself, after step {step:N0} of {steps:N0}; --resume goes on from there"
                : run.Round < run.Rounds ? $"stopped after round {run.Round:N0} of {run.Rounds:N0}; --resume goes on from there" : "stopped after the training together; --resume goes on with what follows");
            throw;
        }

        if (!quiet) foreach (string note in result.Notes.Except(notes)) error.WriteLine($"note: {Printable.Line(note)}");
        TransferText.WriteResult(output, result);
        output.WriteLine($"{TransferText.Rounds(run.Rounds)} in {clock.Elapsed.TotalSeconds:0.0} s, networks in {Printable.Line(folder)}, page in {Printable.Line(run.Report)}");
    }

    private static string MeritOf(TransferRun run, string model) => run.Plan.Members.First(member => member.Model.Name == model).Data!.MeritName;
}
