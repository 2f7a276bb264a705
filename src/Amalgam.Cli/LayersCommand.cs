using System.CommandLine;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam layers</c>: the layers of a network, or which layer of one belongs to which of another.</summary>
internal sealed class LayersCommand
{
    private const int Some = 2;

    private readonly Argument<string[]> _models = new("models") { Description = "One network or two: .onnx files, checkpoints, folders of runs or of Hugging Face, or architectures of the Zoo", Arity = new(1, 2) };
    private readonly Option<string?> _measure = WordOption.Create("--measure", "What makes layers alike: cka (what they compute, the default), wasserstein (the same, unit by unit) or width (no data)", FusionWords.Measures.Words);
    private readonly Option<int?> _pinFirst = CountOption.FromZero("--pin-first", "So many first layers of each group belong to the first ones of the deeper network [default: 1]");
    private readonly Option<int?> _pinLast = CountOption.FromZero("--pin-last", "So many last layers of each group belong to the last ones [default: 1]");
    private readonly DataOptions _data = new();
    private readonly Option<string?> _samples = CountOption.OrAll("--samples", "Training samples on which layers are looked at, drawn by the seed [default: 200]");
    private readonly Option<int?> _batch = CountOption.Create("--batch", "Samples at a time [default: 100]");
    private readonly Option<string[]> _model = new("--model", "-m") { Description = "Architecture of checkpoints that do not say it, once for both, or once for each network in their order: mlp:hidden=400/200/100,bias=false", HelpName = "architecture" };
    private readonly Option<long> _seed = new("--seed") { Description = "Draws samples" };
    private readonly Option<string?> _report = new("--report") { Description = "Write a page with a picture of the mapping to this .html file", HelpName = "file" };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace the page" };
    private readonly Option<int?> _threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress" };

    public static Command Create() => new LayersCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "layers", "Show the layers of a network, which are found from its operations, or which layers of two networks of other depth belong together (CLAFusion's cross-layer alignment).",
            [
                "amalgam layers deep.onnx",
                "amalgam layers deep.onnx shallow.onnx --data mnist",
                "amalgam layers runs/resnet34 runs/resnet18 --report layers.html",
                "amalgam layers vgg13 vgg11 --measure width      # architectures, no data",
                "amalgam layers a.safetensors b.safetensors -m mlp:hidden=400/200/100/50 -m mlp:hidden=400/200 --data mnist --pin-last 0",
            ])
        {
            _models, _measure, _pinFirst, _pinLast, _samples, _batch, _model, _seed, _report, _overwrite, _threads, _json, _quiet,
        };
        foreach (Option option in _data.All) verb.Options.Add(option);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit limit = Cores.Limit(parse.GetValue(_threads) ?? Environment.ProcessorCount);
        TextWriter output = parse.InvocationConfiguration.Output;
        string[] paths = parse.GetValue(_models)!, architectures = parse.GetValue(_model) ?? [];
        string? report = parse.GetValue(_report);
        if (architectures.Length > 1 && architectures.Length != paths.Length) throw new InvalidDataException($"there are {architectures.Length} architectures for {paths.Length} networks; name one for all, or one for each in their order");
        if (report is not null && paths.Length == 1) throw new InvalidDataException("--report draws which layers of two networks belong together: name two networks");
        if (report is not null && !report.EndsWith(".html", StringComparison.OrdinalIgnoreCase)) throw new InvalidDataException($"--report: {report} is to be a page, name it .html");
        if (report is not null) OutputFile.Check("--report", report, [.. paths, .. new[] { _data.FileOf(parse) }.OfType<string>()], parse.GetValue(_overwrite));

        CheckEffects(parse, paths.Length == 1);
        Dataset? data = OpenData(parse, paths);
        string[] names = [.. NamesOf(paths)];
        NetworkLayers[] networks = [.. paths.Select((path, i) => Open(path, architectures.Length == 0 ? null : architectures[architectures.Length == 1 ? 0 : i], data, names[i]))];
        if (networks is [var only])
        {
            if (parse.GetValue(_json)) LayersJson.Write(output, paths[0], only);
            else LayersText.Write(output, paths[0], only);
            return;
        }

        LayerOptions options = Options(parse, data);
        LayerMapping mapping;
        using (Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(_quiet))) mapping = LayerAlignment.Run(networks[0], networks[1], options, data, progress, cancel);
        int? samples = options.Measure == LayerMeasure.Width ? null : Math.Min(options.Samples, data!.Count);
        string? on = samples is null ? null : $"{samples:N0} {(samples == 1 ? "sample" : "samples")} of {data!.Name}";
        if (report is not null) LayersPage.Of(mapping, names[0], names[1], options.Measure, on).Save(report);
        if (parse.GetValue(_json)) LayersJson.Write(output, paths, mapping, options, samples, data?.Name);
        else LayersText.Write(output, names, mapping, options.Measure, on);
    }

    /// <summary>Refuses what would be read and not be used.</summary>
    private void CheckEffects(ParseResult parse, bool isSingle)
    {
        bool byWidth = parse.GetValue(_measure) == FusionWords.Measures.Of(LayerMeasure.Width);
        Option[] unused = isSingle ? [_measure, _pinFirst, _pinLast, _samples, _batch, _seed] : byWidth ? [_samples, _batch, _seed, .. _data.All] : [];
        if (unused.FirstOrDefault(option => parse.GetResult(option) is { Implicit: false }) is not { } given) return;
        throw new InvalidDataException($"{given.Name} has no effect {(isSingle ? "on one network: name two, to see which layers belong together" : "with --measure width, which compares the widths of layers and looks at no data")}");
    }

    private LayerOptions Options(ParseResult parse, Dataset? data)
    {
        LayerOptions usual = new();
        LayerMeasure measure = parse.GetValue(_measure) is { } word ? FusionWords.Measures[word] : usual.Measure;
        if (measure != LayerMeasure.Width && data is null) throw new InvalidDataException("layers are compared by what they compute: name data like that which the networks were trained on, --data mnist, or compare their widths alone, --measure width");
        return usual with
        {
            Measure = measure,
            PinnedFirst = parse.GetValue(_pinFirst) ?? usual.PinnedFirst,
            PinnedLast = parse.GetValue(_pinLast) ?? usual.PinnedLast,
            Samples = CountOption.Read(parse.GetValue(_samples), usual.Samples) ?? int.MaxValue,
            Batch = parse.GetValue(_batch) ?? usual.Batch,
            Seed = parse.GetValue(_seed),
        };
    }

    /// <summary>The training samples; null where nothing names them, or two networks are compared by their widths.</summary>
    private Dataset? OpenData(ParseResult parse, string[] paths)
    {
        bool isNeeded = paths.Length == 1 || parse.GetValue(_measure) != FusionWords.Measures.Of(LayerMeasure.Width);
        return isNeeded && _data.Find(parse, paths, paths.Select(RunFolder.Find).FirstOrDefault(run => run is not null)) is { } description ? RunData.OpenTrain(description) : null;
    }

    private static NetworkLayers Open(string path, string? architecture, Dataset? data, string name)
    {
        Graph graph = ArchitectureOption.Load(path, architecture, Some, data);
        try
        {
            return NetworkLayers.Of(Rewrite.Simplify(graph).Graph, name);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The names of files and folders, and what else was written; where those are the same, the whole paths.</summary>
    private static IEnumerable<string> NamesOf(string[] paths)
    {
        string[] names = [.. paths.Select(path => Path.Exists(path) ? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(path)) : path)];
        return names.Distinct().Count() == names.Length ? names : paths;
    }
}
