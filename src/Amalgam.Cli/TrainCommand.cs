using System.CommandLine;
using System.Diagnostics;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam train</c>: trains a network as a file describes it.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Argument<string> path = new("run") { Description = "Run description, a YAML file" };
        Option<string?> folder = RunOptions.Folder();
        Verb verb = new(
            "train", "Train a network: data, model, optimiser, schedule and seeds stand in a YAML file. Leaves the weights (safetensors and ONNX), the metrics and the description.",
            [
                "amalgam train run.yml -o runs/first",
                "amalgam train run.yml --resume       # goes on after Ctrl-C, to the same bits",
                "amalgam train run.yml -o runs/second --seed 2",
            ])
        {
            path, folder,
        };
        RunOptions options = new(verb);
        verb.Runs((parse, cancel) =>
        {
            using CoreLimit limit = options.Limit(parse);
            RunDescription description = options.Seeded(parse, RunDescription.Read(parse.GetValue(path)!));
            string target = RunOptions.FolderOf(parse.GetValue(folder), description.Output);
            TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
            TrainingRun run = new(description, target, options.Resume(parse), options.Overwrite(parse));
            options.SayWhetherResumed(parse, target, run.Resumed);
            Run(run, target, output, error, options.Quiet(parse), cancel);
        });
        return verb;
    }

    private static void Run(TrainingRun run, string folder, TextWriter output, TextWriter error, bool quiet, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        if (!quiet) error.WriteLine(run.Resumed ? $"going on after step {run.Step:N0} of {run.Steps:N0}" : $"{Printable.Count(run.Steps, "step")}, {Printable.Count(Trained(run), "parameter")}");
        string merit = run.Data.MeritName;
        RunResult result = Watch(error, quiet, () => $"step {run.Step:N0} of {run.Steps:N0}", progress =>
            run.Train(progress, epoch =>
            {
                if (!quiet) progress.Write(output, Line(epoch, merit));
            }, cancel));
        foreach (string note in result.Notes) error.WriteLine($"note: {Printable.Line(note)}");
        bool bestIsOther = result.Best is { } epoch && epoch.Epoch < result.Epochs.Count;
        if (result.Last is { } last) output.WriteLine($"test data: {Text(last, merit)}{(bestIsOther ? $"; with the weights of epoch {result.Best!.Epoch}: {Text(result.OfBest!, merit)}" : "")}");
        output.WriteLine($"{Printable.Count(result.Epochs.Count, "epoch")} in {clock.Elapsed.TotalSeconds:0.0} s, network in {Printable.Line(folder)}");
    }

    /// <summary>Numbers that a run trains.</summary>
    internal static long Trained(TrainingRun run) => run.Network.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count);

    /// <summary>Trains with progress on the error output; when it is stopped, says where and how to go on.</summary>
    internal static T Watch<T>(TextWriter error, bool quiet, Func<string> where, Func<Progress, T> train)
    {
        try
        {
            using Progress progress = new(error, quiet);
            return train(progress);
        }
        catch (OperationCanceledException) when (!quiet)
        {
            error.WriteLine($"stopped after {where()}; --resume goes on from there");
            throw;
        }
    }

    /// <summary>An epoch as a line, with the name of what the best is chosen by where it is neither the accuracy nor the loss.</summary>
    internal static string Line(EpochRecord epoch, string merit = ItemRanking.MeritName)
    {
        string right = epoch.Accuracy is { } accuracy ? $", {EvalCommand.Percent(accuracy)} right" : "";
        string validation = epoch.Validation is { } score ? $"  validation: {Text(score, merit)}" : "";
        return $"epoch {epoch.Epoch}  loss {NetworkScores.Text(epoch.Loss)}{right}{validation}  lr {Printable.Number(epoch.Rate)}  {epoch.Seconds:0.0} s";
    }

    private static string Text(Score score, string meritName)
    {
        string merit = score.Merit is { } value ? $"{meritName.ToUpperInvariant()} {value:0.0000}, " : "";
        return merit + (score.Accuracy is { } accuracy ? $"{EvalCommand.Percent(accuracy)} right, loss {NetworkScores.Text(score.Loss)}" : $"loss {NetworkScores.Text(score.Loss)}");
    }
}
