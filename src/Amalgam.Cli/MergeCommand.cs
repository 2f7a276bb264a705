using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam merge</c>: makes one checkpoint out of several, by a recipe or by a method named on the command line.</summary>
internal sealed class MergeCommand
{
    private readonly Argument<string[]> _paths = new("paths") { Description = "RECIPE OUT, or with --method the models", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _method = new("--method", "-m") { Description = "Merge method with its parameters, in place of a recipe: ties:density=0.5,weight=0.7/0.3" };
    private readonly Option<string?> _base = new("--base", "-b") { Description = "With --method: the model that the others were fine-tuned from" };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Where the result goes: a folder, or a file that ends in .safetensors, .npz or .pt" };
    private readonly Option<DType?> _type = ElementType.Option("Type of the result's floating-point tensors, over what the recipe says");
    private readonly Option<bool> _dryRun = new("--dry-run", "-n") { Description = "Print what would be done, tensor by tensor, and write nothing" };
    private readonly Option<long?> _shardSize = Size("--shard-size", "Begin a new file of a folder before one grows larger than this; 0 writes one file [default: 5GB]");
    private readonly Option<long?> _memory = Size("--memory", "What the buffers may take [default: 256MiB]");
    private readonly Option<int> _threads = new("--threads", "-j") { Description = "Number of threads; the result does not depend on it", DefaultValueFactory = _ => Environment.ProcessorCount };
    private readonly Option<long> _seed = new("--seed") { Description = "Seed of the methods that draw random numbers" };
    private readonly Option<bool> _union = new("--tensor-union", "-u") { Description = "Merge every tensor, each from the models that have it" };
    private readonly Option<bool> _intersection = new("--tensor-intersection", "-i") { Description = "Merge only the tensors that all models have" };
    private readonly Option<string?> _integers = new("--integers") { Description = "Integer tensors: equal (they must be, the default), or base (take the base's)" };
    private readonly Option<bool> _allowNonFinite = new("--allow-nonfinite") { Description = "Go on when an input holds NaN or infinity" };
    private readonly Option<bool> _resume = new("--resume") { Description = "Go on with what an interrupted run left" };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what is at the output, once the new result is complete" };
    private readonly Option<string?> _stages = new("--intermediate-dir") { Description = "Keep the results of a recipe's earlier documents in this folder" };
    private readonly Option<string?> _report = new("--report") { Description = "Write a page about the layers and units that the sections 'balance' and 'align' matched, to this .html file", HelpName = "file" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress and no notes" };

    public static Command Create() => new MergeCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "merge", "Make one checkpoint out of several, by a recipe (mergekit's format) or by a method named here. The output appears when it is complete.",
            [
                "amalgam merge recipe.yml merged                      # a folder, from a recipe",
                "amalgam merge recipe.yml --dry-run                   # what it would do",
                "amalgam merge -m linear a.safetensors b.safetensors -o ab.safetensors",
                "amalgam merge -m ties:density=0.5 tuned-a tuned-b --base base -o merged",
                "amalgam merge -m cki:splice=hard,biases=average a b -o merged --dtype bfloat16",
            ])
        {
            _paths, _method, _base, _output, _type, _dryRun, _shardSize, _memory, _threads, _seed, _union, _intersection, _integers, _allowNonFinite, _resume, _overwrite, _stages, _report, _quiet,
        };
        _method.CompletionSources.Add(_ => MergeMethod.All.Select(e => new System.CommandLine.Completions.CompletionItem(e.Name)));
        _threads.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < 1) result.AddError("--threads must be 1 or more");
        });
        verb.Validators.Add(result =>
        {
            if (result.GetValue(_union) && result.GetValue(_intersection)) result.AddError("--tensor-union and --tensor-intersection exclude each other");
            if (result.GetValue(_integers) is not (null or "equal" or "base")) result.AddError("--integers must be equal or base");
        });
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
        bool quiet = parse.GetValue(_quiet);
        if (!parse.GetValue(_dryRun) && TargetOf(parse) is { } place) CheckpointOutput.CheckTarget(place, parse.GetValue(_overwrite), parse.GetValue(_resume));
        RecipeFusion fusion = new(cancel);
        RecipeRun planned;
        string? target;
        using (Progress planning = new(error, quiet))
        {
            fusion.Progress = planning;
            (planned, target) = Plan(parse, fusion);
        }

        using RecipeRun run = planned;
        Check(run, parse.GetValue(_report));
        if (parse.GetValue(_dryRun))
        {
            PlanText.Write(run.Plans, output);
            foreach (MergePlan plan in run.Plans.Where(p => p.Recipe.References.All(r => run.Plans.All(other => other.Recipe.Name != r.Path))))
            {
                if (plan.Recipe.BalancePosition is not null) output.WriteLine($"balance: {Printable.Line(fusion.Summary(plan.Recipe))}");
                if (plan.Recipe.AlignPosition is not null) output.WriteLine($"align: {Printable.Line(RecipeAlignment.Summary(plan))}");
                if (plan.Recipe is { TrainPosition: not null, BalancePosition: null }) output.WriteLine($"train: {Printable.Line(new RecipeTraining(plan).Summary)}");
            }

            if (target is not null) run.Check(target, Options(parse, cancel), parse.GetValue(_stages));
            return;
        }

        if (parse.GetValue(_report) is { } page)
            OutputFile.Check("--report", page, run.Plans.SelectMany(p => p.Sources).Select(m => m.Checkpoint.Path).Where(Path.Exists), parse.GetValue(_overwrite));
        if (target is null) throw new MergeException("name where the result goes: amalgam merge RECIPE OUT, or --output OUT");
        if (!quiet) foreach (string note in run.Plans.SelectMany(p => p.Notes)) error.WriteLine($"note: {Printable.Line(note)}");

        var clock = Stopwatch.StartNew();
        ImmutableArray<string> findings;
        NetworkAlignment? aligned = null;
        using (CoreLimit limit = Cores.Limit(Math.Max(1, parse.GetValue(_threads))))
        using (Progress progress = new(error, quiet))
        {
            fusion.Progress = progress;
            fusion.Done = done =>
            {
                if (!quiet) progress.Write(error, FuseText.Summary(done));
            };
            findings = run.Run(target, Options(parse, cancel) with
            {
                Learn = plan => Learn(plan, error, quiet, progress, cancel),
                Align = (plan, folder) => RecipeAlignment.Align(plan, folder, done =>
                {
                    aligned = done;
                    if (parse.GetValue(_report) is not null) _ = done.CanMeasure; // refuses before anything is written
                    if (!quiet) progress.Write(error, AlignText.Summary(done));
                }, progress, cancel),
            }, parse.GetValue(_stages), progress);
            if (parse.GetValue(_report) is { } report) Report(run, aligned, fusion, target, report, progress, cancel);
        }

        if (!quiet) foreach (string finding in findings) error.WriteLine($"note: {Printable.Line(finding)}");
        MergePlan last = run.Plans[^1];
        long read = run.Plans.Sum(p => p.InputBytes);
        output.WriteLine(
            $"{last.Tensors.Length} tensors, {ByteSize.Text(last.OutputBytes)}, in {Printable.Line(target)}: {last.Recipe.Method} of {last.Models.Length} model{(last.Models.Length == 1 ? "" : "s")}, "
            + $"{clock.Elapsed.TotalSeconds:0.00} s, {ByteSize.Text((long)(read / Math.Max(1e-3, clock.Elapsed.TotalSeconds)))}/s of input");
    }

    /// <summary>Refuses what sections say wrong before anything is opened.</summary>
    private static void Check(RecipeRun run, string? report)
    {
        foreach (MergePlan plan in run.Plans)
        {
            RecipeTraining.Check(plan.Recipe);
            RecipeAlignment.Check(plan.Recipe);
            RecipeFusion.Check(plan.Recipe);
        }

        if (report is null) return;
        if (!report.EndsWith(".html", StringComparison.OrdinalIgnoreCase)) throw new MergeException($"--report: {report} is to be a page, name it .html");
        if (run.Plans.All(p => p.Recipe is { AlignPosition: null, BalancePosition: null })) throw new MergeException("--report is a page about layers or units that were matched, and the recipe has no section 'align' or 'balance'");
    }

    /// <summary>Writes a page about the models' layers or units, and what the result is worth where the data has labels.</summary>
    private static void Report(RecipeRun run, NetworkAlignment? aligned, RecipeFusion fusion, string target, string report, Progress progress, CancellationToken cancel)
    {
        Recipe last = run.Plans[^1].Recipe;
        void Measured(int done, int all) => progress.Report("measured", done, all);
        if (last.BalancePosition is not null && fusion.Of(last) is { Steps.Length: > 0 } fused)
        {
            Contestant result = new($"{last.Method} of the {(last.AlignPosition is null ? "fused" : "balanced and aligned")} networks", fused.Read(target));
            FusionPage.Of(fused, fused.CanMeasure ? FusionScores.Of(fused, [result], NetworkOptions.UsualTestSamples, Measured, cancel) : null).Save(report);
            return;
        }

        if (aligned is null) return; // an interrupted run had made the result
        Contestant[] results = last.AlignPosition is null ? [] : [new($"{last.Method} of the matched networks{(aligned.CanReset ? NetworkScores.ResetEnding : "")}", aligned.Read(target))];
        AlignmentPage.Of(aligned, AlignmentScores.Of(aligned, results, NetworkOptions.UsualTestSamples, Measured, cancel), merges: true).Save(report);
    }

    private static IReadOnlyDictionary<string, Tensor> Learn(MergePlan plan, TextWriter error, bool quiet, Progress progress, CancellationToken cancel)
    {
        RecipeTraining training = new(plan);
        if (!quiet) progress.Write(error, Printable.Line(training.Summary));
        return training.Learn(progress, epoch =>
        {
            if (!quiet) progress.Write(error, TrainCommand.Line(epoch));
        }, cancel);
    }

    private MergeOptions Options(ParseResult parse, CancellationToken cancel)
    {
        MergeOptions options = new()
        {
            Parallel = new() { MaxDegreeOfParallelism = parse.GetValue(_threads), CancellationToken = cancel },
            Seed = parse.GetValue(_seed),
            AllowNonFinite = parse.GetValue(_allowNonFinite),
            Output = new() { Overwrite = parse.GetValue(_overwrite), Resume = parse.GetValue(_resume) },
        };
        if (parse.GetValue(_memory) is { } memory) options = options with { Memory = memory };
        if (parse.GetValue(_shardSize) is { } shard) options = options with { Output = options.Output with { ShardBytes = shard } };
        return options;
    }

    /// <summary>Where the result goes, as far as the command line is right: balancing looks at networks when it plans, so that a place is looked at before.</summary>
    private string? TargetOf(ParseResult parse) => parse.GetValue(_output) ?? (parse.GetValue(_method) is null ? parse.GetValue(_paths)!.ElementAtOrDefault(1) : null);

    private (RecipeRun Run, string? Target) Plan(ParseResult parse, RecipeFusion fusion)
    {
        string[] paths = parse.GetValue(_paths)!;
        string? target = parse.GetValue(_output);
        if (parse.GetValue(_method) is { } method)
        {
            foreach (string model in paths) TransferFolder.CheckIsNone(model);
            string text = SimpleRecipe.Write(method, paths, parse.GetValue(_base));
            return (RecipeRun.Parse(text, Environment.CurrentDirectory, "--method", (r, isResult) => Adjust(r, isResult, parse)), target);
        }

        if (parse.GetValue(_base) is not null) throw new MergeException("--base goes with --method; in a recipe write base_model");
        if (paths.Length > (target is null ? 2 : 1))
            throw new MergeException($"expected RECIPE {(target is null ? "OUT" : "--output OUT")}, found {paths.Length} paths; to merge models without a recipe name the method: --method linear");
        return (RecipeRun.Read(paths[0], (r, isResult) => Adjust(r, isResult, parse), fusion.Balance), target ?? paths.ElementAtOrDefault(1));
    }

    /// <summary>What the command line says over the recipe.</summary>
    private Recipe Adjust(Recipe recipe, bool isResult, ParseResult parse)
    {
        if (parse.GetValue(_union)) recipe = recipe with { TensorUnion = true, TensorIntersection = false };
        if (parse.GetValue(_intersection)) recipe = recipe with { TensorIntersection = true, TensorUnion = false };
        if (parse.GetValue(_integers) is { } integers) recipe = recipe with { Integers = integers == "base" ? IntegerRule.Base : IntegerRule.Equal };
        return isResult && parse.GetValue(_type) is { } type ? recipe with { OutDType = type } : recipe;
    }

    private static Option<long?> Size(string name, string description) =>
        new(name) { Description = description, CustomParser = argument => ByteSize.OfArgument(argument), HelpName = "size" };
}
