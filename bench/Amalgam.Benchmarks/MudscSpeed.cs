using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Benchmarks;

/// <summary>
/// Seconds of each phase of a merge of the two ResNet-20 in models/resnet20-cifar10-halves, and what the merged network is worth; beside bench/peers/mudsc_resnet20.py, whose lines
/// have the same names. bench/mudsc-speed.sh runs both.
/// </summary>
internal static class MudscSpeed
{
    private const int Batch = 500, Images = 5000;

    private static readonly int[][] Tasks = [[0, 1, 2, 6, 9], [3, 4, 5, 7, 8]];

    public static void Run(string folder, string method, double alpha)
    {
        AlignmentOptions options = Options(method) with { Alpha = alpha, Samples = Images, Batch = Batch, Reset = StatisticsReset.BatchNorm, ResetParents = false };
        Augmentation how = new() { Mean = [0.4914f, 0.4822f, 0.4465f], Deviation = [0.2023f, 0.1994f, 0.201f] };
        Dataset data = Subset.First(RunData.OpenTrain(new("cifar10") { Augmentation = how }), Images), test = RunData.OpenTest(new("cifar10") { Augmentation = how });
        Graph[] parents = [.. "ab".Select(name => ModelLoader.Load(Path.Combine(folder, $"{name}.onnx")))];
        Tensor vectors = ClassVectors.Read(Path.Combine(folder, "class_vectors.safetensors"));

        SelfCheckResult check = null!;
        Time("discovery", () => check = SelfCheck.Run(UnitGroups.Of(parents[0])));
        Time("reset-parents", () => Array.ForEach(parents, parent => BatchNormReset.Run(parent, data, Batch)));
        Siblings models = new(check.Groups, parents.Select(Siblings.WeightsOf));
        Time("forward-only", () => Array.ForEach(parents, parent => Predictions.Of(parent, data, Batch)));

        long begin = Stopwatch.GetTimestamp();
        AlignmentResult result = UnitAlignment.Run(models, options, data);
        foreach (var (phase, time) in result.Times) Print(phase == "activations" ? "match-activations" : phase, time);
        Graph merged = null!;
        Time("merge", () => merged = models.With(Rearrangement.Merge(result.Maps, models)).Graph);
        Time("reset-merged", () => BatchNormReset.Run(merged, data, Batch));
        Print("statistics-to-reset", Stopwatch.GetElapsedTime(begin));

        TaskScores scores = null!;
        Time("evaluate", () => scores = Scores(merged, test, vectors));
        Console.WriteLine($"result joint {100 * scores.Joint:F2} tasks {string.Join(' ', scores.Tasks.Select(t => $"{100 * t.Accuracy:F2}"))} average {100 * scores.Average:F2} sweeps {result.Sweeps.Length}");
    }

    private static AlignmentOptions Options(string method)
    {
        string[] words = method.Split('-');
        AlignmentOptions options = new() { Matching = words[^1] is "zip" or "zipit" ? UnitMatching.Zip : UnitMatching.Align };
        return options with { Space = words[0] switch { "average" => MatchingSpace.None, "weight" => MatchingSpace.Weights, "activation" or "zipit" => MatchingSpace.Activations, _ => MatchingSpace.Both } };
    }

    private static TaskScores Scores(Graph network, Dataset test, Tensor vectors)
    {
        Graph graph = Rewrite.Apply(network).Graph;
        graph.Output("class.scores", CosineCrossEntropy.Scores(graph.Outputs.Values.First(), vectors));
        return TaskScores.Of(Predictions.Of(graph, test, Batch, "class.scores"), [.. Tasks.Select(classes => EvaluationTask.Of("task", classes, test.Labels))]);
    }

    private static void Time(string phase, Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        Print(phase, Stopwatch.GetElapsedTime(start));
    }

    private static void Print(string phase, TimeSpan time) => Console.WriteLine($"{phase} {time.TotalSeconds:F3}");
}
