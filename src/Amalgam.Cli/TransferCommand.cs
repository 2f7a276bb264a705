using System.CommandLine;
using System.Diagnostics;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam transfer</c>: networks train together and teach each other by their parameters.</summary>
internal sealed class TransferCommand
{
    private const int MostSeeds = 1000;

    private readonly Argument<string> _path = new("run") { Description = "Description of the networks and of what teaches what, a YAML file" };
    private readonly Option<string?> _folder = RunOptions.Folder();
    private readonly Option<string?> _report = new("--report") { Description = "Where the page of tables and curves goes [default: report.html in the folder]", HelpName = "file" };
    private readonly Option<bool> _noSolo = new("--no-solo") { Description = "Do not also train each network by itself, to compare with" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Print the matrices of the networks and what would teach what, check that all fits, write nothing" };
    private readonly Option<int?> _seeds = CountOption.Create("--seeds", "Run so often, with the seeds 1, 2 and on, or from --seed on, each in a folder seed-1 and on, and say the means, the spreads and the differences seed for seed");
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
                "amalgam transfer run.yml -o runs/pairs --seeds 3   # three times, with what the differences are seed for seed",
            ])
        {
            _path, _folder, _report, _noSolo, _dryRun, _seeds,
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
        if (_run!.Seed(parse) is not null || parse.GetValue(_seeds) is not null) description = description.WithSeed(SeedsOf(parse)[0]);
        TextWriter output = parse.InvocationConfiguration.Output;
        if (parse.GetValue(_dryRun))
        {
            CheckPlaces(parse, description);
            TransferPlan plan = new(description);
            TransferText.WritePlan(output, plan, plan.Begin(cancel: cancel));
            if (parse.GetValue(_seeds) is not null) output.WriteLine($"It would run with the {TransferSeedsFolder.Text(SeedsOf(parse))}.");
            return;
        }

        string folder = RunOptions.FolderOf(parse.GetValue(_folder), description.Output);
        CheckPlaces(parse, description);
        if (parse.GetValue(_seeds) is null) RunOne(parse, description, folder, parse.GetValue(_report), output, cancel);
        else RunSeeds(parse, description, folder, output, cancel);
    }

    private void RunOne(ParseResult parse, TransferDescription description, string folder, string? report, TextWriter output, CancellationToken cancel)
    {
        TransferPlan plan = new(description);
        if (_run!.Resume(parse) && TransferRun.HasEnded(plan, folder) && report is null && !TransferRun.LacksSolo(plan, folder))
        {
            output.WriteLine($"the run in {Printable.Line(folder)} has ended, there is nothing to go on with; --overwrite begins anew");
            return;
        }

        TransferRun run = new(plan, folder, _run!.Resume(parse), _run!.Overwrite(parse), report, cancel);
        _run!.SayWhetherResumed(parse, folder, run.Resumed);
        Run(run, folder, output, parse.InvocationConfiguration.Error, _run!.Quiet(parse), cancel);
    }

    /// <summary>The run with each seed, and what they have in common. One that fails leaves no empty folder.</summary>
    private void RunSeeds(ParseResult parse, TransferDescription description, string folder, TextWriter output, CancellationToken cancel)
    {
        NewFolders made = new(folder);
        try
        {
            using IDisposable held = TransferSeedsFolder.Hold(folder);
            RunHeld(parse, description, folder, output, cancel);
        }
        catch
        {
            made.RemoveEmpty();
            throw;
        }
    }

    private void RunHeld(ParseResult parse, TransferDescription description, string folder, TextWriter output, CancellationToken cancel)
    {
        long[] seeds = SeedsOf(parse);
        string? report = parse.GetValue(_report);
        TransferSeedsFolder.Check(description, folder, seeds, _run!.Resume(parse), _run!.Overwrite(parse), report, cancel);
        if (TransferSeedsFolder.Others(folder, seeds) is { Length: > 0 } others) parse.InvocationConfiguration.Error.WriteLine($"note: {Printable.Line(folder)} has {TransferSeedsFolder.Text(others)} too: left as {(others.Length == 1 ? "it is" : "they are")}, and not counted");
        bool quiet = _run!.Quiet(parse);
        foreach (long seed in seeds)
        {
            if (!quiet) output.WriteLine($"seed {seed}");
            RunOne(parse, description.WithSeed(seed), Path.Combine(folder, TransferSeedsFolder.Of(seed)), null, quiet ? TextWriter.Null : output, cancel);
            if (!quiet) output.WriteLine();
        }

        TransferSeeds result = TransferSeeds.Read(folder, seeds);
        string page = report ?? Path.Combine(folder, TransferFolder.Report);
        result.Write(folder, page);
        TransferSeedsText.Write(output, result);
        output.WriteLine($"networks in {Printable.Line(Path.Combine(folder, TransferSeedsFolder.Of(seeds[0])))} and beside, page in {Printable.Line(page)}");
    }

    /// <summary>The seeds, from the one that is asked for on, or from 1.</summary>
    private long[] SeedsOf(ParseResult parse)
    {
        long first = _run!.Seed(parse) ?? 1;
        int count = parse.GetValue(_seeds) ?? 1;
        if (count > MostSeeds) throw new InvalidDataException($"--seeds: {count:N0} runs are more than the {MostSeeds:N0} that go into one folder");
        if (first > long.MaxValue - (count - 1)) throw new InvalidDataException($"--seeds: {count} seeds from {first} on go beyond the greatest, {long.MaxValue}; begin with a smaller --seed");
        return [.. Enumerable.Range(0, count).Select(i => first + i)];
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
        foreach (string note in notes) error.WriteLine($"note: {Printable.Line(note)}");
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

        foreach (string note in result.Notes.Except(notes)) error.WriteLine($"note: {Printable.Line(note)}");
        TransferText.WriteResult(output, result);
        output.WriteLine($"{TransferText.Rounds(run.Rounds)}{(run.Resumed ? ", " : " in ")}{clock.Elapsed.TotalSeconds:0.0} s{(run.Resumed ? " in this start" : "")}, networks in {Printable.Line(folder)}, page in {Printable.Line(run.Report)}");
    }

    private static string MeritOf(TransferRun run, string model) => run.Plan.Members.First(member => member.Model.Name == model).Data!.MeritName;
}
