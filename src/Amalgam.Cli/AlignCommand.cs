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
    private readonly Argument<string[]> _models = new("models") { Description = "Trained networks of one architecture, two or more: checkpoints, folders of runs, .onnx files, folders of Hugging Face; the first one's order is everyone's", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _output = new("--output", "-o") { Description = "Where the aligned (or merged) network goes: a file that ends in .safetensors, .onnx, .npz or .pt, or a folder; of more than two aligned networks a folder" };
    private readonly Option<bool> _merge = new("--merge") { Description = "Write the mean of all networks, with statistics reset, in place of the aligned ones" };
    private readonly Option<bool> _zip = new("--zip") { Description = "Merge units of all networks greedily, several of one network too; implies --merge" };
    private readonly Option<string?> _cut = new("--cut") { Description = "Merge up to this value of the network and keep a head of each network after it; writes an .onnx file with an output for each", HelpName = "name" };
    private readonly Option<string> _method = new("--method") { Description = $"How units are matched: {string.Join(", ", AlignmentMethod.All.Select(m => m.Name))}", DefaultValueFactory = _ => AlignmentMethod.All[0].Name };
    private readonly Option<string?> _alpha = new("--alpha") { Description = $"Of mudsc, the share of the weights' similarity, 0 to 1 [default: 0.5]; or {AlignmentDescription.Search}, which tries 0.1 to 0.9 on the data", HelpName = "number" };
    private readonly Option<double?> _zipAlpha = NumberOption.Share("--zip-alpha", "Of a zip, the factor by which similarities of merged units shrink [default: 0.5]");
    private readonly Option<double?> _zipBeta = NumberOption.Share("--zip-beta", "Of a zip, the share of a network's units that may be merged within it [default: 1]");
    private readonly Option<string?> _similarity = WordOption.Create("--similarity", "What makes activations alike: pearson (the default), inner or cosine", "pearson", "inner", "cosine");
    private readonly Option<string?> _weightSimilarity = WordOption.Create("--weight-similarity", "What makes weights alike: pearson (the default), inner or cosine", "pearson", "inner", "cosine");
    private readonly Option<bool> _standardise = new("--standardise") { Description = "Standardise each tensor's rows before weights are compared" };
    private readonly Option<string[]> _pins = UnitsCommand.PinOption();
    private readonly Option<string?> _permutations = new("--permutations") { Description = "Write where the units went to this file: JSON, or .npz", HelpName = "file" };
    private readonly Option<string?> _apply = new("--apply") { Description = "Take where the units go from this file, which --permutations wrote, and do not match", HelpName = "file" };
    private readonly Option<string?> _samples = CountOption.OrAll("--samples", "Training samples that are looked at, drawn by the seed [default: 5000]");
    private readonly Option<int?> _batch = CountOption.Create("--batch", "Samples at a time [default: 500]");
    private readonly Option<string?> _positions = CountOption.OrAll("--positions", "Most positions of an image or a text that are looked at in each sample [default: 256]");
    private readonly Option<int?> _starts = CountOption.Create("--starts", "Of rebasin, how many orders of units to start from, the first as they are; the best end is taken [default: 1]");
    private readonly Option<int?> _epochs = CountOption.Create("--epochs", "Of ste, passes over the samples [default: 20]");
    private readonly Option<bool> _noResetParents = new("--no-reset-parents") { Description = "Look at activations with the statistics of normalisations that the networks came with; otherwise copies have theirs estimated anew on the data first" };
    private readonly NetworkOptions _networks = new();
    private readonly Option<string?> _model = ArchitectureOption.Create();
    private readonly Option<long> _seed = new("--seed") { Description = "Draws samples and the order of groups" };

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
            _models, _output, _merge, _zip, _cut, _method, _alpha, _zipAlpha, _zipBeta, _similarity, _weightSimilarity, _standardise, _pins, _permutations, _apply, _samples, _batch, _positions, _starts, _epochs,
            _noResetParents, _model, _seed,
        };
        _method.CompletionSources.Add(_ => AlignmentMethod.All.Select(m => new System.CommandLine.Completions.CompletionItem(m.Name)));
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
        CheckFiles(parse, paths, overwrite);
        NetworkAlignment alignment = NetworkAlignment.Open(paths, Describe(parse, paths), cancel);
        string? target = parse.GetValue(_output), cut = parse.GetValue(_cut);
        bool merges = parse.GetValue(_merge) || alignment.WillMoveFirst;
        if (target is not null) CheckTarget(alignment, target, merges || cut is not null, overwrite);
        bool measures = _networks.Measures(parse, alignment);
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
                scores = AlignmentScores.Of(alignment, results, _networks.TestSamples(parse), (done, all) => progress.Report("measured", done, all), cancel);
            }
        }

        if (_networks.Report(parse) is { } report) AlignmentPage.Of(alignment, scores, merges).Save(report);
        if (!quiet) foreach (string note in alignment.Notes) error.WriteLine($"note: {Printable.Line(note)}");
        if (_networks.IsJson(parse)) AlignText.WriteJson(output, alignment, scores);
        else AlignText.Write(output, alignment, scores, target, merges);
    }

    /// <summary>Refuses names of files, before anything is opened, that would take the place of others.</summary>
    private void CheckFiles(ParseResult parse, string[] paths, bool overwrite)
    {
        string? permutations = parse.GetValue(_permutations), target = parse.GetValue(_output);
        if (permutations is not null) PermutationFile.CheckName(permutations);
        string[] read = _networks.CheckFiles(parse, paths, target, parse.GetValue(_apply));
        if (permutations is not null) OutputFile.Check("--permutations", permutations, target is null ? read : [.. read, target], overwrite);
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
            Reset = parse.GetValue(_networks.Reset) is { } reset ? AlignmentDescription.Resets[reset] : options.Reset,
            ResetParents = !parse.GetValue(_noResetParents),
        };
        how = how with
        {
            Options = options,
            Pins = UnitsCommand.PinsOf(parse.GetValue(_pins)),
            SearchesAlpha = search,
            Data = _networks.Data(parse, paths),
            Model = ArchitectureOption.Of(parse.GetValue(_model)),
            Permutations = parse.GetValue(_apply),
            Tasks = _networks.TasksOf(parse),
            ClassVectors = parse.GetValue(_networks.Vectors),
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
            ("starts", _starts), ("epochs", _epochs), ("reset_parents", _noResetParents), ("tasks", _networks.Tasks), ("class_vectors", _networks.Vectors),
        ];
        return settings.Where(s => parse.GetResult(s.Of) is { Implicit: false }).Select(s => (s.Key, s.Of.Name));
    }
}
