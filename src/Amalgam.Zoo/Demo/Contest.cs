using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Report;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Demo;

/// <summary>Merges a pair by every method that fits, and puts parents, ensemble and merged networks to the test.</summary>
/// <param name="network">The architecture; its weights are replaced by those of one network after the other.</param>
/// <param name="validation">Samples that parameters are chosen by.</param>
/// <param name="test">Samples that results are of, and no choice.</param>
/// <param name="options">How to run.</param>
internal sealed class Contest(Graph network, Dataset validation, Dataset test, DemoOptions options)
{
    private const int Batch = 250;
    private const string Recipes = "recipes", Merged = "merged", Candidates = "candidates", Average = "linear";

    /// <summary>Runs it.</summary>
    /// <param name="pair">The pair; paths are relative to its folder, or absolute.</param>
    /// <param name="folder">The pair's folder, which gets <c>recipes</c> and <c>merged</c>.</param>
    public PairResult Run(Pair pair, string folder)
    {
        foreach (string name in (ReadOnlySpan<string>)[Recipes, Merged, Candidates]) Directory.CreateDirectory(Path.Combine(folder, name));
        string At(string path) => Path.Combine(folder, path);
        ClassScores first = Load(At(pair.First), test), second = Load(At(pair.Second), test);
        Tensor mean = Measure.Sum([first.Scores, second.Scores]);
        for (int i = 0; i < mean.Count; i++) mean.Span[i] /= 2;

        List<NetworkScore> parents = [];
        if (pair.Base is { } origin) parents.Add(Score(pair, NameOf(origin), Load(At(origin), test)));
        parents.Add(Score(pair, NameOf(pair.First), first));
        parents.Add(Score(pair, NameOf(pair.Second), second));

        var fitting = DemoMerge.Methods.ToLookup(m => pair.Base is not null || !DemoMerge.NeedsCommonBase(m));
        int total = fitting[true].Sum(m => DemoMerge.Of(m).Length), done = 0;
        List<MergeResult> merged = [];
        foreach (MethodEntry method in fitting[true]) merged.Add(Best(pair, folder, method, () => options.Merging?.Invoke(++done, total)));
        Directory.Delete(At(Candidates), recursive: true);

        return new(
            pair, [.. parents], Score(pair, "ensemble", new(mean)), [.. merged], [.. fitting[false].Select(m => m.Name)],
            [Confusion(NameOf(pair.First), first), Confusion(NameOf(pair.Second), second), Confusion("ensemble", new(mean)), Confusion("plain average", Load(At($"{Merged}/{Average}.safetensors"), test))]);
    }

    /// <summary>Tries a method's alternatives, keeps the one that does best on the validation samples (the first of equal ones), and tests it.</summary>
    private MergeResult Best(Pair pair, string folder, MethodEntry method, Action tried)
    {
        ImmutableArray<DemoMerge> all = DemoMerge.Of(method);
        (int Index, double Right, double Loss) best = (-1, -1, 0);
        for (int i = 0; i < all.Length; i++)
        {
            string path = Path.Combine(folder, Candidates, $"{method.Name}-{i}.safetensors");
            all[i].Merge(RecipeOf(method, folder), path, Relative(pair.First), Relative(pair.Second), OriginOf(pair), options.Merge);
            ClassScores scores = Load(path, validation);
            (double right, double loss) = (scores.Accuracy(validation.Labels), scores.CrossEntropy(validation.Labels));
            if (right > best.Right || (right == best.Right && loss < best.Loss)) best = (i, right, loss);
            tried();
        }

        string kept = Path.Combine(folder, Merged, $"{method.Name}.safetensors");
        File.Move(Path.Combine(folder, Candidates, $"{method.Name}-{best.Index}.safetensors"), kept);
        DemoMerge merge = all[best.Index];
        File.WriteAllText(RecipeOf(method, folder), Recipe(merge, pair));
        NetworkScore score = Score(pair, merge.Label, Load(kept, test));
        OnnxModel.Write(network, Path.ChangeExtension(kept, ".onnx"), new(Batch: "batch"));
        return new(merge, score, best.Right, all.Length);
    }

    private static string RecipeOf(MethodEntry method, string folder) => Path.Combine(folder, Recipes, method.Name + ".yml");

    private static string Recipe(DemoMerge merge, Pair pair) => merge.Recipe(Relative(pair.First), Relative(pair.Second), OriginOf(pair));

    private static string? OriginOf(Pair pair) => pair.Base is null ? null : Relative(pair.Base);

    /// <summary>A path as recipes name it.</summary>
    private static string Relative(string path) => Path.IsPathRooted(path) ? path : $"../{path}";

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path);

    private ClassScores Load(string path, Dataset data)
    {
        using (Checkpoint checkpoint = Checkpoint.Open(path)) GraphWeights.Load(network, checkpoint);
        return new(Predictions.Of(network, data, Batch, cancel: options.Cancel));
    }

    private NetworkScore Score(Pair pair, string name, ClassScores scores) =>
        new(name, scores.Accuracy(test.Labels), [.. pair.Tasks.Select(task => scores.Accuracy(test.Labels, among: task.Classes))], scores.CrossEntropy(test.Labels));

    /// <summary>Which answers each class gets, as shares of the class.</summary>
    private HeatMap Confusion(string name, ClassScores scores)
    {
        int n = test.Classes.Length;
        double[] counts = new double[n * n], samples = new double[n];
        for (int i = 0; i < test.Count; i++)
        {
            var row = scores.Scores.Span.Slice(i * scores.Classes, scores.Classes);
            int answer = 0;
            for (int c = 1; c < row.Length; c++) if (row[c] > row[answer]) answer = c;
            counts[test.Labels[i] * n + answer]++;
            samples[test.Labels[i]]++;
        }

        for (int i = 0; i < counts.Length; i++) counts[i] /= Math.Max(1, samples[i / n]);
        return new(name, n, n, [.. counts]) { RowLabels = test.Classes, ColumnLabels = test.Classes, RowName = "class", ColumnName = "answer", Format = "0%", Low = 0, High = 1 };
    }
}
