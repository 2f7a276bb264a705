using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Zoo.Models;

namespace Amalgam.Benchmarks;

/// <summary>Samples per second of a training step, beside bench/peers/training_torch.py: the same networks, sizes, loss and optimiser. bench/training-speed.sh runs both in turn.</summary>
internal static class TrainingSpeed
{
    private static readonly Dictionary<string, (string Model, string Options, int Batch, int Steps)> Cases = new()
    {
        ["resnet20"] = ("resnet20", "", 128, 12),
        ["resnet20-w4"] = ("resnet20", "width=4", 128, 3),
        ["mlp"] = ("mlp", "hidden=400,200,100", 64, 300),
        ["transformer"] = ("bert", "vocabulary=1000;hidden=128;depth=4;heads=4;inner=512;length=64;positions=64;dropout=0", 32, 20),
    };

    /// <summary>Prints the median step's samples per second; with a profile, the time of each kind of operation too.</summary>
    public static void Run(string name, int? steps, bool profile)
    {
        var (model, options, batch, usual) = Cases[name];
        Dictionary<string, string> chosen = options.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]);
        Graph graph = Rewrite.ForTraining(ZooModel.Find(model).Build(batch, chosen, 1)).Graph;
        Node logits = graph.Outputs.Values.First(), labels = graph.Input("label", new(batch));
        Node loss = graph.Add(new SoftmaxCrossEntropy(), logits, labels);
        Node[] parameters = [.. graph.Parameters.Values.Where(p => p.Trainable)];
        Node[] gradients = Gradients.Of(loss, parameters);
        Executor executor = new(graph, [loss, .. gradients, .. graph.Updates.Values], new(Profile: profile));
        Optimizer optimizer = new(new Sgd(0.9), parameters);
        Fill(graph, executor, (int)logits.Shape[1]);
        Tensor[] ofParameters = [.. gradients.Select(g => executor[g])];

        List<double> seconds = [];
        for (int i = 0; i < (steps ?? usual) + 2; i++)
        {
            long start = Stopwatch.GetTimestamp();
            executor.Run();
            optimizer.Step(ofParameters, 0.01);
            foreach (var (parameter, value) in graph.Updates) executor[value].Span.CopyTo(parameter.Value!.Span);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        double[] sorted = [.. seconds.Skip(2).Order()];
        Console.WriteLine($"{batch / sorted[sorted.Length / 2]:F1}");
        if (profile) Print(executor);
    }

    private static void Fill(Graph graph, Executor executor, int classes)
    {
        Random random = new(1);
        foreach (Node input in graph.Inputs.Values)
        {
            int limit = input.Name switch { "label" => classes, "input_ids" => 1000, "attention_mask" => -1, _ => 0 };
            foreach (ref float x in executor[input].Span)
                x = limit switch { > 0 => random.Next(limit), < 0 => 1, _ => input.Type == DType.F32 ? (float)(random.NextDouble() * 2 - 1) : 0 };
        }
    }

    internal static void Print(Executor executor)
    {
        foreach (var kind in executor.Profile().GroupBy(o => o.Node.Op.Name).OrderByDescending(g => g.Sum(o => o.Time.TotalMilliseconds)))
        {
            double milliseconds = kind.Sum(o => o.Time.TotalMilliseconds) / kind.First().Runs, work = kind.Sum(o => (double)o.Node.Op.Work(o.Node));
            Console.WriteLine($"{kind.Key,-28} {kind.Count(),4} {milliseconds,9:F2} ms {work / milliseconds / 1e6,8:F1} GFLOP/s");
        }
    }
}
