using System.Diagnostics;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Benchmarks;

/// <summary>Milliseconds of a run of an ONNX model, beside bench/peers/inference_ort.cjs. bench/inference-speed.sh runs both in turn.</summary>
internal static class InferenceSpeed
{
    /// <summary>Writes the BERT of reduced size that is timed: four layers of 128 units over 64 ids, a batch of 8.</summary>
    public static void Write(string path)
    {
        Dictionary<string, string> options = new() { ["vocabulary"] = "1000", ["hidden"] = "128", ["depth"] = "4", ["heads"] = "4", ["inner"] = "512", ["length"] = "64", ["positions"] = "64" };
        OnnxModel.Write(ZooModel.Find("bert").Build(8, options, 1), path, new(Overwrite: true));
    }

    /// <summary>Prints the median of runs over four seconds on inputs of the model's own sizes.</summary>
    public static void Run(string path, int threads, bool profile)
    {
        Graph graph = OnnxModel.Open(path).ToGraph();
        Executor executor = new(graph, new ExecutorOptions(threads, Frozen: true, Profile: profile));
        foreach (Node input in graph.Inputs.Values)
        {
            Span<float> x = executor[input].Span;
            for (int i = 0; i < x.Length; i++) x[i] = input.Type == DType.I64 ? 1 : MathF.Sin(i);
        }

        List<double> times = [];
        for (long begin = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begin).TotalSeconds < 4 || times.Count < 12;)
        {
            long start = Stopwatch.GetTimestamp();
            executor.Run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        double[] sorted = [.. times.Skip(times.Count / 3).Order()];
        Console.WriteLine($"{sorted[sorted.Length / 2]:F3}");
        if (profile) TrainingSpeed.Print(executor);
    }
}
