using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Merging;
using Amalgam.Tests.Graphs;
using Amalgam.Tests.Training;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;

namespace Amalgam.Tests.Transfer;

public class IntegrationTests
{
    private static readonly Dataset Rings = NaiveNetwork.Rings(200, 1);

    public static TheoryData<string> Rules => ["cki", "cki hard", "tensor", "layer", "model"];

    [Theory, MemberData(nameof(Rules))]
    public void What_is_baked_is_the_host_operator_for_operator_with_the_outputs_of_what_was_trained(string rule)
    {
        Graph[] models = [Mlp(1), Mlp(2), Mlp(3)];
        Integration integration = new(models, Rule(rule));
        Train(integration.Graph, 3);
        Graph baked = integration.Bake();

        Assert.Equal(models[0].ToString(), baked.ToString());
        Assert.Equal(models[0].Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Trainable)), baked.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Trainable)));
        Tensor x = RandomGraph.Random(new(5), new(1, 2));
        float[] trained = Run(integration.Graph, x), result = Run(baked, x);
        for (int i = 0; i < result.Length; i++) Assert.Equal(trained[i], result[i], 1e-6);
        Assert.NotEqual(Run(models[0], x), result);
    }

    [Theory, MemberData(nameof(Rules))]
    public void The_models_stay_as_they_are(string rule)
    {
        Graph[] models = [Mlp(1), Mlp(2)];
        float[][] before = [.. models.Select(Weights)];
        Integration integration = new(models, Rule(rule), new() { Train = TrainScope.All, Vectors = VectorTreatment.Average });
        Train(integration.Graph, 2);
        Assert.Equal(before, models.Select(Weights));
        models[1].Parameters["fc2.weight"].Value!.Span.Clear();
        Assert.NotEqual(0, integration.Bake().Parameters["fc2.weight"].Value!.Span[0]);
    }

    [Fact]
    public void Training_the_splice_changes_nothing_else_and_lowers_the_loss()
    {
        Graph[] models = [Mlp(1), Mlp(2)];
        Integration integration = new(models, new LearnedCki());
        Assert.Equal(["splice/fc1.weight", "splice/fc2.weight"], integration.Graph.Parameters.Values.Where(p => p.Trainable).Select(p => p.Name!));
        float[] bias = models[0].Parameters["fc1.bias"].Value!.Span.ToArray();
        Trainer trainer = Train(integration.Graph, 20);
        Assert.Equal(bias, integration.Graph.Parameters["fc1.bias"].Value!.Span.ToArray());
        Assert.True(trainer.History[^1].Loss < trainer.History[0].Loss);
        Assert.Equal(bias, integration.Bake().Parameters["fc1.bias"].Value!.Span.ToArray());
    }

    [Fact]
    public void Training_all_leaves_the_biases_of_spliced_layers()
    {
        Integration integration = new([Mlp(1), Mlp(2)], new LearnedCki(), new() { Train = TrainScope.All, Include = name => name == "fc2.weight" });
        Assert.Equal(["fc1.bias", "fc1.weight", "splice/fc2.weight"], integration.Graph.Parameters.Values.Where(p => p.Trainable).Select(p => p.Name!).Order(StringComparer.Ordinal));
        Assert.Equal(["fc2.weight"], integration.Spliced);
    }

    [Fact]
    public void Vectors_are_the_hosts_the_mean_or_spliced()
    {
        Graph a = Mlp(1), b = Mlp(2);
        Integration With(VectorTreatment? vectors) => new([a, b], new LearnedCki(), new() { Vectors = vectors, Include = name => name == "fc2.weight" });
        float[] ofA = a.Parameters["fc2.bias"].Value!.Span.ToArray(), ofB = b.Parameters["fc2.bias"].Value!.Span.ToArray();
        Assert.Equal(ofA, With(null).Bake().Parameters["fc2.bias"].Value!.Span.ToArray());
        Assert.Equal(ofA.Zip(ofB, (x, y) => (float)((x + (double)y) / 2)), With(VectorTreatment.Average).Bake().Parameters["fc2.bias"].Value!.Span.ToArray());
        Assert.Equal(a.Parameters["fc1.bias"].Value!.Span.ToArray(), With(VectorTreatment.Average).Bake().Parameters["fc1.bias"].Value!.Span.ToArray());
        Assert.Equal(["fc2.bias", "fc2.weight"], With(VectorTreatment.Splice).Spliced.Order());
    }

    [Fact]
    public void Coefficients_begin_at_the_average_and_at_a_share_of_the_task_vectors()
    {
        Graph origin = Mlp(1), a = Mlp(2), b = Mlp(3);
        Dictionary<string, float[]> mean = Values(new Integration([a, b], new LearnedCoefficients()).Bake()), tasks = Values(new Integration([a, b], new LearnedCoefficients(), new() { Base = origin }).Bake());
        foreach (string name in origin.Parameters.Keys)
        {
            float[] w0 = Values(origin)[name], w1 = Values(a)[name], w2 = Values(b)[name];
            for (int i = 0; i < w0.Length; i++)
            {
                Assert.Equal((w1[i] + (double)w2[i]) / 2, mean[name][i], 1e-6);
                Assert.Equal(w0[i] + 0.3 * (w1[i] - w0[i]) + 0.3 * (w2[i] - w0[i]), tasks[name][i], 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(CoefficientScope.Tensor, "bert.encoder.layer.3.output.dense.weight", "bert.encoder.layer.3.output.dense.weight")]
    [InlineData(CoefficientScope.Layer, "bert.encoder.layer.3.output.dense.weight", "bert.encoder.layer.3")]
    [InlineData(CoefficientScope.Layer, "layer1.0.conv1.weight", "layer1.0")]
    [InlineData(CoefficientScope.Layer, "head.2.bias", "head.2")]
    [InlineData(CoefficientScope.Layer, "fc1.weight", "fc1")]
    [InlineData(CoefficientScope.Layer, "w", "w")]
    [InlineData(CoefficientScope.Model, "fc1.weight", "model")]
    public void A_coefficient_is_of_a_tensor_a_layer_or_the_model(CoefficientScope per, string name, string key) => Assert.Equal(key, new LearnedCoefficients(per).Key(name));

    [Fact]
    public void Coefficients_are_learned_with_labels_and_without()
    {
        Graph[] models = [Trained(1), Mlp(2)];
        Integration labelled = new(models, new LearnedCoefficients(CoefficientScope.Model));
        Trainer trainer = Train(labelled.Graph, 40);
        Assert.True(trainer.History[^1].Loss < 0.8 * trainer.History[0].Loss, $"{trainer.History[0].Loss} {trainer.History[^1].Loss}");
        float[] coefficients = labelled.Graph.Parameters["coefficients/model"].Value!.Span.ToArray();
        Assert.True(coefficients[0] > coefficients[1], string.Join(' ', coefficients));

        Integration unlabelled = new(models, new LearnedCoefficients());
        Trainer sure = Train(unlabelled.Graph, 20, new PredictionEntropy());
        Assert.True(sure.History[^1].Loss < sure.History[0].Loss);
        Assert.Null(sure.History[0].Accuracy);
    }

    [Fact]
    public void The_entropy_of_predictions_is_that_of_their_softmax()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 3));
        LossNodes loss = new PredictionEntropy().Add(x);
        Assert.Null(loss.Truth);
        Tensor scores = new(x.Shape, [0, 0, 0, MathF.Log(2), MathF.Log(1), MathF.Log(1)]);
        float found = RandomGraph.Evaluate(graph, new Dictionary<string, Tensor> { ["x"] = scores })[loss.Value].Span[0];
        Assert.Equal((Math.Log(3) + 0.5 * Math.Log(2) + 0.5 * Math.Log(4)) / 2, found, 1e-6);
    }

    [Fact]
    public void What_a_rule_makes_of_each_weight_can_be_seen()
    {
        Integration integration = new([Mlp(1), Mlp(2)], new LearnedCki(new(CkiSplice.Hard)));
        Assert.Equal(["fc1.weight", "fc2.weight"], integration.Inspect().Select(w => w.Name));
        foreach (SplicedWeight weight in integration.Inspect())
        {
            Assert.Equal(1, weight.Global.Sum(g => g.Span[0]), 1e-6);
            Assert.All(weight.Shares.Concat(weight.Local), t => Assert.Equal(weight.Shape, t.Shape));
            for (int i = 0; i < weight.Shape.Count; i++) Assert.Equal(1, weight.Shares.Sum(s => s.Span[i]), 1e-6);
        }

        SplicedWeight coefficients = new Integration([Mlp(1), Mlp(2)], new LearnedCoefficients()).Inspect()[0];
        Assert.Equal([0.5f, 0.5f], coefficients.Shares.Select(s => s.Span[0]));
        Assert.Empty(coefficients.Global);
    }

    [Fact]
    public void Statistics_are_averaged_where_vectors_are_not_the_hosts()
    {
        Graph a = Normalised(1), b = Normalised(3);
        Integration integration = new([a, b], new LearnedCoefficients());
        Assert.Equal(["w", "scale", "shift"], integration.Spliced);
        Assert.Equal([2f, 2f], integration.Graph.Parameters["var"].Value!.Span.ToArray());
        Assert.Equal([1f, 1f], new Integration([a, b], new LearnedCki(), new() { Include = name => name == "w" }).Graph.Parameters["var"].Value!.Span.ToArray());
        // Where names are given, the statistics of the other norms stay the host's.
        foreach (VectorTreatment vectors in new[] { VectorTreatment.Average, VectorTreatment.Splice })
        {
            Assert.Equal([1f, 1f], new Integration([a, b], new LearnedCoefficients(), new() { Include = name => name == "w", Vectors = vectors }).Graph.Parameters["var"].Value!.Span.ToArray());
            Assert.Equal([2f, 2f], new Integration([a, b], new LearnedCoefficients(), new() { Include = name => name is "w" or "scale", Vectors = vectors }).Graph.Parameters["var"].Value!.Span.ToArray());
        }
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 4)]
    public void P_mixes_the_axis_that_the_operation_sums_over(bool isOutIn, int size)
    {
        Graph Network(int seed)
        {
            Graph graph = new();
            Node x = graph.Input("x", new(2, size));
            graph.Output("y", x.MatMul(Parameter(graph, "w", seed, isOutIn ? 7 : size, isOutIn ? size : 7), false, isOutIn));
            return graph;
        }

        Integration integration = new([Network(1), Network(2)], new LearnedCki());
        Assert.Equal(new Shape(size, size), integration.Graph.Parameters["splice/w"].Shape);
        Assert.Equal(new Shape(isOutIn ? 7 : size, isOutIn ? size : 7), integration.Bake().Parameters["w"].Shape);
    }

    [Fact]
    public void Weights_that_one_model_lacks_are_told_of()
    {
        Graph a = Mlp(1), b = new();
        b.Output("scores", b.Input("point", new(1, 2)).MatMul(Parameter(b, "fc1.weight", 1, 2, 6)).MatMul(Parameter(b, "other.weight", 1, 6, 2)));
        Integration integration = new([a, b], new LearnedCki());
        Assert.Equal(["fc1.weight"], integration.Spliced);
        Assert.Equal(["fc2.weight", "other.weight"], integration.Unshared);
        Assert.Equal(0, integration.Host);
    }

    [Fact]
    public void A_layer_too_wide_for_P_is_refused()
    {
        static Graph Wide()
        {
            Graph graph = new();
            graph.Output("y", graph.Input("x", new(1, 20_000)).Linear(graph.Parameter("w", new Tensor(new(1, 20_000)))));
            return graph;
        }

        Assert.Contains("'w' [1,20000] needs a matrix [20000,20000] of compatibilities, 1.6 GB", Assert.Throws<GraphException>(() => new Integration([Wide(), Wide()], new LearnedCki())).Message);
    }

    [Fact]
    public void A_model_that_makes_weights_for_each_sample_is_the_host_and_stays_dynamic()
    {
        Graph still = RealMlp(1), dynamic = Hyper(2);
        Integration integration = new([still, dynamic], new LearnedCki(), new() { Include = name => name == "fc2.weight", Seed = 3 });
        Assert.True(integration.IsDynamic);
        Assert.Equal(1, integration.Host);
        Assert.Equal(["fc2.weight"], integration.Spliced);
        Assert.Equal(new Shape(1, 2, 6), integration.Graph.Find("fc2.weight")!.Shape);
        Assert.Contains(integration.Graph.Parameters.Keys, name => name == "hyper.weight");
        Trainer trainer = Train(integration.Graph, 20);
        Assert.True(trainer.History[^1].Loss < trainer.History[0].Loss);

        Graph many = Rewrite.Resize(integration.Graph, 4).Graph;
        Tensor x = RandomGraph.Random(new(5), new(4, 2));
        float[] together = Run(many, x);
        for (int i = 0; i < 4; i++)
        {
            float[] alone = Run(integration.Graph, new(new(1, 2), x.Span.Slice(2 * i, 2).ToArray()));
            for (int c = 0; c < 2; c++) Assert.Equal(alone[c], together[2 * i + c], 1e-5);
        }

        SplicedWeight seen = integration.Inspect(executor => x.Span[..2].CopyTo(executor["point"].Span))[0];
        Assert.Equal(new Shape(1, 2, 6), seen.Shares[0].Shape);
    }

    [Fact]
    public void A_dynamic_integration_is_written_as_ONNX()
    {
        using TemporaryFolder folder = new();
        Integration integration = new([RealMlp(1), Hyper(2)], new LearnedCki(), new() { Include = name => name == "fc2.weight" });
        Tensor x = RandomGraph.Random(new(7), new(3, 2));
        Graph graph = Rewrite.Resize(integration.Bake(), 3).Graph;
        OnnxModel.Write(graph, folder["m.onnx"]);
        using OnnxModel file = OnnxModel.Open(folder["m.onnx"]);
        float[] expected = Run(graph, x), found = Run(file.ToGraph(), x);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-5);
    }

    [Fact]
    public void Models_that_do_not_belong_together_are_refused()
    {
        static string Message(params Graph[] models) => Assert.Throws<GraphException>(() => new Integration(models, new LearnedCki(), new() { Include = name => name == "fc2.weight" })).Message;
        Assert.Contains("takes two models or more, found 1", Message(Mlp(1)));
        Assert.Contains("'fc2.weight' has shape [6,2] in one model and [5,2] in another", Message(Mlp(1), NaiveNetwork.Build(5, 2, 1)));
        Assert.Contains("models 1 and 2 make weights for each sample", Assert.Throws<GraphException>(() => new Integration([Hyper(1), Hyper(2), RealMlp(1)], new LearnedCki())).Message);
        Graph other = new();
        other.Output("y", other.Input("image", new(1, 2)) * other.Parameter("fc2.weight", new(new(1, 2))));
        Assert.Contains("take other inputs: 'point', and 'image'", Message(Mlp(1), other));
        Assert.Contains("nothing is spliced", Assert.Throws<GraphException>(() => new Integration([Mlp(1), Mlp(2)], new LearnedCki(), new() { Include = _ => false })).Message);
        Graph small = new();
        small.Parameter("fc1.weight", new(new(1, 6)));
        Assert.Contains("'fc1.weight' has shape [2,6] in the models and [1,6] in the base", Assert.Throws<GraphException>(() => new Integration([Mlp(1), Mlp(2)], new LearnedCoefficients(), new() { Base = small })).Message);
        Assert.Contains("the base has no weight 'fc1.weight'", Assert.Throws<GraphException>(() => new Integration([Mlp(1), Mlp(2)], new LearnedCoefficients(), new() { Base = new Graph() })).Message);
    }

    private static WeightRule Rule(string name) => name switch
    {
        "cki" => new LearnedCki(),
        "cki hard" => new LearnedCki(new(CkiSplice.Hard)),
        "tensor" => new LearnedCoefficients(),
        "layer" => new LearnedCoefficients(CoefficientScope.Layer),
        _ => new LearnedCoefficients(CoefficientScope.Model),
    };

    private static Graph Mlp(int seed) => NaiveNetwork.Build(6, 2, seed);

    private static Graph Trained(int seed)
    {
        Graph network = Mlp(seed);
        Train(network, 30);
        return network;
    }

    /// <summary>The network of <see cref="Mlp"/> by the library's operators, weights [out, in].</summary>
    private static Graph RealMlp(int seed)
    {
        Graph graph = new();
        graph.Output("scores", Hidden(graph, seed).Linear(Parameter(graph, "fc2.weight", seed, 2, 6)));
        return graph;
    }

    /// <summary>The same, but for its second layer, which is made for each sample: a node with the name of the other network's parameter.</summary>
    private static Graph Hyper(int seed)
    {
        Graph graph = new();
        Node x = Hidden(graph, seed);
        Node made = graph.Add(new Reshape(), "fc2.weight", x.Linear(Parameter(graph, "hyper.weight", seed, 12, 6)), graph.Constant([0, 2, 6]));
        graph.Output("scores", x.Unsqueeze(1).MatMul(made, false, true).Squeeze(1));
        return graph;
    }

    private static Node Hidden(Graph graph, int seed) => graph.Input("point", new(1, 2)).Linear(Parameter(graph, "fc1.weight", seed, 6, 2), Parameter(graph, "fc1.bias", seed, 6)).Tanh();

    private static Node Parameter(Graph graph, string name, int seed, params long[] sizes) => graph.Parameter(name, Initialisation.Normal(0.5).Draw(new(sizes), seed, name));

    private static Graph Normalised(float variance)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(4, 2)).Linear(graph.Parameter("w", new(new(2, 2), [1, 2, 3, 4])));
        graph.Output("y", graph.Add(new BatchNormalization(), x, graph.Parameter("scale", Tensor.Vector(1, 1)), graph.Parameter("shift", Tensor.Vector(0, 0)),
            graph.Parameter("mean", Tensor.Vector(0, 0), trainable: false), graph.Parameter("var", Tensor.Vector(variance, variance), trainable: false)));
        return graph;
    }

    private static Trainer Train(Graph network, int epochs, Amalgam.Training.Loss? loss = null)
    {
        Trainer trainer = new(network, loss ?? new CrossEntropy(), Rings, new() { Rule = new Adam(), Rate = 0.02, Epochs = epochs, Batch = 50, Seed = 3 });
        trainer.Run();
        return trainer;
    }

    private static float[] Run(Graph graph, Tensor x) => RandomGraph.Run(graph, new Dictionary<string, Tensor> { ["point"] = x })["scores"].Span.ToArray();

    private static float[] Weights(Graph graph) => [.. graph.Parameters.Values.SelectMany(p => p.Value!.Span.ToArray())];

    private static Dictionary<string, float[]> Values(Graph graph) => graph.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Span.ToArray());
}
