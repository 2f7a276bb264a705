using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>What the low-rank adapter learns in a round, with dropout, against the network whose weight is the adapter's expression, differentiated as one graph.</summary>
public class LowRankRuleTests
{
    private const double Rate = 0.3, AdapterRate = 200;
    private const string Phi = "phi/";

    public static TheoryData<AdapterForm, AdapterRule, string> Cases
    {
        get
        {
            TheoryData<AdapterForm, AdapterRule, string> cases = [];
            foreach (AdapterForm form in Enum.GetValues<AdapterForm>())
            {
                foreach (AdapterRule rule in Enum.GetValues<AdapterRule>())
                {
                    foreach (string what in new[] { "whole", "rank 2", "rows" }) cases.Add(form, rule, what);
                }
            }

            return cases;
        }
    }

    /// <summary>A plain step is -eta dL/dA of what the adapter wrote, be it the weight, a factor A of it or some of its rows (6.4 of the specification).</summary>
    [Theory, MemberData(nameof(Cases))]
    public void A_round_updates_the_adapter_by_the_gradient_of_the_whole(AdapterForm form, AdapterRule rule, string what)
    {
        KnowledgeTransfer transfer = Transfer(form, what) with { Rule = rule };
        Dictionary<string, float[]> first = [], after = Round(transfer, Options(48), 1, first);
        Graph joined = Joined(transfer, first, out Dataset data);
        Graph graph = Rewrite.ForTraining(DataInputs.Fit(joined, data, 48)).Graph;
        LossNodes loss = new CrossEntropy().Add(DataInputs.OutputOf(graph));
        Executor executor = With(graph, transfer, loss.Value, out Node[] parameters, out Node[] gradients);
        new Batches(data, 48, shuffle: false).Fill(0, DataInputs.Bind(data, graph, 48, loss.Truth, executor));
        executor.Run();
        Compare(parameters, executor, gradients, first, after, AdapterRate * (rule == AdapterRule.Change ? Rate : 1));
    }

    /// <summary>Two steps of the target in a round: the change is that of both, from what was written on.</summary>
    [Theory]
    [InlineData(AdapterForm.Residual)]
    [InlineData(AdapterForm.Published)]
    public void The_change_is_that_of_all_steps_of_a_round(AdapterForm form)
    {
        KnowledgeTransfer transfer = Transfer(form, "whole");
        TrainingOptions options = Options(24) with { Rule = new Sgd(0.9) };
        Dictionary<string, float[]> first = [], after = Round(transfer, options, 2, first);
        Graph graph = Rewrite.ForTraining(Joined(transfer, first, out Dataset data)).Graph;
        Node generated = graph.Nodes.Last(node => node.Shape == transfer.Target.Matrix.Shape && node.Op is not Leaf && !DependsOnInput(node));
        float[] written = Value(graph, transfer, generated);
        Graph alone = Samples.Of("mlp", 2).Network;
        written.CopyTo(alone.Parameters[transfer.Target.Matrix.Name].Value!.Span);
        new Trainer(alone, new CrossEntropy(), data, options).Run();
        Tensor change = new(generated.Shape, [.. written.Zip(alone.Parameters[transfer.Target.Matrix.Name].Value!.Span.ToArray(), (before, then) => before - then)]);
        Executor executor = With(graph, transfer, (generated * graph.Constant(change)).Sum(), out Node[] parameters, out Node[] gradients);
        executor.Run();
        Compare(parameters, executor, gradients, first, after, AdapterRate);
    }

    /// <summary>
    /// A target whose optimum is a linear map of the source: the adapter brings it nearer in the time in which it hardly moves by itself (item 44 of the specification). In the residual form what is generated adds up from
    /// round to round, so that steps of a fixed size swing about the optimum; there plain steps are taken.
    /// </summary>
    [Theory]
    [InlineData(AdapterForm.Published, 0.01, 0.35)]
    [InlineData(AdapterForm.Residual, 1, 0.8)]
    public void The_adapter_learns_what_the_target_wants(AdapterForm form, double rate, double most)
    {
        Random random = new(1);
        Tensor source = AdapterRuleTests.Draw(random, 4, 5, 1), map = AdapterRuleTests.Draw(random, 5, 6, 0.5f), best = new(new(4, 6));
        new MatMul().Run([source, map], best);
        Learner still = Learner.Source("source", AdapterRuleTests.Linear(source));
        Learner learner = new("target", AdapterRuleTests.Linear(AdapterRuleTests.Draw(random, 4, 6, 0.3f)), new SquaredError(), new AdapterRuleTests.Mapped(best, 400), new() { Rule = new Sgd(), Rate = 0.005, Epochs = 40, Batch = 40, Seed = 2 });
        double begin = AdapterRuleTests.Distance(learner.Network, best);
        Learner alone = learner with { Network = Surgery.Copy(learner.Network) };
        JointTrainingTests.Trained(alone);
        KnowledgeTransfer transfer = new(JointTrainingTests.Of(still, "w"), JointTrainingTests.Of(learner, "w"), new LowRankAdapter { Layers = 1, Form = form, AttentionDropout = 0, Dropout = 0 }, 1) { Rate = rate, Schedule = new ConstantRate() };
        JointTraining joint = new([still, learner], [form == AdapterForm.Residual ? transfer with { Optimizer = new Sgd() } : transfer]);
        joint.Run();
        double byItself = AdapterRuleTests.Distance(alone.Network, best), taught = AdapterRuleTests.Distance(joint.NetworkOf("target"), best);
        Assert.True(byItself > 0.6 * begin, $"alone: {byItself} of {begin}");
        Assert.True(taught < most * byItself, $"taught: {taught}, alone {byItself}");
    }

    private static TrainingOptions Options(int batch) => new() { Rule = new Sgd(), Rate = Rate, Epochs = 1, Batch = batch, Seed = 5 };

    private static KnowledgeTransfer Transfer(AdapterForm form, string what)
    {
        WeightMatrix weight = WeightMatrix.Of(Samples.Of("mlp", 2).Network, JointTrainingTests.Name(1), rows: what == "rows" ? (3, 4) : null);
        TransferMatrix target = new("b", weight, what == "rank 2" ? 2 : 0);
        return new(JointTrainingTests.Of("a", 2), target, new Shaken(new() { Form = form, Heads = 2 }), 1) { Optimizer = new Sgd(), Settings = null, Rate = AdapterRate, ClipNorm = null, Damping = 0, Seed = 4 };
    }

    /// <summary>One round in which a teaches b; the adapter's parameters before and after, from the states that the run leaves.</summary>
    private static Dictionary<string, float[]> Round(KnowledgeTransfer transfer, TrainingOptions options, int steps, Dictionary<string, float[]> first)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        var (network, data) = Samples.Of("mlp", 2, 48);
        JointTraining joint = new([Learner.Source("a", Samples.Of("mlp", 1).Network), new("b", network, new CrossEntropy(), data, options) { StepsPerRound = steps }], [transfer], new() { StatePath = path });
        Assert.Throws<OperationCanceledException>(() => joint.Run(cancel: new(true)));
        foreach (var (name, value) in Adapter(path, transfer)) first[name] = value;
        joint.Run();
        Assert.Equal(1, joint.Round);
        return Adapter(path, transfer);
    }

    private static Dictionary<string, float[]> Adapter(string path, KnowledgeTransfer transfer)
    {
        string prefix = $"adapters/{transfer.Name}/weights/";
        using Checkpoint checkpoint = Checkpoint.Open(path);
        Dictionary<string, float[]> found = [];
        foreach (TensorEntry tensor in checkpoint.Tensors.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            float[] values = found[tensor.Name[prefix.Length..]] = new float[tensor.Shape.Count];
            tensor.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
        }

        return found;
    }

    /// <summary>The target network with the adapter's expression of constants where its matrix was.</summary>
    private static Graph Joined(KnowledgeTransfer transfer, Dictionary<string, float[]> first, out Dataset data)
    {
        TransferMatrix target = transfer.Target;
        LowRank low = new(target.Matrix, Math.Max(1, target.Rank));
        (Graph b, data) = Samples.Of("mlp", 2, 48);
        if (target.Rank > 0) b = LowRank.Encode(b, [low], 5);
        Tensor source = Samples.Of("mlp", 1).Network.Parameters[transfer.Sources[0].Matrix.Name].Value!;
        Graph joined = Surgery.Replace(b, new Dictionary<string, Func<Graph, Node, Node>>
        {
            [target.Rank > 0 ? low.NameOfA : target.Matrix.Name] = (graph, own) =>
            {
                bool isPart = target.Matrix.Rows < target.Matrix.AllRows;
                int from = target.Matrix.FirstRow, to = from + target.Matrix.Rows;
                Node whole = graph.Constant(own.Value!.Copy()), part = isPart ? whole.Slice(0, from, to) : whole;
                Node made = transfer.Adapter.Add(new(graph, part, graph.Constant(source.Copy()), part.Known!, Phi));
                return isPart ? Layout.Concat(0, whole.Slice(0, 0, from), made, whole.Slice(0, to, target.Matrix.AllRows)) : made;
            },
        }).Graph;
        Assert.Equal(first.Count, joined.Parameters.Keys.Count(name => name.StartsWith(Phi, StringComparison.Ordinal)));
        foreach (var (name, value) in first) value.CopyTo(joined.Parameters[Phi + name].Value!.Span);
        return joined;
    }

    private static Executor With(Graph graph, KnowledgeTransfer transfer, Node of, out Node[] parameters, out Node[] gradients)
    {
        parameters = [.. graph.Parameters.Values.Where(node => node.Trainable && node.Name!.StartsWith(Phi, StringComparison.Ordinal))];
        gradients = Gradients.Of(of, parameters);
        Executor executor = new(graph, gradients);
        Seed(executor, transfer);
        return executor;
    }

    private static float[] Value(Graph graph, KnowledgeTransfer transfer, Node node)
    {
        Executor executor = new(graph, [node]);
        Seed(executor, transfer);
        executor.Run();
        return executor[node].Span.ToArray();
    }

    /// <summary>The masks of the first round.</summary>
    private static void Seed(Executor executor, KnowledgeTransfer transfer)
    {
        executor[TrainingForm.StepName].Span[0] = 0;
        executor[TrainingForm.SeedName].Span[0] = (long)(Philox.Key(transfer.Seed, transfer.Name, 0) >> 1) & ((1 << 24) - 1);
    }

    private static void Compare(Node[] parameters, Executor executor, Node[] gradients, Dictionary<string, float[]> first, Dictionary<string, float[]> after, double factor)
    {
        double largest = gradients.Max(g => executor[g].Span.ToArray().Max(v => Math.Abs((double)v))) * factor;
        Assert.True(largest > 1e-2, $"{largest}");
        for (int k = 0; k < parameters.Length; k++)
        {
            string name = parameters[k].Name![Phi.Length..];
            float[] expected = executor[gradients[k]].Span.ToArray();
            double scale = expected.Max(v => Math.Abs((double)v)) * factor;
            for (int i = 0; i < expected.Length; i++)
            {
                double found = first[name][i] - after[name][i];
                Assert.True(Math.Abs(expected[i] * factor - found) <= 5e-3 * scale + 1e-5 * largest + 5e-7, $"{name}[{i}]: {found}, expected {expected[i] * factor}");
            }
        }
    }

    private static bool DependsOnInput(Node node) => (node.Op is Input && !TrainingForm.Fills(node)) || node.Inputs.Any(DependsOnInput);

    /// <summary>The low-rank adapter, begun where nothing is zero, so that every parameter has a gradient.</summary>
    private sealed record Shaken(LowRankAdapter Inner) : ParameterAdapter
    {
        public override string Name => "shaken";

        public override string Description => $"{Name}, {Inner.Description}";

        public override Node Add(AdapterSite site)
        {
            Node result = Inner.Add(site);
            Generator gen = new(8);
            foreach (Node node in site.Graph.Parameters.Values.Where(node => node.Trainable && (site.Prefix.Length == 0 || node.Name!.StartsWith(site.Prefix, StringComparison.Ordinal))))
            {
                foreach (ref float value in node.Value!.Span) value += 0.2f * (float)(gen.Random.NextDouble() - 0.5);
            }

            return result;
        }
    }
}
