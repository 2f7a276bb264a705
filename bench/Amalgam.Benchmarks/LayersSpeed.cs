using System.Diagnostics;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Benchmarks;

/// <summary>Time of comparing all layers of two networks by linear CKA over that of running both on the same CIFAR-10 images.</summary>
internal static class LayersSpeed
{
    private const int Batch = 100;

    /// <summary>Prints medians of pairs of runs, plain passes first.</summary>
    public static void Run(string deep, string shallow, int images, int runs)
    {
        Graph[] networks = [.. new[] { deep, shallow }.Select((name, seed) => ZooModel.Find(name).Build(1, new Dictionary<string, string>(), seed))];
        Augmentation normalise = new() { Mean = [0.4914f, 0.4822f, 0.4465f], Deviation = [0.2023f, 0.1994f, 0.201f] };
        Dataset data = new Augmented(Subset.First(DataSource.OpenNamed("cifar10", Split.Train), images), normalise);
        NetworkLayers[] layers = [.. networks.Select(network => NetworkLayers.Of(network))];
        LayerMapping mapping = null!;
        List<(double Plain, double With, double PlainWork, double Work)> times = [];
        for (int run = 0; run < runs; run++)
        {
            (double plain, double plainWork) = Time(() => Array.ForEach(networks, network => Predictions.Of(network, data, Batch)));
            (double with, double work) = Time(() => mapping = LayerAlignment.Run(layers[0], layers[1], new() { Samples = images, Batch = Batch }, data));
            times.Add((plain, with, plainWork, work));
        }

        Console.WriteLine($"{deep} and {shallow}, {data.Count} images, {Environment.ProcessorCount} threads, medians of {runs} pairs");
        Console.WriteLine($"plain {Median(times, t => t.Plain):F2} s, CKA {Median(times, t => t.With):F2} s, ratio {Median(times, t => t.With / t.Plain):F2}, of processor time {Median(times, t => t.Work / t.PlainWork):F2}");
        Console.WriteLine(string.Join("  ", mapping.Groups.Select(group => $"[{string.Join(' ', group.Map)}]")));
    }

    private static (double Wall, double Processor) Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }

    private static double Median(List<(double Plain, double With, double PlainWork, double Work)> times, Func<(double Plain, double With, double PlainWork, double Work), double> value) =>
        times.Select(value).Order().ElementAt(times.Count / 2);
}
