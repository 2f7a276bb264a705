using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Benchmarks;

/// <summary>Time of training a ResNet and a MobileNetV2 side by side with transfers both ways, over that of training both alone on the same CIFAR-10 images.</summary>
internal static class JointSpeed
{
    private const int Batch = 128;

    /// <summary>Prints medians of pairs of runs, alone first.</summary>
    /// <param name="resnet">A ResNet with its options, such as resnet18:width=0.25.</param>
    /// <param name="mobile">A MobileNetV2 with its options.</param>
    /// <param name="cycle">T_cycle.</param>
    /// <param name="steps">Steps of a run, a multiple of the cycle.</param>
    /// <param name="runs">Pairs of runs after one to warm up.</param>
    public static void Run(string resnet, string mobile, int cycle, int steps, int runs)
    {
        Dataset data = new Augmented(Subset.First(DataSource.OpenNamed("cifar10", Split.Train), Batch * steps), new() { Flip = true, Pad = 4, Mean = [0.4914f, 0.4822f, 0.4465f], Deviation = [0.2023f, 0.1994f, 0.201f] });
        TrainingOptions options = new() { Rule = new AdamW(), Rate = 1e-3, Batch = Batch, DropLast = true };
        Learner[] learners = [.. new[] { resnet, mobile }.Select((text, i) => new Learner(i == 0 ? "resnet" : "mobile", Build(text), new CrossEntropy(), data, options))];
        KnowledgeTransfer[] transfers = [Transfer(learners[0], "linear.weight", learners[1], "features.16.conv.2.weight"), Transfer(learners[1], "classifier.1.weight", learners[0], "layer4.0.conv1.weight")];
        List<Pair> times = [];
        for (int run = 0; run <= runs; run++)
        {
            (double alone, double aloneWork) = Time(() => Array.ForEach(learners, learner => new Trainer(Surgery.Copy(learner.Network), learner.Loss!, learner.Data!, learner.Options).Run()));
            JointTraining joint = null!;
            (double together, double work) = Time(() => (joint = new(learners, transfers)).Run());
            if (run > 0) times.Add(new(alone, together, aloneWork, work, joint.Times));
        }

        double Median(Func<Pair, double> value) => times.Select(value).Order().ElementAt(times.Count / 2);
        string Share(Func<PhaseTimes, TimeSpan> phase) => $"{Median(t => phase(t.Phases).TotalSeconds / t.Alone):0.000}";
        Console.WriteLine($"{resnet} and {mobile}, batch {Batch}, cycle {cycle}, {steps} steps, {Environment.ProcessorCount} threads, medians of {runs} pairs");
        Console.WriteLine($"alone {Median(t => t.Alone):0.00} s, with transfers {Median(t => t.Together):0.00} s, ratio {Median(t => t.Together / t.Alone):0.000}, of processor time {Median(t => t.Work / t.AloneWork):0.000}");
        Console.WriteLine($"of the time alone: own steps {Share(t => t.Steps)}, transfers {Share(t => t.Transfers)}, adapter updates {Share(t => t.AdapterUpdates)}");

        KnowledgeTransfer Transfer(Learner from, string source, Learner to, string target) => new(Matrix(from, source), Matrix(to, target), new LowRankAdapter(), cycle);
    }

    private static TransferMatrix Matrix(Learner learner, string name) => new(learner.Name, WeightMatrix.Of(learner.Network, name));

    private static Graph Build(string text)
    {
        string[] parts = text.Split(':', 2);
        var options = parts.Length == 1 ? [] : parts[1].Split(',').Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]);
        return ZooModel.Find(parts[0]).Build(1, options, 0);
    }

    private static (double Wall, double Processor) Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }

    private sealed record Pair(double Alone, double Together, double AloneWork, double Work, PhaseTimes Phases);
}
