using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Training;

/// <summary>How well a network does on data.</summary>
/// <param name="Loss">Mean over the samples.</param>
/// <param name="Accuracy">Share of the samples that are right; null where there are no classes.</param>
/// <param name="Samples">Number of samples.</param>
public sealed record Score(double Loss, double? Accuracy, int Samples)
{
    /// <summary>Whether this is better: by accuracy where both have one, else by loss.</summary>
    public bool IsBetterThan(Score? other) =>
        other is null || (Accuracy is { } mine && other.Accuracy is { } theirs ? mine > theirs : Loss < other.Loss);
}

/// <summary>Runs a network in its inference form over all samples of a data set. The parameters are looked at when it runs, so it can be made once and run after every epoch.</summary>
public sealed class Evaluation
{
    private readonly Batches _batches;
    private readonly Instance _full;
    private readonly Instance? _last;

    /// <param name="network">The network, for any number of samples.</param>
    /// <param name="loss">What the loss is.</param>
    /// <param name="data">The samples.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="output">Name of the network's output; null for the first.</param>
    /// <exception cref="GraphException">The network cannot be made for that number of samples, or the data does not fit it.</exception>
    public Evaluation(Graph network, Loss loss, Dataset data, int batch, string? output = null)
    {
        _batches = new(data, batch, shuffle: false);
        _full = new(network, loss, _batches, _batches.Size, output);
        if (data.Count % _batches.Size is > 0 and var rest) _last = new(network, loss, _batches, rest, output);
    }

    /// <summary>Evaluates.</summary>
    public Score Run(CancellationToken cancel = default)
    {
        double loss = 0;
        long right = 0;
        for (int step = 0; step < _batches.PerEpoch; step++)
        {
            Instance instance = _batches.CountOf(step) == _batches.Size ? _full : _last!;
            int count = _batches.Fill(step, instance.Inputs);
            instance.Executor.Run(cancel);
            loss += (double)instance.Loss.Span[0] * count;
            if (instance.Scores is { } scores) right += Right(scores, instance.Truth!);
        }

        int samples = _batches.Data.Count;
        return new(loss / samples, _full.Scores is null ? null : (double)right / samples, samples);
    }

    /// <summary>Number of rows whose largest score, the first of equal ones, is that of the truth: a class, or as many shares of classes, of which the largest counts.</summary>
    internal static int Right(Tensor scores, Tensor truth)
    {
        int right = 0, rows = scores.Shape.Size(0), classes = scores.Count / Math.Max(1, rows);
        for (int row = 0; row < rows; row++)
        {
            int expected = truth.Count == rows ? (int)truth.Span[row] : TensorPrimitives.IndexOfMax<float>(truth.Span.Slice(row * classes, classes));
            if (TensorPrimitives.IndexOfMax<float>(scores.Span.Slice(row * classes, classes)) == expected) right++;
        }

        return right;
    }

    private sealed class Instance
    {
        public Instance(Graph network, Loss loss, Batches batches, int samples, string? output)
        {
            Graph graph = DataInputs.Fit(network, batches.Data, samples);
            LossNodes nodes = loss.Add(DataInputs.OutputOf(graph, output));
            Node[] results = nodes.Scores is null ? [nodes.Value] : [nodes.Value, nodes.Scores];
            Executor = new(graph, results);
            Inputs = DataInputs.Bind(batches.Data, graph, samples, nodes.Truth, Executor);
            (Loss, Truth, Scores) = (Executor[nodes.Value], nodes.Truth is null ? null : Executor[nodes.Truth], nodes.Scores is null ? null : Executor[nodes.Scores]);
        }

        public Executor Executor { get; }

        public Tensor?[] Inputs { get; }

        public Tensor Loss { get; }

        public Tensor? Truth { get; }

        public Tensor? Scores { get; }
    }
}
