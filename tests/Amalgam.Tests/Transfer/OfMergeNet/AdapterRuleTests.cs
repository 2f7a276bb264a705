using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>What an adapter's parameters are updated by, against the network whose weight is the adapter's expression, differentiated as one graph.</summary>
public class AdapterRuleTests
{
    private const double Rate = 0.3, AdapterRate = 2;

    private static readonly TrainingOptions OneStep = new() { Rule = new Sgd(), Rate = Rate, Epochs = 1, Batch = 48, Seed = 5 };

    /// <summary>The change of a plain step is -eta dL/dW, so the adapter's gradient is eta times that of the chain rule (6.4 of the specification).</summary>
    [Theory]
    [InlineData(AdapterRule.Change, Rate)]
    [InlineData(AdapterRule.ChainRule, 1)]
    public void With_plain_gradient_steps_both_rules_are_the_chain_rule_up_to_the_rate(AdapterRule rule, double factor)
    {
        Dictionary<string, float[]> first = [], after = Update(rule, OneStep, first);
        Dictionary<string, double[]> gradients = ByOneGraph();
        Assert.Equal(3, gradients.Count);
        foreach (var (name, gradient) in gradients)
        {
            double scale = gradient.Max(Math.Abs);
            Assert.True(scale > 1e-4, name);
            for (int i = 0; i < gradient.Length; i++) Assert.Equal(gradient[i] * factor * AdapterRate, first[name][i] - after[name][i], 2e-3 * scale * factor * AdapterRate + 1e-6);
        }
    }

    /// <summary>Decay is in the change too, as it is what became of the weights: to -eta dL/dW comes -eta decay W, whose product with d W / d keep, the target that was, is known.</summary>
    [Fact]
    public void The_change_is_that_of_the_targets_own_optimiser()
    {
        const double Decay = 0.5;
        TrainingOptions decaying = OneStep with { Rule = new Sgd(0, false, Decay) };
        Dictionary<string, float[]> first = [], plain = Update(AdapterRule.Change, OneStep, first), decayed = Update(AdapterRule.Change, decaying, []);
        Tensor target = Samples.Of("mlp", 2).Network.Parameters[JointTrainingTests.Name(1)].Value!, generated = Generated(first);
        double expected = 0;
        for (int i = 0; i < target.Count; i++) expected += Rate * Decay * target.Span[i] * (first["a"][0] * (double)target.Span[i] + generated.Span[i]);
        Assert.Equal(AdapterRate * expected, plain["a"][0] - decayed["a"][0], 1e-3 * AdapterRate * expected);
        Assert.Equal(Update(AdapterRule.ChainRule, OneStep, [])["p"], Update(AdapterRule.ChainRule, decaying, [])["p"]);
    }

    /// <summary>A target whose optimum is a linear map of the source: with a learning rate at which it hardly moves by itself, the adapter brings it there (item 44 of the specification).</summary>
    [Fact]
    public void The_adapter_learns_what_the_target_wants_from_the_source()
    {
        Random random = new(1);
        Tensor source = Draw(random, 4, 5, 1), map = Draw(random, 5, 6, 0.5f), best = new(new(4, 6));
        new MatMul().Run([source, map], best);
        Learner still = Learner.Source("source", Linear(source)), learner = new("target", Linear(new Tensor(new(4, 6))), new SquaredError(), new Mapped(best, 400), new() { Rule = new Sgd(), Rate = 0.005, Epochs = 40, Batch = 40, Seed = 2 });
        double begin = Distance(learner.Network, best);

        Learner alone = learner with { Network = Surgery.Copy(learner.Network) };
        JointTrainingTests.Trained(alone);
        JointTraining joint = new([still, learner], [new(Matrix(still), Matrix(learner), new Blend(1, 0.05f), 1) { Optimizer = new Adam(), Rate = 0.01 }]);
        joint.Run();

        Assert.True(Distance(alone.Network, best) > 0.5 * begin, $"alone: {Distance(alone.Network, best)} of {begin}");
        Assert.True(Distance(joint.NetworkOf("target"), best) < 0.2 * begin, $"taught: {Distance(joint.NetworkOf("target"), best)} of {begin}");
    }

    /// <summary>What the transfer itself changed counts too: generated - target times the damping, whose product with d generated / d a, the target, is known.</summary>
    [Fact]
    public void Damping_adds_what_the_transfer_changed()
    {
        const double Damping = 0.25;
        Dictionary<string, float[]> first = [], plain = Update(AdapterRule.Change, OneStep, first), damped = Update(AdapterRule.Change, OneStep, [], Damping);
        Tensor target = Samples.Of("mlp", 2).Network.Parameters[JointTrainingTests.Name(1)].Value!, generated = Generated(first);
        double expected = 0;
        for (int i = 0; i < target.Count; i++) expected += Damping * target.Span[i] * (generated.Span[i] + (first["a"][0] - 1) * (double)target.Span[i]);
        Assert.True(Math.Abs(expected) > 1e-3);
        Assert.Equal(AdapterRate * expected, plain["a"][0] - damped["a"][0], 1e-3 * AdapterRate * Math.Abs(expected));
        Assert.Equal(Update(AdapterRule.ChainRule, OneStep, [])["p"], Update(AdapterRule.ChainRule, OneStep, [], Damping)["p"]);
    }

    /// <summary>
    /// A residual adapter adds to its target round by round: without damping the target swings about its optimum, and Adam's steps of one size feed that. With it, it comes nearer to the optimum than the target does alone.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Damping_keeps_a_residual_adapter_from_swinging(int cycle)
    {
        Random random = new(1);
        Tensor source = Draw(random, 4, 5, 1), map = Draw(random, 5, 6, 0.5f), best = new(new(4, 6));
        new MatMul().Run([source, map], best);
        Learner still = Learner.Source("source", Linear(source)), learner = new("target", Linear(Draw(random, 4, 6, 0.3f)), new SquaredError(), new Mapped(best, 400), new() { Rule = new Sgd(), Rate = 0.005, Epochs = 40, Batch = 40, Seed = 2 });
        Learner alone = learner with { Network = Surgery.Copy(learner.Network) };
        JointTrainingTests.Trained(alone);
        double[] ends = [.. new double?[] { 0, null }.Select(damping =>
        {
            JointTraining joint = new([still, learner], [new(Matrix(still), Matrix(learner), new LowRankAdapter { Layers = 1 }, cycle) { Damping = damping, TrustRegion = 0 }]);
            joint.Run();
            return Distance(joint.NetworkOf("target"), best);
        })];
        double byItself = Distance(alone.Network, best);
        Assert.True(ends[0] > byItself, $"without {ends[0]}, alone {byItself}");
        Assert.True(ends[1] < 0.9 * byItself, $"with {ends[1]}, alone {byItself}");
    }

    /// <summary>One round in which a teaches b; the adapter's parameters before and after, from the state that the run leaves.</summary>
    private static Dictionary<string, float[]> Update(AdapterRule rule, TrainingOptions options, Dictionary<string, float[]> first, double? damping = null)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        KnowledgeTransfer transfer = JointTrainingTests.Transfer("a", "b", 1) with { Rule = rule, Optimizer = new Sgd(), Settings = null, Rate = AdapterRate, ClipNorm = null, Damping = damping };
        Learner[] learners = [Learner.Source("a", Samples.Of("mlp", 1).Network), new("b", Samples.Of("mlp", 2).Network, new CrossEntropy(), Samples.Of("mlp", 2, 48).Data, options)];
        JointTraining joint = new(learners, [transfer], new() { StatePath = path });
        using (CancellationTokenSource stop = new())
        {
            stop.Cancel();
            Assert.Throws<OperationCanceledException>(() => joint.Run(cancel: stop.Token));
        }

        foreach (var (name, value) in Adapter(path)) first[name] = value;
        joint.Run();
        Assert.Equal(1, joint.Round);
        return Adapter(path);
    }

    private static Dictionary<string, float[]> Adapter(string path)
    {
        string prefix = $"adapters/{JointTrainingTests.Transfer("a", "b", 1).Name}/weights/";
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return checkpoint.Tensors.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Name[prefix.Length..], Values);
    }

    /// <summary>P source Q, what the adapter adds to a times the target.</summary>
    private static Tensor Generated(Dictionary<string, float[]> first)
    {
        Tensor source = Samples.Of("mlp", 1).Network.Parameters[JointTrainingTests.Name(2)].Value!, target = Samples.Of("mlp", 2).Network.Parameters[JointTrainingTests.Name(1)].Value!;
        Tensor p = new(new(target.Shape[0], source.Shape[0]), first["p"]), q = new(new(source.Shape[1], target.Shape[1]), first["q"]), ps = new(new(p.Shape[0], source.Shape[1])), generated = new(target.Shape);
        new MatMul().Run([p, source], ps);
        new MatMul().Run([ps, q], generated);
        return generated;
    }

    private static float[] Values(TensorEntry tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        tensor.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>The gradient of the loss by the adapter's parameters, where the weight is the adapter's expression of constants.</summary>
    private static Dictionary<string, double[]> ByOneGraph()
    {
        Graph a = Samples.Of("mlp", 1).Network;
        var (b, data) = Samples.Of("mlp", 2, 48);
        KnowledgeTransfer transfer = JointTrainingTests.Transfer("a", "b", 1);
        string from = transfer.Sources[0].Matrix.Name, to = transfer.Target.Matrix.Name;
        Graph joined = Surgery.Replace(b, new Dictionary<string, Func<Graph, Node, Node>>
        {
            [to] = (graph, own) => transfer.Adapter.Add(new(graph, graph.Constant(own.Value!.Copy()), graph.Constant(a.Parameters[from].Value!.Copy()), own.Value!, "phi/")),
        }).Graph;
        Graph graph = DataInputs.Fit(joined, data, 48);
        LossNodes loss = new CrossEntropy().Add(DataInputs.OutputOf(graph));
        Node[] parameters = [.. graph.Parameters.Values.Where(node => node.Name!.StartsWith("phi/", StringComparison.Ordinal))], gradients = Gradients.Of(loss.Value, parameters);
        Executor executor = new(graph, [.. gradients]);
        new Batches(data, 48, shuffle: false).Fill(0, DataInputs.Bind(data, graph, 48, loss.Truth, executor));
        executor.Run();
        return parameters.Select((node, i) => (node.Name, Value: executor[gradients[i]].Span.ToArray())).ToDictionary(p => p.Name![4..], p => p.Value.Select(x => (double)x).ToArray());
    }

    internal static Graph Linear(Tensor weight)
    {
        Graph graph = new();
        graph.Output("y", graph.Input("x", new(2, weight.Shape[1])).Linear(graph.Parameter("w", weight.Copy())));
        return graph;
    }

    private static TransferMatrix Matrix(Learner learner) => new(learner.Name, WeightMatrix.Of(learner.Network, "w"));

    internal static Tensor Draw(Random random, int rows, int columns, float scale)
    {
        Tensor value = new(new(rows, columns));
        foreach (ref float x in value.Span) x = (float)(random.NextDouble() * 2 - 1) * scale;
        return value;
    }

    internal static double Distance(Graph network, Tensor best) => Math.Sqrt(network.Parameters["w"].Value!.Span.ToArray().Zip(best.Span.ToArray(), (x, y) => Math.Pow(x - y, 2)).Sum());

    /// <summary>Random inputs, and what a matrix makes of them.</summary>
    internal sealed class Mapped(Tensor matrix, int count) : Dataset
    {
        public override string Name => "mapped";

        public override int Count => count;

        public override System.Collections.Immutable.ImmutableArray<Field> Fields { get; } = [new("x", new(matrix.Shape[1]), DType.F32), new("target", new(matrix.Shape[0]), DType.F32)];

        public override void Read(int field, int sample, Draw draw, Span<float> y)
        {
            Random random = new(sample);
            float[] x = [.. Enumerable.Range(0, (int)matrix.Shape[1]).Select(_ => (float)(random.NextDouble() * 2 - 1))];
            for (int i = 0; i < y.Length; i++) y[i] = field == 0 ? x[i] : x.Select((v, k) => v * matrix.Span[i * x.Length + k]).Sum();
        }
    }
}
