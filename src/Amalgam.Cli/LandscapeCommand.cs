using System.Collections.Immutable;
using System.CommandLine;
using System.Numerics.Tensors;
using System.Text.Json;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Report;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam landscape</c>: the loss on the plane through networks.</summary>
internal sealed class LandscapeCommand
{
    private const int UsualGrid = 21, UsualSamples = 1000;
    private static readonly double[] Steps = [-1, 0, 1];
    private static readonly float[] Mixes = [0.25f, 0.5f, 0.75f];

    private readonly Argument<string[]> _models = new("models") { Description = "Three networks or more of one architecture, such as two parents and what they were merged into: .onnx files, checkpoints, or folders of runs", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _output = new("--output", "-o") { Description = "A page (.html), or the losses (.json)", Required = true, HelpName = "file" };
    private readonly DataOptions _data = new();
    private readonly Option<string?> _model = ArchitectureOption.Create();
    private readonly Option<string?> _vectors = new("--class-vectors") { Description = "For networks that give embeddings: a checkpoint with a vector for each class", HelpName = "checkpoint" };
    private readonly Option<string?> _tasks = new("--tasks") { Description = "Groups of classes that are told apart among themselves, each with a loss of its own: 0,1,2,6,9/3,4,5,7,8", HelpName = "groups" };
    private readonly Option<int?> _limit = CountOption.Create("--limit", $"Test samples, from the first on [default: {UsualSamples}]");
    private readonly Option<int?> _grid = CountOption.Create("--grid", $"Points along each axis [default: {UsualGrid}]");
    private readonly Option<double> _margin = new("--margin") { Description = "How far the picture goes beyond the networks, as a share of their extent", DefaultValueFactory = _ => 0.3 };
    private readonly Option<bool> _near = new("--near") { Description = "Also as MuDSC's authors drew it: the losses of the networks, of others between every two, and of their surroundings, each at its place in the plane" };
    private readonly Option<int?> _reset = CountOption.Create("--reset", "Estimate the statistics of batch normalisations at every point anew, on so many training samples");
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace what is at the output" };
    private readonly Option<int?> _threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress and no notes" };

    public static Command Create() => new LandscapeCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "landscape", "Draw the loss on the plane that lies nearest to networks: the first two principal components of their weights. Bring their units into one order before (amalgam align).",
            [
                "amalgam landscape a.onnx b-aligned.onnx merged.onnx --data mnist -o landscape.html",
                "amalgam landscape a b merged.safetensors --near --grid 31 -o landscape.html   # folders of runs",
                "amalgam landscape a.onnx b.onnx ab.onnx --data cifar10 --reset 1000 -o landscape.json",
            ])
        {
            _models, _output, _model, _vectors, _tasks, _limit, _grid, _margin, _near, _reset, _overwrite, _threads, _quiet,
        };
        foreach (Option option in _data.All) verb.Options.Add(option);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        using CoreLimit cores = Cores.Limit(parse.GetValue(_threads) ?? Environment.ProcessorCount);
        string[] paths = parse.GetValue(_models)!;
        string target = parse.GetValue(_output)!;
        bool isPage = target.EndsWith(".html", StringComparison.OrdinalIgnoreCase);
        if (!isPage && !target.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) throw new InvalidDataException($"--output: {target} is to be a page, name it .html, or a file of losses, name it .json");
        OutputFile.Check("--output", target, [.. paths, .. new[] { parse.GetValue(_vectors), _data.FileOf(parse) }.OfType<string>()], parse.GetValue(_overwrite));
        int grid = Math.Max(2, parse.GetValue(_grid) ?? UsualGrid);
        if (parse.GetValue(_margin) is not (>= 0 and <= 10) and var margin) throw new InvalidDataException($"--margin takes a share from 0 to 10, got {Printable.Number(margin)}");

        string[] names = [.. paths.Select(path => Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(path)))];
        Graph[] networks = [.. paths.Select(path => ArchitectureOption.Load(path, parse.GetValue(_model), 2))];
        Siblings models = new(UnitGroups.Of(networks[0]), networks.Select(Siblings.WeightsOf), names);
        LossOf loss = Loss(parse, models, paths, out ImmutableArray<string> tasks);
        WeightPlane plane = WeightPlane.Of(models.Weights, name => networks[0].Parameters[name].Trainable);
        ImmutableArray<double> x = Landscape.Around(plane.Places.Select(p => p.X), grid, parse.GetValue(_margin)), y = Landscape.Around(plane.Places.Select(p => p.Y), grid, parse.GetValue(_margin));
        ImmutableArray<LandscapePoint> on, near = [];
        using (Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(_quiet)))
        {
            IReadOnlyDictionary<string, Tensor>[] sampled = parse.GetValue(_near) ? [.. models.Weights, .. Between(models.Weights)] : [];
            int all = grid * grid + sampled.Length * Steps.Length * Steps.Length;
            on = Landscape.On(plane, x, y, weights => loss(weights, cancel), new Points(done => progress.Report("evaluated", done, all)), cancel);
            if (sampled.Length > 0) near = Landscape.Near(plane, sampled, Steps, weights => loss(weights, cancel), new Points(done => progress.Report("evaluated", grid * grid + done, all)), cancel);
        }

        LandscapeMark[] marks = [.. plane.Places.Select((place, i) => new LandscapeMark(place.X, place.Y, names[i], i == models.Count - 1))];
        if (isPage) new HtmlReport("Loss landscape", LandscapeParts.Of(plane, x, y, on, near, marks, tasks)) { Origin = $"amalgam landscape {string.Join(' ', paths.Select(Printable.Line))}" }.Save(target);
        else Write(target, plane, names, tasks, on, near);
        if (!parse.GetValue(_quiet)) Say(parse, models, plane, on, target);
    }

    /// <summary>Networks on the lines between every two: where nothing is sampled, a picture would show nothing of a barrier.</summary>
    private static IEnumerable<IReadOnlyDictionary<string, Tensor>> Between(ImmutableArray<IReadOnlyDictionary<string, Tensor>> networks)
    {
        for (int i = 0; i < networks.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                foreach (float share in Mixes) yield return networks[i].ToDictionary(w => w.Key, w => Mix(w.Value, networks[j][w.Key], share));
            }
        }
    }

    private static Tensor Mix(Tensor a, Tensor b, float share)
    {
        Tensor mixed = new(a.Shape);
        TensorPrimitives.Lerp(a.Span, b.Span, share, mixed.Span);
        return mixed;
    }

    private delegate ImmutableArray<double> LossOf(IReadOnlyDictionary<string, Tensor> weights, CancellationToken cancel);

    private LossOf Loss(ParseResult parse, Siblings models, string[] paths, out ImmutableArray<string> names)
    {
        RunDescription? run = RunFolder.Find(paths[0]);
        DataDescription description = _data.Describe(parse, paths, run);
        Dataset test = Subset.First(RunData.OpenTest(description), parse.GetValue(_limit) ?? UsualSamples);
        if (test.Labels.IsEmpty) throw new InvalidDataException($"{test.Name} has no classes, and the loss is the cross-entropy of classes");
        Tensor? vectors = parse.GetValue(_vectors) is { } path ? ClassVectors.Read(path, description.Classes) : run?.Loss.ReadVectors(description);
        int[][] groups = EvalCommand.Tasks(parse.GetValue(_tasks), test);
        if (groups.Length == 0) groups = [[.. Enumerable.Range(0, test.Classes.Length)]];
        EvaluationTask[] tasks = [.. groups.Select((group, t) => EvaluationTask.Of($"task {t + 1}", group, test.Labels))];
        names = [.. tasks.Select(task => task.Name)];
        Dataset? reset = parse.GetValue(_reset) is { } samples ? Subset.First(RunData.OpenTrain(description), samples) : null;
        return (weights, cancel) =>
        {
            Graph network = models.With(weights).Graph;
            if (reset is not null) BatchNormReset.Run(network, reset, UsualSamples, cancel);
            string? output = vectors is null ? null : EvalCommand.AddScores(network, vectors);
            return [.. TaskScores.Of(Predictions.Of(network, test, UsualSamples, output, cancel: cancel), tasks).Tasks.Select(task => task.Loss)];
        };
    }

    private void Say(ParseResult parse, Siblings models, WeightPlane plane, ImmutableArray<LandscapePoint> on, string target)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        LandscapePoint lowest = on.MinBy(p => p.Loss)!;
        output.WriteLine(FormattableString.Invariant($"{models.Count} networks; the plane's axes hold {plane.Explained.First:0.0%} and {plane.Explained.Second:0.0%} of their squared distances from the mean"));
        output.WriteLine(FormattableString.Invariant($"lowest loss on the grid: {lowest.Loss:0.0000} at ({lowest.X:0.###}, {lowest.Y:0.###})"));
        output.WriteLine($"written to {Printable.Line(target)}");
        if (parse.GetValue(_reset) is null && models.Groups.Graph.Nodes.Any(node => node.Op is BatchNormalization))
            parse.InvocationConfiguration.Error.WriteLine("note: running statistics of batch normalisations were combined as weights are, which is not what the networks between compute; --reset 1000 estimates them at every point");
    }

    private static void Write(string path, WeightPlane plane, string[] names, ImmutableArray<string> tasks, ImmutableArray<LandscapePoint> on, ImmutableArray<LandscapePoint> near)
    {
        OutputFile.MakePlace(path);
        using FileStream file = File.Create(path);
        using Utf8JsonWriter json = new(file, new() { Indented = true });
        json.WriteStartObject();
        json.WriteStartArray("explained");
        json.WriteNumberValue(plane.Explained.First);
        json.WriteNumberValue(plane.Explained.Second);
        json.WriteEndArray();
        json.WriteStartArray("networks");
        for (int i = 0; i < names.Length; i++)
        {
            json.WriteStartObject();
            json.WriteString("name", names[i]);
            json.WriteNumber("x", plane.Places[i].X);
            json.WriteNumber("y", plane.Places[i].Y);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        foreach (var (name, points) in new[] { ("on", on), ("near", near) })
        {
            json.WriteStartArray(name);
            foreach (LandscapePoint p in points)
            {
                json.WriteStartObject();
                json.WriteNumber("x", p.X);
                json.WriteNumber("y", p.Y);
                for (int t = 0; t < tasks.Length; t++) json.Number(tasks.Length == 1 ? "loss" : $"loss of {tasks[t]}", p.Losses[t]);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private sealed class Points(Action<int> hear) : IProgress<int>
    {
        public void Report(int value) => hear(value);
    }
}
