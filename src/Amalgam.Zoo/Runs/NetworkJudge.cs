using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Measures networks on the data of a run, alone and together, and how long they take.</summary>
/// <param name="run">The run.</param>
/// <param name="loss">Its loss.</param>
internal sealed class NetworkJudge(RunDescription run, Loss loss)
{
    private const int WarmUps = 2, Rounds = 9;

    private readonly Tensor? _vectors = run.Loss.ReadVectors(run.Data);

    /// <summary>What a network is worth; its loss where the truth is neither a class nor a click.</summary>
    public IReadOnlyList<Measure> Measures(Graph network, Dataset data, CancellationToken cancel)
    {
        if (!HasScores(data)) return [new("loss", new Evaluation(network, loss, data, run.Batch).Run(cancel).Loss)];
        return Contestant.Measure([Scored("", network)], data, run.Batch, cancel: cancel)[0].Measures;
    }

    /// <summary>What the ensemble of networks is worth, the mean of their probabilities; where an item is ranked among all, of their scores. Empty where there are no scores.</summary>
    public IReadOnlyList<Measure> Ensemble(IReadOnlyList<Graph> networks, Dataset data, CancellationToken cancel)
    {
        if (!HasScores(data)) return [];
        Contestant[] all = [.. networks.Select(network => Scored("", network))];
        if (ItemRanking.Of(data) is not null) return Contestant.Measure(all, data, run.Batch, cancel: cancel)[^1].Measures;
        Tensor[] scores = [.. all.Select(one => Predictions.Of(one.Network, data, run.Batch, one.Output, cancel: cancel))];
        return Measure.Of(Measure.AreClicks(scores[0], data) ? Measure.MeanProbability(scores) : MeanOfClasses(scores), data, []);
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

    /// <summary>Scores of classes whose softmax is the mean of that of several networks' scores.</summary>
    internal static Tensor MeanOfClasses(IReadOnlyList<Tensor> networks)
    {
        Tensor mean = new(networks[0].Shape);
        double[] sums = new double[mean.Count];
        int classes = mean.Count / Math.Max(1, mean.Shape.Size(0));
        foreach (Tensor scores in networks)
        {
            if (scores.Shape != mean.Shape) throw new InvalidDataException($"networks with scores {mean.Shape} and {scores.Shape} have no common mean");
            float[] p = scores.Span.ToArray();
            for (int row = 0; row < p.Length; row += classes) TaskScores.Softmax(p.AsSpan(row, classes));
            for (int i = 0; i < p.Length; i++) sums[i] += p[i];
        }

        for (int i = 0; i < sums.Length; i++) mean.Span[i] = (float)Math.Log(Math.Max(1e-30, sums[i] / networks.Count));
        return mean;
    }

    private bool HasScores(Dataset data) => loss is not SquaredError && (data.Labels.Length > 0 || ItemRanking.Of(data) is not null);

    /// <summary>The network with its scores: its output, or the cosines with the class vectors where it gives embeddings.</summary>
    private Contestant Scored(string name, Graph network)
    {
        if (_vectors is null) return new(name, network);
        Graph graph = Rewrite.Apply(network).Graph;
        string output = graph.FreeName("class.scores");
        graph.Output(output, CosineCrossEntropy.Scores(DataInputs.OutputOf(graph), _vectors));
        return new(name, graph, output);
    }

    private Action Prepare(Graph network, Dataset data)
    {
        int size = Math.Min(run.Batch, data.Count);
        Graph graph = DataInputs.Fit(network, data, size);
        Executor executor = new(graph, new ExecutorOptions(Frozen: true));
        new Batches(data, size, shuffle: false).Fill(0, DataInputs.Bind(data, graph, size, null, executor));
        return () => executor.Run();
    }
}
