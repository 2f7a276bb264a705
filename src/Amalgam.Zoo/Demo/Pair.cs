using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Demo;

/// <summary>A group of classes that makes a task of its own.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Classes">Its classes.</param>
public sealed record ClassTask(string Name, ImmutableArray<int> Classes);

/// <summary>Two networks of one architecture that are to become one.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="Title">What it is about.</param>
/// <param name="Story">Where the two come from, a few sentences.</param>
/// <param name="First">Path of one network's weights.</param>
/// <param name="Second">Path of the other's.</param>
/// <param name="Base">Path of the base that both were trained on from; null when there is none.</param>
/// <param name="Tasks">Groups of classes to look at apart; empty for none.</param>
public sealed record Pair(string Name, string Title, string Story, string First, string Second, string? Base, ImmutableArray<ClassTask> Tasks);

/// <summary>How a network does on the test samples.</summary>
/// <param name="Name">Which network.</param>
/// <param name="Joint">Share of all samples whose class has the highest score of all classes.</param>
/// <param name="Tasks">For each task the share of its samples whose class has the highest score of the task's classes.</param>
/// <param name="Loss">Mean cross-entropy over all samples.</param>
public sealed record NetworkScore(string Name, double Joint, ImmutableArray<double> Tasks, double Loss);

/// <summary>What a method came to.</summary>
/// <param name="Merge">The method with the parameters that did best on the validation samples.</param>
/// <param name="Score">On the test samples.</param>
/// <param name="Validation">Share of the validation samples that were right.</param>
/// <param name="Candidates">How many combinations of parameters were tried.</param>
public sealed record MergeResult(DemoMerge Merge, NetworkScore Score, double Validation, int Candidates);

/// <summary>What became of a pair.</summary>
/// <param name="Pair">The pair.</param>
/// <param name="Parents">Its two networks, behind their base where they have one.</param>
/// <param name="Ensemble">Both at once: the class with the highest sum of both networks' scores. The loss is that of the mean of the scores.</param>
/// <param name="Merged">One network for each method, in the order of the registry.</param>
/// <param name="LeftOut">Methods that need a common base where there is none.</param>
/// <param name="Confusions">Which class is taken for which, by the two networks, the ensemble and the plain average.</param>
public sealed record PairResult(Pair Pair, ImmutableArray<NetworkScore> Parents, NetworkScore Ensemble, ImmutableArray<MergeResult> Merged, ImmutableArray<string> LeftOut, ImmutableArray<HeatMap> Confusions)
{
    /// <summary>The merge that did best on the validation samples; its test result is therefore an honest one.</summary>
    public MergeResult Chosen => Merged.MaxBy(m => m.Validation)!;

    /// <summary>The plain average.</summary>
    public NetworkScore Average => Merged.Single(m => m.Merge.Entry.Name == "linear").Score;

    /// <summary>The one with the best joint result of the networks that were there before: the pair and its base.</summary>
    public NetworkScore BestParent => Parents.MaxBy(p => p.Joint)!;
}
