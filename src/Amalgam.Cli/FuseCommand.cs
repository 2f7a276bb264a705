using System.CommandLine;
using System.CommandLine.Completions;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam fuse</c>: makes one network of several that have other depths and widths.</summary>
internal sealed class FuseCommand
{
    private readonly Argument<string[]> _models = new("models") { Description = "Trained networks, two or more, of perhaps other depths and widths: checkpoints, folders of runs, .onnx files, folders of Hugging Face", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Where the fused network goes: an .onnx file, or weights, where the result is of an architecture of the Zoo" };
    private readonly Option<string> _balance = new("--balance") { Description = $"How all get one number of layers: {string.Join(", ", BalanceMethod.All.Select(m => m.Word))}", DefaultValueFactory = _ => BalanceMethod.All[0].Name, HelpName = "method" };
    private readonly Option<string?> _layers = WordOption.Create("--layers", "What makes layers alike: cka (what they compute, the default), wasserstein (the same, unit by unit) or width (no data)", FusionWords.Measures.Words);
    private readonly Option<int?> _pinFirst = CountOption.FromZero("--pin-first", "So many first layers of each group belong to the first ones of the deeper network [default: 1]");
    private readonly Option<int?> _pinLast = CountOption.FromZero("--pin-last", "So many last layers of each group belong to the last ones [default: 1]");
    private readonly Option<string> _match = new("--match") { Description = $"How units are brought together: ot or sinkhorn, which transport between widths; of networks of one width also {string.Join(", ", FusionMatch.All.Where(m => m.Units is not null).Select(m => m.Name))}", DefaultValueFactory = _ => FusionMatch.All[0].Name, HelpName = "method" };
    private readonly Option<string?> _ground = WordOption.Create("--ground", "What transported units are compared by: activations (the default) or weights, which need no data", FusionWords.Grounds.Words);
    private readonly Option<string?> _metric = WordOption.Create("--metric", "What makes them far apart: euclidean (the default) or cosine", FusionWords.Metrics.Words);
    private readonly Option<bool> _squared = new("--squared") { Description = "Square the Euclidean distance" };
    private readonly Option<bool> _normaliseWeights = new("--normalise-weights") { Description = "Divide each unit's weights by their length before they are compared" };
    private readonly Option<string?> _marginals = WordOption.Create("--marginals", "How much units weigh in a transport: uniform (the default), l1 or l2, by their weights", FusionWords.Marginals.Words);
    private readonly Option<double?> _regularisation = NumberOption.Create("--regularisation", $"Of sinkhorn, strength of the entropy as a share of the largest cost [default: {FusionMatch.UsualSinkhorn}]", "a number above 0", x => x > 0 && double.IsFinite(x));
    private readonly Option<string?> _residual = WordOption.Create("--residual", "Maps of residual networks: shared (one for a stream, the default) or upstream (one for each block, as the papers' code)", FusionWords.Residuals.Words);
    private readonly Option<string?> _incoming = WordOption.Create("--incoming", "How incoming weights are scaled where widths differ: row (sums are kept, the default) or column (as the papers' code, which weakens the signal at every widening)", FusionWords.Scales.Words);
    private readonly Option<double?> _lambda = NumberOption.Share("--lambda", "Weight of the reference, whose widths the result has [default: as much as each other]");
    private readonly Option<string?> _merge = new("--merge") { Description = "A merge method with its parameters in place of the weighted mean: slerp:t=0.3; values for each model are in the order of the command line, and a base is the reference", HelpName = "method" };
    private readonly Option<string?> _reference = new("--reference") { Description = "The network whose widths the result has [default: of two the shallower one, of equal depth the one with fewer weights, else the second; of more the deepest, the first of several; with --iterative or merged layers the shallowest]", HelpName = "model" };
    private readonly Option<bool> _iterative = new("--iterative") { Description = "Fuse more than two networks one after the other, in their order, into the reference, which is the shallowest unless --reference names another; otherwise all are brought to the reference at once" };
    private readonly Option<string?> _finetune = new("--finetune") { Description = "Train the fused network by this run description; what the run leaves goes into the folder that it names, else beside the output", HelpName = "run.yml" };
    private readonly Option<string[]> _pins = UnitsCommand.PinOption();
    private readonly Option<string?> _samples = CountOption.OrAll("--samples", "Training samples on which layers and units are looked at, drawn by the seed [default: 200]");
    private readonly Option<int?> _batch = CountOption.Create("--batch", "Samples at a time [default: 100]");
    private readonly Option<string?> _resetSamples = CountOption.OrAll("--reset-samples", "Samples on which statistics are estimated anew [default: 5000]");
    private readonly Option<string[]> _model = new("--model", "-m") { Description = "Architecture of checkpoints that do not say it, once for all, or once for each network in their order: mlp:hidden=400/200/100,bias=false", HelpName = "architecture" };
    private readonly Option<long?> _seed = NumberOption.Whole("--seed", "Draws samples and the order of groups");
    private readonly NetworkOptions _networks = new();

    public static Command Create() => new FuseCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "fuse", "Make one network of several of other depths and widths (CLAFusion, OTFusion): match and balance their layers, transport their units, average or merge them.",
            [
                "amalgam fuse deep.onnx shallow.onnx --data mnist -o fused.onnx",
                "amalgam fuse deep.onnx shallow.onnx --data mnist -o fused.onnx --report fusion.html --finetune run.yml",
                "amalgam fuse runs/vgg13 runs/vgg11 --lambda 0.7 -o fused.safetensors",
                "amalgam fuse deep.onnx shallow.onnx --layers width --ground weights -o fused.onnx    # no data",
                "amalgam fuse a.onnx b.onnx --data mnist --match mudsc --merge slerp:t=0.4 -o ab.onnx",
                "amalgam fuse a.onnx b.onnx c.onnx --data cifar10 --reference a.onnx -o abc.onnx",
            ])
        {
            _models, _output, _balance, _layers, _pinFirst, _pinLast, _match, _ground, _metric, _squared, _normaliseWeights, _marginals, _regularisation, _residual, _incoming, _lambda, _merge, _reference, _iterative,
            _finetune, _pins, _samples, _batch, _resetSamples, _model, _seed,
        };
        _balance.CompletionSources.Add(_ => BalanceMethod.All.Select(m => new CompletionItem(m.Word)));
        _match.CompletionSources.Add(_ => FusionMatch.All.Select(m => new CompletionItem(m.Name)));
        _merge.CompletionSources.Add(_ => MergeMethod.All.Select(m => new CompletionItem(m.Name)));
        foreach (Option option in _networks.All) verb.Options.Add(option);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit limit = _networks.Threads(parse);
        TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
        bool quiet = _networks.IsQuiet(parse), overwrite = _networks.Overwrites(parse);
        string[] paths = parse.GetValue(_models)!;
        string? target = parse.GetValue(_output);
        _networks.CheckFiles(parse, paths, target, parse.GetValue(_finetune));
        FusionDescription how = Describe(parse, paths);
        FusionTuning? tuning = parse.GetValue(_finetune) is not { } run ? null : target is null ? throw new InvalidDataException("--finetune goes on from the fused network in its file: name one with --output") : new(run, target, overwrite);
        NetworkFusion fusion = NetworkFusion.Open(paths, how);
        if (target is not null) fusion.CheckTarget(target, overwrite);
        tuning?.Check(fusion);
        bool measures = _networks.Measures(parse, fusion);

        FusionScores? scores = null;
        using (Progress progress = new(error, quiet))
        {
            fusion.Match(progress, cancel);
            if (target is not null) fusion.CheckForm(target);
            Graph merged = fusion.Merged(cancel);
            if (target is not null) fusion.Save(merged, target, overwrite);
            Graph? tuned = tuning is null ? null : Train(tuning, progress, _networks.IsJson(parse) ? error : output, error, quiet, cancel);
            if (measures) scores = FusionScores.Of(fusion, FusionScores.ResultsOf(fusion, merged, tuned), _networks.TestSamples(parse), (done, all) => progress.Report("measured", done, all), cancel);
        }

        if (_networks.Report(parse) is { } report) FusionPage.Of(fusion, scores).Save(report);
        string[] nothingKept = target is null && !measures && _networks.Report(parse) is null ? ["nothing was written or measured: --output keeps the fused network, --evaluate measures it, --report writes a page"] : [];
        string[] notes = [.. fusion.Notes, .. scores?.Notes ?? [], .. tuning?.Notes ?? [], .. nothingKept];
        if (!quiet) foreach (string note in notes) error.WriteLine($"note: {Printable.Line(note)}");
        if (_networks.IsJson(parse)) FuseText.WriteJson(output, fusion, scores);
        else FuseText.Write(output, fusion, scores, target, tuning?.Folder);
    }

    private static Graph Train(FusionTuning tuning, Progress progress, TextWriter output, TextWriter error, bool quiet, CancellationToken cancel)
    {
        try
        {
            return tuning.Train(progress, epoch =>
            {
                if (!quiet) progress.Write(output, TrainCommand.Line(epoch));
            }, cancel);
        }
        catch (OperationCanceledException) when (tuning.HasBegun && !quiet)
        {
            progress.Write(error, $"the fused network is written; its training was stopped, and amalgam train {Printable.Line(Path.Combine(tuning.Folder, RunFolder.Description))} --resume goes on with it");
            throw;
        }
    }

    private FusionDescription Describe(ParseResult parse, string[] paths)
    {
        FusionDescription usual = new();
        FusionMatch match = FusionDescription.MatchOf(parse.GetValue(_match)!);
        int? samples = CountOption.Read(parse.GetValue(_samples), usual.Transport.Samples), batch = parse.GetValue(_batch);
        long? seed = parse.GetValue(_seed);
        FusionDescription how = usual with
        {
            Balance = FusionDescription.BalanceOf(parse.GetValue(_balance)!),
            Match = match,
            Layers = usual.Layers with
            {
                Measure = parse.GetValue(_layers) is { } measure ? FusionWords.Measures[measure] : usual.Layers.Measure,
                PinnedFirst = parse.GetValue(_pinFirst) ?? usual.Layers.PinnedFirst,
                PinnedLast = parse.GetValue(_pinLast) ?? usual.Layers.PinnedLast,
                Samples = samples ?? int.MaxValue,
                Batch = batch ?? usual.Layers.Batch,
                Seed = seed ?? usual.Layers.Seed,
            },
            Transport = usual.Transport with
            {
                Space = parse.GetValue(_ground) is { } ground ? FusionWords.Grounds[ground] : usual.Transport.Space,
                Metric = parse.GetValue(_metric) is { } metric ? FusionWords.Metrics[metric] : usual.Transport.Metric,
                Squared = parse.GetValue(_squared),
                NormaliseWeights = parse.GetValue(_normaliseWeights),
                Marginals = parse.GetValue(_marginals) is { } marginals ? FusionWords.Marginals[marginals] : usual.Transport.Marginals,
                Sinkhorn = match.IsSinkhorn ? parse.GetValue(_regularisation) ?? FusionMatch.UsualSinkhorn : null,
                Residual = parse.GetValue(_residual) is { } residual ? FusionWords.Residuals[residual] : usual.Transport.Residual,
                Incoming = parse.GetValue(_incoming) is { } incoming ? FusionWords.Scales[incoming] : usual.Transport.Incoming,
                Samples = samples,
                Batch = batch ?? usual.Transport.Batch,
                Seed = seed ?? usual.Transport.Seed,
            },
            Pins = UnitsCommand.PinsOf(parse.GetValue(_pins)),
            Lambda = parse.GetValue(_lambda),
            Merge = parse.GetValue(_merge),
            Reference = parse.GetValue(_reference),
            Iterative = parse.GetValue(_iterative),
            Reset = parse.GetValue(_networks.Reset) is { } reset ? AlignmentDescription.Resets[reset] : usual.Reset,
            ResetSamples = CountOption.Read(parse.GetValue(_resetSamples), usual.ResetSamples),
            Data = _networks.Data(parse, paths),
            DataNote = _networks.DataNote(parse, paths),
            Models = [.. (parse.GetValue(_model) ?? []).Select(ModelDescription.Parse)],
            Tasks = _networks.TasksOf(parse),
            ClassVectors = parse.GetValue(_networks.Vectors),
        };
        CheckEffect(parse, how);
        if (how.Iterative && paths.Length == 2) throw new InvalidDataException("--iterative is about more than two networks, and there are two");
        return how;
    }

    /// <summary>Refuses settings that were asked for and change nothing beside the others.</summary>
    private void CheckEffect(ParseResult parse, FusionDescription how)
    {
        (string Key, Option Of)[] settings =
        [
            ("ground", _ground), ("metric", _metric), ("squared", _squared), ("normalise_weights", _normaliseWeights), ("marginals", _marginals), ("regularisation", _regularisation), ("residual", _residual),
            ("incoming", _incoming), ("reset_samples", _resetSamples), ("tasks", _networks.Tasks), ("class_vectors", _networks.Vectors),
        ];
        foreach (var (key, option) in settings.Where(s => parse.GetResult(s.Of) is { Implicit: false }))
        {
            if (how.WhyIdle(key) is { } why) throw new InvalidDataException($"{option.Name} {why}");
        }

        _networks.CheckMeasuring(parse);
    }
}
