using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Benchmarks;

/// <summary>
/// Items scored per second in training a recommender on clicks with 4 negatives for each, beside bench/peers/din_torch.py: the same networks, data, loss and optimiser.
/// bench/din-speed.sh runs both in turn.
/// </summary>
internal static class DinSpeed
{
    private const int Length = 30, Negatives = 4, Candidates = 99, WarmUp = 300;

    /// <summary>
    /// Prints items per second of steps whose data lies ready, and of steps that draw their negatives and gather their histories. On one thread the time is the
    /// processor's.
    /// </summary>
    /// <param name="file">A file of sequences.</param>
    /// <param name="form"><c>groups</c> of a history with all its items, or <c>rows</c> of a history with one.</param>
    /// <param name="batch">Groups or rows in a step.</param>
    /// <param name="model">The network's name, with <c>+</c> after it for the dynamic one, <c>*</c> for that one integrated with a static one.</param>
    /// <param name="steps">Steps that are timed.</param>
    /// <param name="threads">Threads that work.</param>
    /// <param name="profile">Prints the time of each kind of operation too.</param>
    public static void Run(string file, string form, int batch, string model, int steps, int threads, bool profile)
    {
        using CoreLimit limit = Cores.Limit(threads);
        Clicks clicks = Clicks(file, Split.Train, form == "rows" ? 1 : Negatives);
        Dataset data = form == "rows" ? new Rows(clicks, 1 + Negatives) : clicks;
        Graph graph = Rewrite.ForTraining(DataInputs.Fit(Network(model, clicks), data, batch)).Graph;
        Node logits = graph.Outputs.Values.First(), labels = graph.Input("label", logits.Shape);
        Node loss = graph.Add(new BinaryCrossEntropyWithLogits(), logits, labels);
        Node[] parameters = [.. graph.Parameters.Values.Where(p => p.Trainable)], gradients = Gradients.Of(loss, parameters);
        Executor executor = new(graph, [loss, .. gradients], new(Profile: profile));
        Optimizer optimizer = new(new Adam(), parameters);
        Tensor[] ofParameters = [.. gradients.Select(g => executor[g])];
        Batches batches = new(data, batch);
        Tensor?[] inputs = DataInputs.Bind(data, graph, batch, labels, executor);

        List<double> ready = [], drawing = [];
        for (int i = 0; i < steps + WarmUp; i++)
        {
            if (i == WarmUp) executor.ClearProfile();
            double start = Now(threads);
            batches.Fill(i, inputs);
            double filled = Now(threads);
            executor.Run();
            optimizer.Step(ofParameters, 1e-3);
            if (i < WarmUp) continue;
            double end = Now(threads);
            ready.Add(end - filled);
            drawing.Add(end - start);
        }

        Console.WriteLine($"{logits.Shape.Count / Median(ready):F0} {logits.Shape.Count / Median(drawing):F0}");
        if (profile) TrainingSpeed.Print(executor);
    }

    /// <summary>
    /// Prints the seconds of an evaluation, twice: 100 items are scored for every user, then ranks, AUC and UAUC are taken of them. The first time holds the compilation
    /// of the kernels. On one thread they are the processor's.
    /// </summary>
    public static void Evaluate(string file, string model, int threads)
    {
        using CoreLimit limit = Cores.Limit(threads);
        Clicks clicks = Clicks(file, Split.Test, Candidates);
        Graph network = Network(model, clicks);
        for (int i = 0; i < 2; i++)
        {
            double start = Now(threads);
            Measure.Of(Predictions.Of(network, clicks, 128), clicks, []);
            Console.WriteLine($"{Now(threads) - start:F2}");
        }
    }

    private static Clicks Clicks(string file, Split split, int drawn) => new(Path.GetFileName(file), Interactions.ReadSequences(file), split, Length, drawn);

    private static Graph Network(string model, Clicks clicks)
    {
        Graph One(bool hyper, long seed) => ZooModel.Find(model.TrimEnd('+', '*'))
            .Build(1, new Dictionary<string, string> { ["items"] = $"{clicks.Ids}", ["length"] = $"{Length}", ["hyper"] = hyper ? "true" : "false" }, seed);
        if (!model.EndsWith('*')) return One(model.EndsWith('+'), 1);
        IntegrationOptions options = new() { Include = name => name.StartsWith("head.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal) };
        return new Integration([One(true, 1), One(false, 2)], new LearnedCki(), options).Graph;
    }

    private static double Now(int threads) => threads == 1 ? Environment.CpuUsage.TotalTime.TotalSeconds : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>A clicked item and those drawn with it, each a sample with a history of its own, as public code has them.</summary>
    /// <param name="pairs">Groups of a clicked item and one drawn one.</param>
    /// <param name="items">Samples for each click.</param>
    private sealed class Rows(Clicks pairs, int items) : Dataset
    {
        public override string Name => pairs.Name;

        public override int Count => pairs.Count * items;

        public override ImmutableArray<Field> Fields { get; } = [.. pairs.Fields.Select(f => f.Name is "target" or "label" ? new Field(f.Name, new(1), f.Type) : f)];

        public override void Read(int field, int sample, Draw draw, Span<float> y)
        {
            int which = sample % items;
            if (Fields[field].Name is not ("target" or "label"))
            {
                pairs.Read(field, sample / items, draw, y);
                return;
            }

            Span<float> pair = stackalloc float[2];
            pairs.Read(field, sample / items, draw with { Epoch = draw.Epoch * items + which }, pair);
            y[0] = pair[which == 0 ? 0 : 1];
        }
    }
}
