using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>A network after fine-tuning.</summary>
/// <param name="Network">With the weights after the epoch that did best on the held-out training samples.</param>
/// <param name="Choice">Share of those that are right.</param>
/// <param name="Seconds">Time that it took.</param>
internal sealed record Tuned(Graph Network, double Choice, double Seconds);

/// <summary>Trains networks for a few epochs more, as the networks that were fused were trained, along a new cosine.</summary>
/// <param name="run">How those were trained.</param>
/// <param name="options">How the reproduction runs.</param>
internal sealed class FineTuning(RunDescription run, ClafusionOptions options)
{
    private readonly RunData _data = RunData.Open(run.Data);

    /// <summary>Fine-tunes a copy of a network.</summary>
    /// <param name="start">The network.</param>
    /// <param name="rate">The learning rate to begin with.</param>
    /// <param name="seed">Decides on the order of the samples.</param>
    public Tuned Run(Graph start, double rate, int seed) => Run(start, RunTrainer.LossOf(run.Loss, run.Data), rate, seed);

    /// <summary>Trains a copy of a network to the end and takes the weights of the best epoch.</summary>
    /// <param name="start">The network.</param>
    /// <param name="loss">What is minimised.</param>
    /// <param name="rate">The learning rate to begin with.</param>
    /// <param name="seed">Decides on the order of the samples.</param>
    public Tuned Run(Graph start, Loss loss, double rate, int seed)
    {
        Graph network = Copy(start);
        RunDescription own = run with { Rate = rate, Epochs = options.FineTuning, Seed = seed };
        Trainer trainer = RunTrainer.Create(own, network, loss, _data, null);
        long began = Stopwatch.GetTimestamp();
        trainer.Run(options.Training, cancel: options.Cancel);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        foreach (var (name, best) in trainer.Best!) best.Span.CopyTo(network.Parameters[name].Value!.Span);
        return new(network, trainer.BestEpoch!.Validation!.Accuracy!.Value, seconds);
    }

    /// <summary>A network whose weights are its own, all of them free.</summary>
    private static Graph Copy(Graph graph) => Rewrite.Apply(graph, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, node.Value!.Copy(), node.Trainable, node.Type) : null).Graph;
}
