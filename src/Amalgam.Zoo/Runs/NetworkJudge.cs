using System.Diagnostics;
using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Measures networks on the data of a run, alone and together.</summary>
/// <param name="run">The run.</param>
/// <param name="loss">Its loss.</param>
internal sealed class NetworkJudge(RunDescription run, Loss loss)
{
    private const int WarmUps = 2, Rounds = 9;

    private readonly Tensor? _vectors = run.Loss.ClassVectors is { } path ? ClassVectors.Read(path, run.Data.Classes) : null;

    /// <summary>A network's scores for all samples; null where the truth is no class and no click, so that there is nothing but a loss.</summary>
    public Tensor? Scores(Graph network, Dataset data, CancellationToken cancel)
    {
        if (!HasScores(data)) return null;
        if (_vectors is null) return Predictions.Of(network, data, run.Batch, cancel: cancel);
        Graph graph = Rewrite.Apply(network).Graph;
        string name = graph.FreeName("class.scores");
        graph.Output(name, CosineCrossEntropy.Scores(DataInputs.OutputOf(graph), _vectors));
        return Predictions.Of(graph, data, run.Batch, name, cancel: cancel);
    }

    /// <summary>What scores are worth; of a network that has none, its loss.</summary>
    public IReadOnlyList<Measure> Measures(Graph network, Tensor? scores, Dataset data, CancellationToken cancel) =>
        scores is not null ? Measure.Of(scores, data, []) : [new("loss", new Evaluation(network, loss, data, run.Batch).Run(cancel).Loss)];

    /// <summary>
    /// The scores of an ensemble: the mean of the networks' probabilities, as scores again (the logarithm for classes, the logit for clicks).
    /// </summary>
    public Tensor Ensemble(IReadOnlyList<Tensor> scores)
    {
        Tensor mean = new(scores[0].Shape);
        double[] sums = new double[mean.Count];
        foreach (Tensor one in scores)
        {
            float[] p = one.Span.ToArray();
            if (loss is BinaryCrossEntropy) TensorPrimitives.Sigmoid<float>(p, p);
            else foreach (int row in Enumerable.Range(0, one.Shape.Size(0))) SoftMax(p.AsSpan(row * one.Shape.Size(1), one.Shape.Size(1)));
            for (int i = 0; i < sums.Length; i++) sums[i] += p[i];
        }

        for (int i = 0; i < sums.Length; i++)
        {
            double p = Math.Clamp(sums[i] / scores.Count, 1e-30, 1);
            mean.Span[i] = (float)(loss is BinaryCrossEntropy ? Math.Log(p) - Math.Log(Math.Max(1e-30, 1 - p)) : Math.Log(p));
        }

        return mean;
    }

    /// <summary>Seconds that networks take for a batch, the median of some rounds in which each runs once.</summary>
    public double[] Seconds(IReadOnlyList<Graph> networks, Dataset data, CancellationToken cancel)
    {
        Action[] runs = [.. networks.Select(network => Prepare(network, data))];
        double[][] times = [.. runs.Select(_ => new double[Rounds])];
        for (int round = -WarmUps; round < Rounds; round++)
        {
            for (int k = 0; k < runs.Length; k++)
            {
                cancel.ThrowIfCancellationRequested();
                long start = Stopwatch.GetTimestamp();
                runs[k]();
                if (round >= 0) times[k][round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        return [.. times.Select(t => t.Order().ElementAt(Rounds / 2))];
    }

    private bool HasScores(Dataset data) => loss is not SquaredError && (data.Labels.Length > 0 || data.Fields.Any(f => f.Name == "label" && f.Shape.Rank == 1));

    private Action Prepare(Graph network, Dataset data)
    {
        int size = Math.Min(run.Batch, data.Count);
        Graph graph = DataInputs.Fit(network, data, size);
        Executor executor = new(graph, new ExecutorOptions(Frozen: true));
        new Batches(data, size, shuffle: false).Fill(0, DataInputs.Bind(data, graph, size, null, executor));
        return () => executor.Run();
    }

    private static void SoftMax(Span<float> row) => TensorPrimitives.SoftMax<float>(row, row);
}
