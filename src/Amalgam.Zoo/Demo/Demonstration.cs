using System.Collections.Immutable;
using Amalgam.Merging;

namespace Amalgam.Zoo.Demo;

/// <summary>How one network does on the test samples of every task.</summary>
/// <param name="Name">Which network: <c>base</c>, <c>task-1</c> and so on, or the merge that made it.</param>
/// <param name="Accuracy">Share of right answers for each task.</param>
public sealed record Score(string Name, ImmutableArray<double> Accuracy)
{
    /// <summary>Mean over the tasks.</summary>
    public double Mean => Accuracy.Average();
}

/// <summary>
/// The whole of what Amalgam is for, on a small real problem: a base is trained, three fine-tunes of it learn a task each, every merge method that takes
/// three makes one network of them by a recipe, and every network is put to the test on all tasks.
/// </summary>
/// <param name="Parents">The base and its fine-tunes.</param>
/// <param name="Merged">The merged networks, in the order of <see cref="DemoMerge.All"/>.</param>
public sealed record Demonstration(ImmutableArray<Score> Parents, ImmutableArray<Score> Merged)
{
    private const string Base = "base";

    private static readonly ImmutableArray<string> Tunes = [.. Enumerable.Range(1, Problem.Tasks).Select(task => $"task-{task}")];

    /// <summary>Trains, merges and tests.</summary>
    /// <param name="folder">An empty folder, which gets <c>base</c>, <c>task-1</c> and so on, <c>recipes</c> and <c>merged</c>.</param>
    /// <param name="options">Seed of the problem and of the methods that draw random numbers, threads of the merges, and the token that stops the run.</param>
    /// <exception cref="IOException">The folder cannot be written, or a recipe's paths lead elsewhere.</exception>
    public static Demonstration Run(string folder, MergeOptions options)
    {
        Problem problem = new(options.Seed);
        CancellationToken cancel = options.Parallel.CancellationToken;
        Network origin = Training.Run(Network.Random(options.Seed), problem.Past.Training, cancel: cancel);
        origin.Save(Path.Combine(folder, Base));
        for (int task = 0; task < Problem.Tasks; task++)
            Training.Run(origin, problem.All[task].Training, cancel: cancel).Save(Path.Combine(folder, Tunes[task]));

        Directory.CreateDirectory(Path.Combine(folder, "recipes"));
        Directory.CreateDirectory(Path.Combine(folder, "merged"));
        foreach (DemoMerge merge in DemoMerge.All) Merge(merge, folder, options);

        Score Of(string name, string path) => Test(name, Path.Combine(folder, path), problem);
        return new(
            [.. Tunes.Prepend(Base).Select(name => Of(name, name))],
            [.. DemoMerge.All.Select(merge => Of(merge.Label, Path.Combine("merged", merge.FileName)))]);
    }

    private static void Merge(DemoMerge merge, string folder, MergeOptions options)
    {
        string path = Path.Combine(folder, "recipes", merge.FileName + ".yml");
        File.WriteAllText(path, merge.Recipe($"../{Base}", Tunes.Select(tune => $"../{tune}")));
        using RecipeRun run = RecipeRun.Read(path);
        foreach (string model in run.Plans.SelectMany(p => p.Models).Select(m => Path.GetFullPath(m.Checkpoint.Path)))
        {
            if (Path.GetDirectoryName(model) != Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar))
                throw new IOException($"{model} would be taken for a model of the demonstration, since a recipe's paths are looked up from the current folder first; run it in another folder");
        }

        run.Run(Path.Combine(folder, "merged", merge.FileName), options);
    }

    private static Score Test(string name, string path, Problem problem)
    {
        Network network = Network.Open(path);
        return new(name, [.. problem.All.Select(task => network.Accuracy(task.Test))]);
    }
}
