using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>What inference takes.</summary>
/// <param name="Name">Which network, or networks.</param>
/// <param name="Parameters">Numbers that are kept.</param>
/// <param name="Milliseconds">Time for a batch of the test data.</param>
public sealed record Cost(string Name, long Parameters, double Milliseconds);

/// <summary>Measures inference of several networks in turn, so that what else the machine does meets all of them.</summary>
internal static class InferenceClock
{
    /// <summary>What is measured.</summary>
    public const string What = "128 samples of the test data at once, the median of 15 runs";

    private const int Samples = 128, Runs = 15;

    /// <summary>Measures.</summary>
    /// <param name="data">Where the samples come from.</param>
    /// <param name="contestants">Networks, or several that are asked one after the other.</param>
    public static ImmutableArray<Cost> Measure(Dataset data, params ReadOnlySpan<(string Name, Graph[] Networks)> contestants)
    {
        Executor[][] executors = new Executor[contestants.Length][];
        double[][] times = new double[contestants.Length][];
        for (int c = 0; c < executors.Length; c++) (executors[c], times[c]) = ([.. contestants[c].Networks.Select(network => Ready(network, data))], new double[Runs]);
        for (int run = -1; run < Runs; run++)
        {
            for (int c = 0; c < executors.Length; c++)
            {
                long began = Stopwatch.GetTimestamp();
                foreach (Executor executor in executors[c]) executor.Run();
                if (run >= 0) times[c][run] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }
        }

        var costs = ImmutableArray.CreateBuilder<Cost>();
        for (int c = 0; c < executors.Length; c++)
        {
            Array.Sort(times[c]);
            costs.Add(new(contestants[c].Name, contestants[c].Networks.Sum(n => n.Parameters.Values.Sum(p => p.Shape.Count)), times[c][Runs / 2]));
        }

        return costs.ToImmutable();
    }

    /// <summary>A network ready to run on the first samples.</summary>
    private static Executor Ready(Graph network, Dataset data)
    {
        Batches batches = new(data, Samples, shuffle: false);
        Graph graph = DataInputs.Fit(network, data, batches.Size);
        Executor executor = new(graph, [DataInputs.OutputOf(graph)], new(Frozen: true));
        batches.Fill(0, DataInputs.Bind(data, graph, batches.Size, null, executor));
        return executor;
    }
}
