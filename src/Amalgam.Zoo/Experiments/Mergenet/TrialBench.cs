using System.Diagnostics;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Experiments.Clafusion;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Where trainings are done, each once for each seed: tables share their rows and the networks that were trained alone, and another run goes on after the last.</summary>
internal sealed class TrialBench(MergenetOptions options)
{
    private const string DescriptionKey = "amalgam.reproduction";

    private readonly string _folder = EarlierRun.Open(Path.Combine(options.Folder, "trainings"));
    private readonly Dictionary<string, MethodLog> _logs = [];

    /// <summary>What a table calls a seed.</summary>
    public static string Pair(int seed) => FormattableString.Invariant($"seed {seed}");

    /// <summary>The row of a subject in a training, which is done if it was not yet.</summary>
    /// <param name="entry">Which training and which network.</param>
    /// <param name="seed">With which seed.</param>
    /// <param name="heldOut">Whether it is measured on held-out training samples, where choices are made, and not on the test samples.</param>
    public MethodRow Row(TableEntry entry, int seed, bool heldOut)
    {
        MethodLog log = LogOf(entry.Subject, heldOut);
        if (!log.Has(entry.Subject.Name, Pair(seed), entry.Trial.Name)) Run(entry, seed, heldOut);
        return log.Rows.First(row => row.Pair == Pair(seed) && row.Method == entry.Trial.Name) with { Table = entry.Section, Method = entry.Method };
    }

    /// <summary>The network of a subject that trained alone.</summary>
    public Graph Solo(Subject subject, int seed)
    {
        string path = Path.Combine(_folder, $"{FileOf(subject)}-{seed}.safetensors");
        Graph network = subject.Network(seed);
        if (File.Exists(path))
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            if (EarlierRun.IsTakenOver(path, checkpoint.Metadata.GetValueOrDefault(DescriptionKey, ""), subject.Description, options.Overwrite))
            {
                GraphWeights.Load(network, checkpoint);
                return network;
            }
        }

        network = Train(subject, subject.Loss, seed);
        GraphWeights.Save(network, path, overwrite: true, new Dictionary<string, string> { [DescriptionKey] = subject.Description });
        return network;
    }

    /// <summary>A network of a subject before its first step.</summary>
    public Graph Begin(Subject subject, int seed) => subject.Start is { } start ? Solo(start, seed) : subject.Network(seed);

    /// <summary>Trains a network of a subject with a loss.</summary>
    public Graph Train(Subject subject, Loss loss, int seed)
    {
        Graph network = Begin(subject, seed);
        new Trainer(network, loss, subject.Train, subject.Training(network, seed)).Run(options.Training, cancel: options.Cancel);
        return network;
    }

    /// <summary>Runs a joint training to its end.</summary>
    public void Run(JointTraining joint) => joint.Run(new Relay(options.Training), cancel: options.Cancel);

    private void Run(TableEntry entry, int seed, bool heldOut)
    {
        options.Cancel.ThrowIfCancellationRequested();
        long start = Stopwatch.GetTimestamp();
        Trained[] all = [.. entry.Trial.Run(this, seed)];
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (Trained trained in all)
        {
            var test = heldOut ? trained.Subject.MeasureHeldOut(trained.Network) : trained.Subject.Measure(trained.Network);
            MethodRow row = new(trained.Subject.Name, Pair(seed), entry.Trial.Name, "", 1, double.NaN, [.. test, .. trained.More], seconds);
            LogOf(trained.Subject, heldOut).Add(row);
            options.Line?.Invoke(FormattableString.Invariant($"{row.Table}, {row.Pair}, {entry.Method}: {string.Join(", ", row.Test.Select(f => $"{f.Name} {ClafusionMarkdown.Text(new(f.Value, double.NaN), f.Name)}{(ClafusionMarkdown.IsShare(f.Name) ? "%" : "")}"))}, {seconds:0.0} s"));
        }
    }

    private MethodLog LogOf(Subject subject, bool heldOut)
    {
        string name = FileOf(subject) + (heldOut ? "-choice" : "");
        if (!_logs.TryGetValue(name, out MethodLog? log)) _logs[name] = log = new(Path.Combine(_folder, $"{name}.jsonl"), subject.Description, options.Overwrite);
        return log;
    }

    private static string FileOf(Subject subject) => subject.Name.ToLowerInvariant().Replace(' ', '-');

    /// <summary>Tells of a joint training what its first network's steps would tell.</summary>
    private sealed class Relay(IProgress<TrainingProgress>? to) : IProgress<JointProgress>
    {
        public void Report(JointProgress value)
        {
            if (value.Learners.FirstOrDefault(learner => learner is not null) is { } first) to?.Report(first with { TimeLeft = value.TimeLeft });
        }
    }
}
