using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Zoo.Experiments.Cki;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Table 20: parameters and time of inference of what is fused, of what comes of it and of ensembles; and what fusing takes, step by step, at several widths up to the paper's.</summary>
internal sealed class Costs(Bench bench)
{
    public const string Inference = "table 20", Fusing = "table 20, time of fusing";

    private const string Pair = "seed 40";

    private static readonly double[] Widths = [0.125, 0.25, 0.5, 1];

    /// <summary>Makes the rows.</summary>
    public void Run()
    {
        RunInference();
        foreach (double width in Widths) RunFusing(width);
    }

    private void RunInference()
    {
        ResidualNetworks residual = new(bench);
        Graph a = bench.Parents.ResNet34(40), b = bench.Parents.ResNet18(40);
        (string Name, Graph[] Networks)[] all =
        [
            ("ResNet-34, also fused of any number", [a]), ("ResNet-18", [b]), ("ensemble of 2", [a, b]), ("ensemble of 4", [a, b, a, b]), ("ensemble of 6", [a, b, a, b, a, b]),
        ];
        Lazy<ImmutableArray<Cost>> costs = new(() => InferenceClock.Measure(residual.Setting.Test, all));
        foreach (var (index, (name, _)) in all.Index())
            bench.Row(Inference, Pair, name, () => new([new("parameters", costs.Value[index].Parameters), new("milliseconds", costs.Value[index].Milliseconds)]));
    }

    /// <summary>Networks with drawn weights: what they compute does not matter for the time.</summary>
    private void RunFusing(double width)
    {
        ResidualNetworks residual = new(bench);
        bench.Row(Fusing, Pair, FormattableString.Invariant($"width {width}"), () =>
        {
            Graph a = Network("resnet34", width, 1), b = Network("resnet18", width, 2);
            LayerFusion fusion = residual.Fusion;
            (LayerMapping mapping, double map) = Timed(() => fusion.Map(a, b));
            (BalancedNetworks balanced, double balance) = Timed(() => fusion.Balance(mapping));
            (Siblings both, double transport) = Timed(() => fusion.Bring(balanced));
            (Graph network, double mean) = Timed(() => LayerFusion.Mean(both));
            return new([new("parameters", network.Parameters.Values.Sum(p => p.Shape.Count)), new("layers, s", map), new("balancing, s", balance), new("transport, s", transport), new("mean, s", mean)], Seconds: map + balance + transport + mean);
        });
    }

    private static Graph Network(string name, double width, long seed) => ZooModel.Find(name).With(ModelDescription.Parse(FormattableString.Invariant($"{name}:width={width},norm=none")).Options).Build(2, seed);

    private static (T Result, double Seconds) Timed<T>(Func<T> run)
    {
        long start = Stopwatch.GetTimestamp();
        T result = run();
        return (result, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
