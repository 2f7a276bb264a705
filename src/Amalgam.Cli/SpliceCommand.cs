using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Numerics;
using Amalgam.Transfer;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam splice</c>: makes one network out of several and learns on data how.</summary>
internal sealed class SpliceCommand
{
    private readonly Argument<string[]> _models = new("models") { Description = "Trained networks, two or more: checkpoints, folders of runs, .onnx files, folders of Hugging Face; what is not spliced is the first one's", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _train = new("--train", "-t") { Description = "Run description, a YAML file: data and training. It may leave out model, and have train: splice (learn the splice alone) or all", Required = true };
    private readonly Option<string?> _output = RunOptions.Folder();
    private readonly Option<string> _method = new("--method", "-m") { Description = "cki, linear or task_arithmetic, with parameters: cki:splice=hard,biases=average, linear:per=layer", DefaultValueFactory = _ => Cki };
    private readonly Option<string?> _base = new("--base", "-b") { Description = "With task_arithmetic: the model that the others were fine-tuned from" };
    private readonly Option<string?> _model = ArchitectureOption.Create(shortName: false);
    private readonly Option<string[]> _include = new("--include") { Description = "Only weights whose name matches are spliced: globs, or regex:...", AllowMultipleArgumentsPerToken = true, HelpName = "patterns" };
    private readonly Option<string[]> _exclude = new("--exclude") { Description = "Weights whose name matches are the first model's", AllowMultipleArgumentsPerToken = true, HelpName = "patterns" };
    private readonly Option<bool> _noBaseline = new("--no-baseline") { Description = "With train: all, do not also train the first model on alone, to compare with" };

    private const string Cki = "cki", TaskArithmetic = "task_arithmetic", Learned = "learned";
    private RunOptions? _run;

    public static Command Create() => new SpliceCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "splice", "Make one network out of several, and learn on data how: which share of every weight comes from which model. The result is the first model's network, operator for operator.",
            [
                "amalgam splice runs/a runs/b --train run.yml -o runs/spliced",
                "amalgam splice a.safetensors b.safetensors c.safetensors -t run.yml -o out --include 'head.*'",
                "amalgam splice -m cki:splice=hard,biases=average runs/a runs/b -t run.yml -o out",
                "amalgam splice -m task_arithmetic:per=layer tuned-a tuned-b --base base -t run.yml -o out",
            ])
        {
            _models, _train, _output, _method, _base, _model, _include, _exclude, _noBaseline,
        };
        _method.CompletionSources.Add(_ => MergeMethod.All.Where(e => e.Learns).Select(e => new System.CommandLine.Completions.CompletionItem(e.Name)));
        _run = new(verb);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit limit = _run!.Limit(parse);
        string method = parse.GetValue(_method)!;
        RunDescription description = RunDescription.Read(parse.GetValue(_train)!, new ModelDescription(""));
        if (ArchitectureOption.Of(parse.GetValue(_model)) is { } architecture) description = description with { Model = architecture with { Freeze = description.Model.Freeze } };
        string folder = RunOptions.FolderOf(parse.GetValue(_output), description.Output);
        string[] models = parse.GetValue(_models)!;
        SpliceDescription splice = new(Recipe(parse, method, models), method, description) { Baseline = !parse.GetValue(_noBaseline), Text = Text(parse, method, [.. models.Select(RunFolder.FileOf)]) };
        SpliceRun run = new(splice, folder, _run!.Resume(parse), _run!.Overwrite(parse));
        Run(run, folder, parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error, _run!.Quiet(parse), cancel);
    }

    /// <summary>The method with its parameters and models, as a recipe has them.</summary>
    private Recipe Recipe(ParseResult parse, string method, string[] models)
    {
        string name = method.Split(':')[0];
        MethodEntry? entry = MergeMethod.Find(name);
        if (parse.GetValue(_base) is not null && entry is { Base: not BaseRole.Origin }) throw new MergeException($"--base goes with methods of task vectors; with {name} what is not spliced is the first model's");
        Recipe recipe = RecipeFile.Parse(Text(parse, method, models), "--method")[0];
        if (name == Cki && recipe.Parameters["local"]?.Word("") != Learned)
            throw new MergeException("--method: amalgam splice learns the local term; with local: fixed or none there is nothing to learn, which amalgam merge does");
        return recipe;
    }

    /// <summary>The recipe as text.</summary>
    private string Text(ParseResult parse, string method, string[] models)
    {
        string name = method.Split(':')[0], given = method[name.Length..];
        List<(string, string[])> more = [];
        foreach (var (key, patterns) in new[] { ("include", parse.GetValue(_include)), ("exclude", parse.GetValue(_exclude)) })
            if (patterns is { Length: > 0 }) more.Add((key, patterns));
        if (name == TaskArithmetic && !given.Contains("weight=", StringComparison.Ordinal) && !given.Contains("lambda=", StringComparison.Ordinal)) more.Add(("lambda", [LearnedCoefficients.TaskVectorStart.ToString(CultureInfo.InvariantCulture)]));
        if (name == Cki && !given.Contains("local=", StringComparison.Ordinal)) more.Add(("local", [Learned]));
        return SimpleRecipe.Write(method, models, parse.GetValue(_base) is { } origin ? RunFolder.FileOf(origin) : null, more);
    }

    private static void Run(SpliceRun run, string folder, TextWriter output, TextWriter error, bool quiet, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        if (!quiet)
            error.WriteLine($"{(run.Resumed ? $"going on after step {run.Step:N0} of {run.Steps:N0}" : $"{run.Steps:N0} steps")}, {run.Integration.Graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count):N0} numbers to learn for {run.Integration.Spliced.Length} weights");
        ImmutableArray<SpliceRow> before;
        using (Progress measuring = new(error, quiet)) before = run.Before((done, all) => measuring.Report("measured", done, all), cancel);
        if (!quiet) SpliceText.WriteRows(output, "before", before, run.Data);
        SpliceResult result;
        try
        {
            using Progress progress = new(error, quiet);
            result = run.Train(before, progress, (epoch, alone) =>
            {
                if (!quiet) progress.Write(output, (alone ? $"{run.HostName} alone, " : "") + TrainCommand.Line(epoch));
            }, cancel);
        }
        catch (OperationCanceledException) when (!quiet)
        {
            error.WriteLine($"stopped after step {run.Step:N0} of {run.Steps:N0}; --resume goes on from there");
            throw;
        }

        foreach (string note in result.Notes) error.WriteLine($"note: {Printable.Line(note)}");
        SpliceText.Write(output, result, run.Data);
        output.WriteLine($"{result.Epochs.Length} epochs in {clock.Elapsed.TotalSeconds:0.0} s, network in {Printable.Line(folder)}, page in {Printable.Line(Path.Combine(folder, SpliceFolder.Report))}");
    }
}
