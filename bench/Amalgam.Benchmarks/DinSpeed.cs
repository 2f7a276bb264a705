using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Zoo.Models;

namespace Amalgam.Benchmarks;

internal static class DinSpeed
{
    public static void Run(string form, int batch, int steps, bool profile)
    {
        int items = 3308;
        int cc = int.Parse(Environment.GetEnvironmentVariable("CC") ?? "5");
        Dictionary<string, string> chosen = new() { ["items"] = "3308", ["hyper"] = form.Contains('+') ? "true" : "false" };
        Graph graph = Rewrite.Resize(Rewrite.ForTraining(ZooModel.Find(form.TrimEnd('+')).Build(batch, chosen, 1)).Graph, new Dictionary<string, Shape> { ["target"] = new(batch, cc)}).Graph;
        Node logits = graph.Outputs.Values.First(), labels = graph.Input("label", logits.Shape);
        Node loss = graph.Add(new BinaryCrossEntropyWithLogits(), logits, labels);
        Node[] parameters = [.. graph.Parameters.Values.Where(p => p.Trainable)];
        Node[] gradients = Gradients.Of(loss, parameters);
        Executor executor = new(graph, [loss, .. gradients, .. graph.Updates.Values], new(Profile: profile));
        Optimizer optimizer = new(new Adam(), parameters);
        Random random = new(1);
        foreach (Node input in graph.Inputs.Values)
            foreach (ref float x in executor[input].Span) x = input.Name == "label" ? random.Next(2) : random.Next(1, items);
        Tensor[] ofParameters = [.. gradients.Select(g => executor[g])];
        TimeSpan cpu = default;
        List<double> seconds = [], stepping = [];
        for (int i = 0; i < steps + 30; i++)
        {
            if (i == 30) { executor.ClearProfile(); cpu = Process.GetCurrentProcess().TotalProcessorTime; }
            long start = Stopwatch.GetTimestamp();
            executor.Run();
            long middle = Stopwatch.GetTimestamp();
            optimizer.Step(ofParameters, 0.001);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            stepping.Add(Stopwatch.GetElapsedTime(middle).TotalSeconds);
        }

        double[] sorted = [.. seconds.Skip(30).Order()];
        double[] sorted2 = [.. stepping.Skip(30).Order()];
        Console.WriteLine($"{logits.Shape.Count / sorted[sorted.Length / 2]:F1} items/s, {1e3 * sorted[sorted.Length / 2]:F2} ms a step, optimizer {1e3 * sorted2[sorted2.Length / 2]:F2} ms; processor {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds / steps:F2} ms");
        if (!profile) return;
        TrainingSpeed.Print(executor);
        foreach (var o in executor.Profile().OrderByDescending(o => o.Time).Take(45))
            Console.WriteLine($"{o.Time.TotalMilliseconds / o.Runs,8:F3} ms  {o.Node} {o.Node.Shape} <- {string.Join(" ", o.Node.Inputs.Select(n => $"%{n.Id}{n.Shape}"))} {o.Node.Op}");
    }
}
