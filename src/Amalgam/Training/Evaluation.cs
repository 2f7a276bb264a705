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
    /// <summary>What the best epoch is chosen by, larger being better; null where that is the accuracy or the loss.</summary>
    public double? Merit { get; init; }

    /// <summary>Whether this is better: by merit where both have one, else by accuracy where both have one, else by loss.</summary>
    public bool IsBetterThan(Score? other) =>
        other is null
        || (Merit is { } merit && other.Merit is { } otherMerit ? merit > otherMerit
        : Accuracy is { } mine && other.Accuracy is { } theirs ? mine > theirs
        : Loss < other.Loss);
}

/// <summary>How much a network's result for one sample is worth, larger being better, such as the NDCG of a ranking; the mean over the samples is <see cref="Score.Merit"/>.</summary>
/// <param name="result">The network's result for the sample.</param>
/// <param name="sample">Its index in the data.</param>
public delegate double SampleMerit(ReadOnlySpan<float> result, int sample);

/// <summary>How much a network's results for all samples are worth together, larger being better, such as the recall of a search among them.</summary>
/// <param name="results">A row for each sample, in the data's order.</param>
public delegate double SetMerit(Tensor results);

/// <summary>Runs a network in its inference form over all samples of a data set. The parameters are looked at when it runs, so it can be made once and run after every epoch.</summary>
public sealed class Evaluation
{
    private readonly Batches _batches;
    private readonly Instance _full;
    private readonly Instance? _last;
    private readonly SampleMerit? _merit;
    private readonly SetMerit? _setMerit;
    private readonly Tensor? _results;

    /// <param name="network">The network, for any number of samples.</param>
    /// <param name="loss">What the loss is.</param>
    /// <param name="data">The samples.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="output">Name of the network's output; null for the first.</param>
    /// <param name="merit">What a sample's result is worth; null for nothing but loss and accuracy.</param>
    /// <param name="setMerit">What the results for all samples are worth together; it counts before <paramref name="merit"/>.</param>
    /// <exception cref="GraphException">The network cannot be made for that number of samples, or the data does not fit it.</exception>
    public Evaluation(Graph network, Loss loss, Dataset data, int batch, string? output = null, SampleMerit? merit = null, SetMerit? setMerit = null)
    {
        (_batches, _merit, _setMerit) = (new(data, batch, shuffle: false), setMerit is null ? merit : null, setMerit);
        bool keepResult = merit is not null || setMerit is not null;
        _full = new(network, loss, _batches, _batches.Size, output, keepResult);
        if (data.Count % _batches.Size is > 0 and var rest) _last = new(network, loss, _batches, rest, output, keepResult);
        if (setMerit is not null) _results = new(new([data.Count, .. _full.Result!.Shape.Sizes[1..]]));
    }

    /// <summary>Evaluates.</summary>
    public Score Run(CancellationToken cancel = default)
    {
        double loss = 0, merit = 0;
        long right = 0;
        int done = 0;
        for (int step = 0; step < _batches.PerEpoch; step++)
        {
            Instance instance = _batches.CountOf(step) == _batches.Size ? _full : _last!;
            int count = _batches.Fill(step, instance.Inputs);
            instance.Executor.Run(cancel);
            loss += (double)instance.Loss.Span[0] * count;
            if (instance.Scores is { } scores) right += Right(scores, instance.Truth!);
            if (instance.Result is { } result)
            {
                int row = result.Count / count;
                for (int i = 0; i < count && _merit is not null; i++) merit += _merit(result.Span.Slice(i * row, row), done + i);
                if (_results is not null) result.Span.CopyTo(_results.Span[(done * row)..]);
            }

            done += count;
        }

        return new(loss / done, _full.Scores is null ? null : (double)right / done, done) { Merit = _setMerit is not null ? _setMerit(_results!) : _merit is null ? null : merit / done };
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
        public Instance(Graph network, Loss loss, Batches batches, int samples, string? output, bool keepResult)
        {
            Graph graph = DataInputs.Fit(network, batches.Data, samples);
            Node result = DataInputs.OutputOf(graph, output);
            LossNodes nodes = loss.Add(result);
            List<Node> results = [nodes.Value];
            if (nodes.Scores is not null) results.Add(nodes.Scores);
            if (keepResult) results.Add(result);
            Executor = new(graph, results);
            Inputs = DataInputs.Bind(batches.Data, graph, samples, nodes.Truth, Executor);
            if (keepResult) Result = Executor[result];
            (Loss, Truth, Scores) = (Executor[nodes.Value], nodes.Truth is null ? null : Executor[nodes.Truth], nodes.Scores is null ? null : Executor[nodes.Scores]);
        }

        public Executor Executor { get; }

        public Tensor?[] Inputs { get; }

        public Tensor Loss { get; }

        public Tensor? Truth { get; }

        public Tensor? Scores { get; }

        public Tensor? Result { get; }
    }
}
