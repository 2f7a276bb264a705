using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam align</c>: brings networks that were trained apart into one order of units, and merges them so.</summary>
internal sealed class AlignCommand
{
    internal const int UsualTestSamples = 2000;

    private readonly Argument<string[]> _models = new("models") { Description = "Trained networks of one architecture, two or more: checkpoints, folders of runs, .onnx files, folders of Hugging Face; the first one's order is everyone's", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Where the aligned (or merged) network goes: a file that ends in .safetensors, .onnx, .npz or .pt, or a folder; of more than two aligned networks a folder" };
    private readonly Option<bool> _merge = new("--merge") { Description = "Write the mean of all networks, with statistics reset, in place of the aligned ones" };
    private readonly Option<bool> _zip = new("--zip") { Description = "Merge units of all networks greedily, several of one network too; implies --merge" };
    private readonly Option<string?> _cut = new("--cut") { Description = "Merge up to this value of the network and keep a head of each network after it; writes an .onnx file with an output for each", HelpName = "name" };
    private readonly Option<string> _method = new("--method") { Description = $"How units are matched: {string.Join(", ", AlignmentMethod.All.Select(m => m.Name))}", DefaultValueFactory = _ => AlignmentMethod.All[0].Name };
    private readonly Option<string?> _alpha = new("--alpha") { Description = $"Of mudsc, the share of the weights' similarity, 0 to 1 [default: 0.5]; or {AlignmentDescription.Search}, which tries 0.1 to 0.9 on the data", HelpName = "number" };
    private readonly Option<double?> _zipAlpha = Share("--zip-alpha", "Of a zip, the factor by which similarities of merged units shrink [default: 0.5]");
    private readonly Option<double?> _zipBeta = Share("--zip-beta", "Of a zip, the share of a network's units that may be merged within it [default: 1]");
    private readonly Option<string?> _similarity = Word("--similarity", "What makes activations alike: pearson (the default), inner or cosine", "pearson", "inner", "cosine");
    private readonly Option<string?> _weightSimilarity = Word("--weight-similarity", "What makes weights alike: pearson (the default), inner or cosine", "pearson", "inner", "cosine");
    private readonly Option<bool> _standardise = new("--standardise") { Description = "Standardise each tensor's rows before weights are compared" };
    private readonly Option<string[]> _pins = UnitsCommand.PinOption();
    private readonly Option<string?> _permutations = new("--permutations") { Description = "Write where the units went to this file: JSON, or .npz", HelpName = "file" };
    private readonly Option<string?> _apply = new("--apply") { Description = "Take where the units go from this file, which --permutations wrote, and do not match", HelpName = "file" };
    private readonly Option<string?> _report = new("--report") { Description = "Write a page about the match to this .html file", HelpName = "file" };
    private readonly Option<bool> _evaluate = new("--evaluate") { Description = "Measure the networks, their average and what they merge into on test data; --report does so where the data has labels" };
    private readonly Option<int?> _testSamples = CountOption.Create("--test-samples", $"Samples to measure on [default: {UsualTestSamples}]");
    private readonly Option<string?> _tasks = new("--tasks") { Description = "Groups of classes, each also measured among itself: 0,1,2,6,9/3,4,5,7,8; alpha is chosen by their mean", HelpName = "groups" };
    private readonly Option<string?> _vectors = new("--class-vectors") { Description = "For networks that give embeddings: a checkpoint with a vector for each class", HelpName = "checkpoint" };
    private readonly DataOptions _data = new();
    private readonly Option<string?> _samples = CountOption.OrAll("--samples", "Training samples that are looked at, drawn by the seed [default: 5000]");
    private readonly Option<int?> _batch = CountOption.Create("--batch", "Samples at a time [default: 500]");
    private readonly Option<string?> _positions = CountOption.OrAll("--positions", "Most positions of an image or a text that are looked at in each sample [default: 256]");
    private readonly Option<int?> _starts = CountOption.Create("--starts", "Of rebasin, how many orders of units to start from, the first as they are; the best end is taken [default: 1]");
    private readonly Option<int?> _epochs = CountOption.Create("--epochs", "Of ste, passes over the samples [default: 20]");
    private readonly Option<string?> _reset = Word("--reset", "Statistics of the merged network: auto (the default), none, batchnorm (estimate them anew) or repair", "auto", "none", "batchnorm", "repair");
    private readonly Option<bool> _noResetParents = new("--no-reset-parents") { Description = "Look at activations with the statistics of normalisations that the networks came with; otherwise copies have theirs estimated anew on the data first" };
    private readonly Option<string?> _model = ArchitectureOption.Create();
    private readonly Option<long> _seed = new("--seed") { Description = "Draws samples and the order of groups" };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what is at the output" };
    private readonly Option<int?> _threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress and no notes" };

    public static Command Create() => new AlignCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "align", "Find which units of networks that were trained apart do the same (Git Re-Basin, ZipIt!, MuDSC), and write them in one order, or merged. The units are found from the network's operations.",
            [
                "amalgam align a.onnx b.onnx --data mnist -o b-aligned.onnx",
                "amalgam align a.onnx b.onnx --data mnist --merge -o ab.onnx --report match.html",
                "amalgam align a b --method zipit --data cifar10 --merge -o ab    # folders of runs",
                "amalgam align a.onnx b.onnx --method weights -o b-aligned.onnx --permutations b.npz",
                "amalgam align a.safetensors b.safetensors -m mlp:bias=false --data mnist --zip --alpha search -o ab.safetensors",
            ])
        {
            _models, _output, _merge, _zip, _cut, _method, _alpha, _zipAlpha, _zipBeta, _similarity, _weightSimilarity, _standardise, _pins, _permutations, _apply, _report, _evaluate, _testSamples, _tasks, _vectors,
            _samples, _batch, _positions, _starts, _epochs, _reset, _noResetParents, _model, _seed, _overwrite, _threads, _json, _quiet,
        };
        _method.CompletionSources.Add(_ => AlignmentMethod.All.Select(m => new System.CommandLine.Completions.CompletionItem(m.Name)));
        foreach (Option option in _data.All) verb.Options.Add(option);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit limit = Cores.Limit(parse.GetValue(_threads) ?? Environment.ProcessorCount);
        TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
        bool quiet = parse.GetValue(_quiet), overwrite = parse.GetValue(_overwrite);
        string[] paths = parse.GetValue(_models)!;
        CheckFiles(parse, paths, overwrite);
        NetworkAlignment alignment = NetworkAlignment.Open(paths, Describe(parse, paths), cancel);
        string? target = parse.GetValue(_output), cut = parse.GetValue(_cut);
        bool merges = parse.GetValue(_merge) || alignment.WillMoveFirst, evaluates = parse.GetValue(_evaluate);
        if (target is not null) CheckTarget(alignment, target, merges || cut is not null, overwrite);
        bool measures = (evaluates || parse.GetValue(_report) is not null) && alignment.CanMeasure;
        if (evaluates && !measures) throw new InvalidDataException("--evaluate needs --data with labels");
        if (cut is not null) _ = PartialZip.Cut(alignment.Siblings.Groups, cut);
        if (cut is not null && target is not null && !ModelDescription.IsOnnxFile(target)) throw new InvalidDataException($"{target}: a network with several heads is of no architecture that weights alone could be of: name an .onnx file");

        AlignmentScores? scores = null;
        using (Progress progress = new(error, quiet))
        {
            alignment.Match(progress, cancel);
            merges |= alignment.MovesFirst || cut is not null;
            Graph? merged = cut is not null ? alignment.MergedUpTo(cut, cancel) : merges ? alignment.Merged(cancel) : null;
            if (target is not null) Write(alignment, merged, target, cut is not null, overwrite, cancel);
            if (parse.GetValue(_permutations) is { } file) PermutationFile.Write(alignment.Result.Maps, alignment.Names, file);
            if (measures)
            {
                IReadOnlyList<Contestant> results = merged is null ? [] : AlignmentScores.ResultsOf(alignment, merged, cut);
                scores = AlignmentScores.Of(alignment, results, parse.GetValue(_testSamples) ?? UsualTestSamples, (done, all) => progress.Report("measured", done, all), cancel);
            }
        }

        if (parse.GetValue(_report) is { } report) AlignmentPage.Of(alignment, scores, merges).Save(report);
        if (!quiet) foreach (string note in alignment.Notes) error.WriteLine($"note: {Printable.Line(note)}");
        if (parse.GetValue(_json)) AlignText.WriteJson(output, alignment, scores);
        else AlignText.Write(output, alignment, scores, target, merges);
    }

    /// <summary>Refuses names of files, before anything is opened, that would take the place of others.</summary>
    private void CheckFiles(ParseResult parse, string[] paths, bool overwrite)
    {
        string? report = parse.GetValue(_report), permutations = parse.GetValue(_permutations), target = parse.GetValue(_output);
        if (report is not null && !report.EndsWith(".html", StringComparison.OrdinalIgnoreCase)) throw new InvalidDataException($"--report: {report} is to be a page, name it .html");
        if (permutations is not null) PermutationFile.CheckName(permutations);
        string[] beside = [.. new[] { parse.GetValue(_apply), parse.GetValue(_vectors), _data.FileOf(parse) }.OfType<string>()], read = [.. paths, .. beside];
        if (permutations is not null) OutputFile.Check("--permutations", permutations, target is null ? read : [.. read, target], overwrite);
        if (report is not null) OutputFile.Check("--report", report, read, overwrite);
        if (target is null) return;
        OutputFile.CheckApart("--output", target, beside);
        OutputFile.CheckPlace(target);
    }

    /// <summary>Refuses, before any match, a target that what would be written does not fit.</summary>
    private static void CheckTarget(NetworkAlignment alignment, string target, bool isOne, bool overwrite)
    {
        alignment.CheckTarget(target, overwrite);
        string ending = Path.GetExtension(target);
        bool isFile = !CheckpointOutput.IsFolder(target);
        if (isFile && !isOne && alignment.Siblings.Count > 2) throw new InvalidDataException($"{target} is one file, and {alignment.Siblings.Count - 1} networks are aligned: name a folder, or write their mean with --merge");
        if (!isFile && ending.Length > 1 && !char.IsAsciiDigit(ending[1]) && !Directory.Exists(target)) throw new InvalidDataException($"{target}: '{ending}' is no ending of a checkpoint; there are .safetensors, .onnx, .npz and .pt, and a folder's name has none");
    }

    private static void Write(NetworkAlignment alignment, Graph? merged, string target, bool hasHeads, bool overwrite, CancellationToken cancel)
    {
        if (merged is not null)
        {
            if (hasHeads) OnnxModel.Write(merged, target, new("batch", Overwrite: overwrite));
            else alignment.Save(merged, 0, target, overwrite);
            return;
        }

        if (alignment.Siblings.Count == 2)
        {
            alignment.Save(alignment.Moved(1), 1, target, overwrite);
            return;
        }

        Directory.CreateDirectory(target);
        foreach (var (name, i) in alignment.FileNames().Select((name, i) => (name, i)))
        {
            cancel.ThrowIfCancellationRequested();
            alignment.Save(alignment.Moved(i + 1), i + 1, Path.Combine(target, name), overwrite);
        }
    }

    private AlignmentDescription Describe(ParseResult parse, string[] paths)
    {
        AlignmentDescription how = new(AlignmentDescription.MethodOf(parse.GetValue(_method)!));
        string? alpha = parse.GetValue(_alpha);
        bool search = alpha == AlignmentDescription.Search;
        AlignmentOptions options = how.Options;
        options = options with
        {
            Matching = parse.GetValue(_zip) ? UnitMatching.Zip : options.Matching,
            Alpha = alpha is null || search ? options.Alpha : double.TryParse(alpha, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is >= 0 and <= 1 ? share : throw new InvalidDataException($"--alpha must be a number from 0 to 1, or {AlignmentDescription.Search}, got '{alpha}'"),
            ZipAlpha = parse.GetValue(_zipAlpha) ?? options.ZipAlpha,
            ZipBeta = parse.GetValue(_zipBeta) ?? options.ZipBeta,
            ActivationMeasure = parse.GetValue(_similarity) is { } similarity ? AlignmentDescription.MeasureOf(similarity) : options.ActivationMeasure,
            WeightMeasure = parse.GetValue(_weightSimilarity) is { } ofWeights ? AlignmentDescription.MeasureOf(ofWeights) : options.WeightMeasure,
            StandardiseTensors = parse.GetValue(_standardise),
            Starts = parse.GetValue(_starts) ?? options.Starts,
            Seed = parse.GetValue(_seed),
            Samples = CountOption.Read(parse.GetValue(_samples), options.Samples),
            Batch = parse.GetValue(_batch) ?? options.Batch,
            Positions = CountOption.Read(parse.GetValue(_positions), options.Positions),
            Reset = parse.GetValue(_reset) is { } reset ? AlignmentDescription.ResetOf(reset) : options.Reset,
            ResetParents = !parse.GetValue(_noResetParents),
        };
        how = how with
        {
            Options = options,
            Pins = UnitsCommand.PinsOf(parse.GetValue(_pins)),
            SearchesAlpha = search,
            Data = _data.Find(parse, paths, paths.Select(RunFolder.Find).FirstOrDefault(run => run is not null)),
            Model = ArchitectureOption.Of(parse.GetValue(_model)),
            Permutations = parse.GetValue(_apply),
            Tasks = [.. EvalCommand.Tasks(parse.GetValue(_tasks)).Select(task => task.ToImmutableArray())],
            ClassVectors = parse.GetValue(_vectors),
            Epochs = parse.GetValue(_epochs) ?? how.Epochs,
        };
        how.CheckEffect(Given(parse));
        return how;
    }

    /// <summary>The settings that were asked for, by their names in recipes, and their options.</summary>
    private IEnumerable<(string Key, string Name)> Given(ParseResult parse)
    {
        (string Key, Option Of)[] settings =
        [
            ("method", _method), ("matching", _zip), ("alpha", _alpha), ("zip_alpha", _zipAlpha), ("zip_beta", _zipBeta), ("similarity", _similarity), ("weight_similarity", _weightSimilarity), ("standardise", _standardise),
            ("starts", _starts), ("epochs", _epochs), ("reset_parents", _noResetParents), ("tasks", _tasks), ("class_vectors", _vectors),
        ];
        return settings.Where(s => parse.GetResult(s.Of) is { Implicit: false }).Select(s => (s.Key, s.Of.Name));
    }

    private static Option<double?> Share(string name, string description)
    {
        Option<double?> option = new(name) { Description = description, HelpName = "number" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is >= 0 and <= 1)) result.AddError($"{name} must be a number from 0 to 1");
        });
        return option;
    }

    private static Option<string?> Word(string name, string description, params string[] words)
    {
        Option<string?> option = new(name) { Description = description };
        option.AcceptOnlyFromAmong(words);
        return option;
    }
}
