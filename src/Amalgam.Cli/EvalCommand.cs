using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam eval</c>: how good networks are on data.</summary>
internal sealed class EvalCommand
{
    private readonly Argument<string[]> _models = new("models") { Description = ".onnx files, checkpoints, or folders of runs; of several the ensemble is evaluated too", Arity = ArgumentArity.OneOrMore };
    private readonly DataOptions _data = new();
    private readonly Option<string?> _model = ArchitectureOption.Create();
    private readonly Option<bool> _training = new("--training-data") { Description = "Evaluate on the training samples, not on the test samples" };
    private readonly Option<bool> _validation = new("--validation-data") { Description = "Evaluate on the data set's own validation samples, not on the test samples" };
    private readonly Option<string?> _vectors = new("--class-vectors") { Description = "For a network that gives embeddings: a checkpoint with a vector for each class; the score is the cosine", HelpName = "checkpoint" };
    private readonly Option<string?> _tasks = new("--tasks") { Description = "Groups of classes, each also evaluated among itself: 0,1,2,6,9/3,4,5,7,8", HelpName = "groups" };
    private readonly Option<int?> _batch = CountOption.Create("--batch", "Samples at a time [default: 128]");
    private readonly Option<int?> _limit = CountOption.Create("--limit", "Only so many samples, from the first on");
    private readonly Option<bool> _json = new("--json") { Description = "Print JSON" };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "No progress" };

    public static Command Create() => new EvalCommand().CreateVerb();

    private Verb CreateVerb()
    {
        Verb verb = new(
            "eval", "Evaluate networks on test data: accuracy, top-5 accuracy and cross-entropy, of recommenders AUC, hit rate and NDCG, of networks for pictures with texts recall; of several networks also the ensemble.",
            [
                "amalgam eval runs/mnist-mlp                    # a run of amalgam train, on its own data",
                "amalgam eval model.onnx --data cifar10 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
                "amalgam eval a.safetensors b.safetensors --model mlp:bias=false --data mnist",
                "amalgam eval iclrec.safetensors --model iclrec:items=12103,depth=1 --data beauty-next",
                "amalgam eval runs/two-tower                    # finds texts for pictures and pictures for texts",
                "amalgam eval runs/sasrec --data beauty:candidates=999",
                "amalgam eval a.onnx --data cifar10 --class-vectors v.safetensors --tasks 0,1,2,6,9/3,4,5,7,8",
            ])
        {
            _models, _model, _training, _validation, _vectors, _tasks, _batch, _limit, _json, _quiet,
        };
        foreach (Option option in _data.All) verb.Options.Add(option);
        verb.Runs(Run);
        return verb;
    }

    private void Run(ParseResult parse, CancellationToken cancel)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        string[] paths = parse.GetValue(_models)!;
        RunDescription? run = RunFolder.Find(paths[0]);
        Dataset data = Data(parse, run);
        int[][] tasks = Tasks(parse.GetValue(_tasks), data);
        bool ofRun = _data.IsOfRun(parse, run);
        Tensor? vectors = parse.GetValue(_vectors) is { } path ? ClassVectors.Read(path, ofRun ? run!.Data.Classes : []) : run?.Loss.ReadVectors(ofRun ? run.Data : new(run.Data.Name));

        List<Contestant> contestants = [];
        foreach (string model in paths)
        {
            Graph graph = RunFolder.Find(model) is { } own ? RunFolder.Load(model, own) : ModelLoader.Load(model, ArchitectureOption.Of(parse.GetValue(_model)));
            ImmutableArray<string> heads = Contestant.HeadsOf(graph);
            if (heads.IsEmpty) contestants.Add(new(model, graph, vectors is null ? null : AddScores(graph, vectors)));
            else contestants.Add(new(model, graph) { Heads = vectors is null ? heads : [.. heads.Select(head => AddScores(graph, vectors, head))] });
        }

        IReadOnlyList<(string Name, IReadOnlyList<Measure> Measures)> results;
        using (Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(_quiet)))
        {
            results = Contestant.Measure(contestants, data, parse.GetValue(_batch) ?? 128, tasks, new Samples(done => progress.Report("evaluated", done, contestants.Count * data.Count)), cancel);
        }

        if (parse.GetValue(_json)) WriteJson(output, data, results);
        else Write(output, data, results);
    }

    /// <summary>Makes the cosines with the class vectors an output.</summary>
    internal static string AddScores(Graph graph, Tensor vectors, string? result = null)
    {
        string name = graph.FreeName("class.scores");
        graph.Output(name, CosineCrossEntropy.Scores(DataInputs.OutputOf(graph, result), vectors));
        return name;
    }

    private Dataset Data(ParseResult parse, RunDescription? run)
    {
        DataDescription description = _data.Describe(parse, parse.GetValue(_models)!, run);
        if (parse.GetValue(_training) && parse.GetValue(_validation)) throw new InvalidDataException("--training-data and --validation-data exclude each other");
        Dataset data = parse.GetValue(_validation) ? RunData.OpenValidation(description) : parse.GetValue(_training) ? RunData.OpenTrain(description) : RunData.OpenTest(description);
        if (parse.GetValue(_limit) is { } limit) data = Subset.First(data, limit);
        return data.Labels.IsEmpty && ItemRanking.Of(data) is null && PairRetrieval.Of(data) is null ? throw new InvalidDataException($"{data.Name} has no classes to evaluate by") : data;
    }

    /// <summary>Groups of classes as the command line names them; none for no text.</summary>
    internal static int[][] Tasks(string? text) => text is null ? [] :
        [.. text.Split('/').Select(group => group.Split(',', StringSplitOptions.TrimEntries)
            .Select(item => int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new InvalidDataException($"--tasks: '{item}' is no class, which are numbered from 0")).ToArray())];

    internal static int[][] Tasks(string? text, Dataset data)
    {
        int[][] tasks = Tasks(text);
        foreach (int number in tasks.SelectMany(task => task))
        {
            if (number >= data.Classes.Length) throw new InvalidDataException($"--tasks: '{number}' is no class of {data.Name}, which has {data.Classes.Length}, numbered from 0");
        }

        return tasks;
    }

    private static void Write(TextWriter output, Dataset data, IReadOnlyList<(string Name, IReadOnlyList<Measure> Measures)> results)
    {
        output.WriteLine($"{Printable.Line(data.Name)}: {data.Count:N0} samples of {Of(data)}");
        output.WriteLine();
        string[] names = [.. results.SelectMany(r => r.Measures.Select(m => m.Name)).Distinct()];
        Table table = new(1, ["MODEL", .. names.Select(name => $">{name.ToUpperInvariant()}")]);
        foreach (var (name, measures) in results) table.Add([Printable.Line(name), .. names.Select(of => measures.FirstOrDefault(m => m.Name == of) is { } m ? m.IsShare ? Percent(m.Value) : Printable.Number(m.Value) : "")]);
        table.Write(output, Screen.WidthOf(output));
    }

    private static string Of(Dataset data) => ItemRanking.Of(data) is { } ranking ? $"{ranking.Items:N0} items" : PairRetrieval.Of(data) is { } search ? $"{search.Pictures:N0} pictures" : $"{data.Classes.Length} classes";

    private static void WriteJson(TextWriter output, Dataset data, IReadOnlyList<(string Name, IReadOnlyList<Measure> Measures)> results) => Json.Write(output, json =>
    {
        json.WriteString("data", data.Name);
        json.WriteNumber("samples", data.Count);
        json.WriteStartArray("models");
        foreach (var (name, measures) in results)
        {
            json.WriteStartObject();
            json.WriteString("model", name);
            foreach (Measure measure in measures) json.Number(measure.Name.Replace(' ', '_'), measure.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>A share to two digits after the point, as papers print accuracies.</summary>
    internal static string Percent(double share) => double.IsNaN(share) ? "-" : $"{100 * share:0.00}%";

    private sealed class Samples(Action<int> hear) : IProgress<int>
    {
        public void Report(int value) => hear(value);
    }
}
