using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>The recommenders against their formulas in double precision.</summary>
public class RecommenderTests
{
    private const int Size = 6, Length = 5;

    /// <summary>Users' last clicks, padded on the left, and the items that are scored.</summary>
    private static readonly (int[] Items, int[] Targets)[] Users = [([3, 7, 1, 9, 2], [4, 5]), ([0, 0, 5, 6, 8], [9, 2]), ([0, 0, 0, 0, 11], [1, 11])];

    [Theory, InlineData(false), InlineData(true)]
    public void Din_weighs_the_clicks_by_attention_of_the_target(bool hyper) => Check(new Din(12, Size, Length) { Hyper = hyper }, (net, clicks, target) =>
    {
        double[] wanted = Tanh(net.Linear(target, "target_layer")), key = net.Linear(wanted, "attention.target_key");
        double[][] history = [.. clicks.OfType<double[]>().Select(c => Tanh(net.Linear(c, "history_layer")))];
        double[] share = [.. history.Select(c => Math.Exp(Dot(key, net.Linear(c, "attention.item_key")) / Math.Sqrt(Size)))];
        double[] attended = new double[Size];
        for (int i = 0; i < history.Length; i++) attended = NaiveTransformer.Add(attended, Times(net.Linear(history[i], "attention.item_value"), share[i] / share.Sum()));
        return [.. wanted, .. attended];
    });

    [Theory, InlineData(false), InlineData(true)]
    public void Gru4Rec_steps_as_PyTorchs_gru_does(bool hyper) => Check(new Gru4Rec(12, Size, Length) { Hyper = hyper }, (net, clicks, target) => [.. LastState(net, "gru", clicks), .. target]);

    [Theory, InlineData(false), InlineData(true)]
    public void SasRec_attends_to_earlier_clicks_alone(bool hyper) => Check(new SasRec(12, Size, Length) { Heads = 2, Hyper = hyper }, (net, clicks, target) =>
    {
        NaiveTransformer.Block block = new("attention.query", "attention.key", "attention.value", "attention.output", "attention.norm", "feed_forward.inner", "feed_forward.output", "feed_forward.norm", 2, 1e-8)
        {
            NormFirst = true,
            Activation = v => Math.Max(0, v),
        };
        int first = Array.FindIndex(clicks, c => c is not null);
        double[][] x = [.. clicks.Select((c, t) => (c, t)).Skip(first).Select(s => NaiveTransformer.Add(Times(s.c!, Math.Sqrt(Size)), net.Row("position_embedding.weight", s.t)))];
        for (int i = 0; i < 2; i++) x = net.Apply(x, $"blocks.{i}.", block, (t, s) => s <= t);
        return [.. net.Norm(x[^1], "norm", 1e-8), .. target];
    });

    [Theory]
    [InlineData("din", "head.0,head.1,head.2")]
    [InlineData("gru4rec", "head.0,head.1")]
    [InlineData("sasrec", "head.0,head.1")]
    public void A_dynamic_network_computes_what_the_static_one_has_as_parameters(string model, string layers)
    {
        Graph fixedHead = ZooModelTests.Build(model, "items=12;size=6", 3, 4), made = ZooModelTests.Build(model, "items=12;size=6;hyper=true", 3, 4);
        string[] head = [.. layers.Split(',').SelectMany(l => new[] { $"{l}.weight", $"{l}.bias" })];
        Assert.Equal(fixedHead.Parameters.Keys.Except(head), made.Parameters.Keys.Where(name => !name.StartsWith("hyper.", StringComparison.Ordinal)));
        foreach (string name in head)
        {
            Node node = Assert.IsType<Node>(made.Find(name));
            Assert.Null(node.Value);
            Assert.Equal(new Shape([3, .. fixedHead.Parameters[name].Shape.Sizes]), node.Shape);
        }
    }

    [Theory]
    [InlineData("din")]
    [InlineData("gru4rec")]
    [InlineData("sasrec")]
    public void Made_weights_begin_as_large_as_those_of_the_static_network(string model)
    {
        Graph fixedHead = ZooModelTests.Build(model, "items=500", 8, 4), made = ZooModelTests.Build(model, "items=500;hyper=true", 8, 4);
        string[] weights = [.. fixedHead.Parameters.Keys.Where(name => name.StartsWith("head.", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal))];
        Executor executor = new(made, [.. weights.Select(name => made.Find(name)!)]);
        ZooModelTests.Fill(executor, made, 5);
        executor.Run();
        foreach (string name in weights) Assert.InRange(Deviation(executor[name]) / Deviation(fixedHead.Parameters[name].Value!), 0.8, 1.6);
    }

    [Theory]
    [InlineData("din", "false")]
    [InlineData("gru4rec", "false")]
    [InlineData("sasrec", "false")]
    [InlineData("din", "true")]
    [InlineData("gru4rec", "true")]
    [InlineData("sasrec", "true")]
    public void Written_to_Onnx_it_scores_any_number_of_items(string model, string hyper)
    {
        using TemporaryFolder folder = new();
        Graph graph = ZooModel.Find(model).Build(2, new Dictionary<string, string> { ["items"] = "40", ["size"] = "8", ["length"] = "6", ["hyper"] = hyper }, 1);
        OnnxModel.Write(graph, folder["net.onnx"], new("batch"));
        using OnnxModel file = OnnxModel.Open(folder["net.onnx"]);
        Clicks clicks = new("clicks", new([[1, 2, 3, 4, 5, 6, 7, 8], [9, 8, 7], [3, 30, 31, 32]], 39), Split.Test, 6, 20);
        Tensor here = Predictions.Of(graph, clicks, 2), there = Predictions.Of(file.ToGraph(), clicks, 2);
        Assert.Equal(new(3, 21), here.Shape);
        Assert.Equal(here.Shape, there.Shape);
        for (int i = 0; i < here.Count; i++) Assert.Equal(here.Span[i], there.Span[i], 1e-6f);
    }

    [Theory]
    [InlineData(6, 9)]
    [InlineData(6, 5)]
    [InlineData(6, 1)]
    [InlineData(1, 6)]
    public void A_history_of_another_length_than_the_positions_is_refused(int positions, int length)
    {
        Clicks clicks = Of(length);
        Assert.StartsWith($"the network does not take samples of clicks, its inputs 'items' [{positions}] as [{length}] and 'target' [1] as [6]: ", Assert.Throws<GraphException>(() => Predictions.Of(new SasRec(20, 8, positions).Build(1), clicks, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<GraphException>(() => Predictions.Of(new SasRec(20, 8, positions) { Hyper = true }.Build(1), clicks, 1));
        Assert.Throws<GraphException>(() => Predictions.Of(new IclRec(20, 8, positions).Build(1), clicks, 1));
        Assert.Equal(new(1, 6), Predictions.Of(new SasRec(20, 8, length).Build(1), clicks, 1).Shape);
        Assert.Equal(new(1, 6), Predictions.Of(new Din(20, 8, positions).Build(1), clicks, 1).Shape);

        static Clicks Of(int length) => new("clicks", new([[1, 2, 3, 4]], 19), Split.Test, length, 5);
    }

    /// <summary>Half of the users click odd items alone and half even ones; a network that has learned prefers the user's kind.</summary>
    [Theory]
    [InlineData("din")]
    [InlineData("gru4rec")]
    [InlineData("sasrec")]
    public void A_dynamic_network_learns_what_a_user_likes(string model)
    {
        Random random = new(3);
        Interactions interactions = new([.. Enumerable.Range(0, 80).Select(user => Enumerable.Range(1, 20).OrderBy(_ => random.Next()).Take(9).Select(i => (2 * i) - (user % 2)).ToArray())], 40);
        Clicks training = new("training", interactions, Split.Train, 6, 4), validation = new("validation", interactions, Split.Validation, 6, 20);
        Graph network = ZooModel.Find(model).Build(1, new Dictionary<string, string> { ["items"] = "41", ["size"] = "8", ["length"] = "6", ["hyper"] = "true" }, 1);
        double before = ShareRight(network, validation);
        new Trainer(network, new BinaryCrossEntropy("label"), training, new() { Rule = new Adam(), Rate = 1e-2, Epochs = 15, Batch = 32 }).Run();
        double after = ShareRight(network, validation);
        Assert.True(before < 0.75 && after > 0.9, $"of the items of the other kind {before} stood below the clicked one, and after training {after}");
    }

    /// <summary>The share of drawn items of the other kind that score lower than the clicked one.</summary>
    private static double ShareRight(Graph network, Clicks clicks)
    {
        Tensor scores = Predictions.Of(network, clicks, 16);
        int candidates = scores.Shape.Size(1), other = 0, right = 0;
        float[] items = new float[candidates];
        for (int sample = 0; sample < clicks.Count; sample++)
        {
            clicks.Read(clicks.IndexOf("target"), sample, default, items);
            ReadOnlySpan<float> of = scores.Span.Slice(sample * candidates, candidates);
            for (int i = 1; i < candidates; i++)
            {
                if (items[i] % 2 == items[0] % 2) continue;
                other++;
                if (of[i] < of[0]) right++;
            }
        }

        return right / (double)other;
    }

    /// <summary>Compares the scores of every user and item; <paramref name="features"/> gives what the head scores.</summary>
    private static void Check(Recommender architecture, Func<NaiveTransformer, double[]?[], double[], double[]> features)
    {
        Graph built = architecture.Build(Users.Length, 4);
        Random random = new(2);
        foreach (Node node in built.Parameters.Values)
        {
            foreach (ref float value in node.Value!.Span) value += random.NextSingle() - 0.5f;
        }

        int candidates = Users[0].Targets.Length;
        Graph graph = Rewrite.Resize(built, new Dictionary<string, Shape> { ["target"] = new(Users.Length, candidates) }).Graph;
        Executor executor = new(graph);
        for (int user = 0; user < Users.Length; user++)
        {
            for (int i = 0; i < candidates; i++) executor["target"].Span[(user * candidates) + i] = Users[user].Targets[i];
            for (int i = 0; i < Length; i++) executor["items"].Span[(user * Length) + i] = Users[user].Items[i];
        }

        executor.Run();
        NaiveTransformer net = new(graph.Parameters.ToDictionary(p => p.Key, p => (p.Value.Shape, p.Value.Value!.Span.ToArray())));
        for (int user = 0; user < Users.Length; user++)
        {
            double[]?[] clicks = [.. Users[user].Items.Select(i => i == 0 ? null : net.Row("item_embedding.weight", i))];
            for (int i = 0; i < candidates; i++)
            {
                double[] x = features(net, clicks, net.Row("item_embedding.weight", Users[user].Targets[i]));
                double expected = architecture.Hyper ? DynamicHead(net, clicks, x) : Head(net.Linear, x, name => net.Has($"{name}.weight"));
                Assert.InRange(executor["logits"].Span[(user * candidates) + i], expected - 2e-5, expected + 2e-5);
            }
        }
    }

    private static double Head(Func<double[], string, double[]> linear, double[] x, Func<string, bool> has)
    {
        x = linear(x, "head.0");
        for (int i = 1; has($"head.{i}"); i++) x = linear(Tanh(x), $"head.{i}");
        return Assert.Single(x);
    }

    /// <summary>The head with weights and biases that are affine in the user's state.</summary>
    private static double DynamicHead(NaiveTransformer net, double[]?[] clicks, double[] x)
    {
        double[] state = Tanh(net.Linear(LastState(net, "hyper.gru", clicks), "hyper.state"));
        double At(string name, int i) => Dot(net.Row($"hyper.{name}.slope", i), state) + net.Row($"hyper.{name}.offset", 0)[i];
        double[] Linear(double[] x, string name) =>
            [.. Enumerable.Range(0, net.Row($"hyper.{name}.bias.offset", 0).Length).Select(o => At($"{name}.bias", o) + x.Select((v, i) => v * At($"{name}.weight", (o * x.Length) + i)).Sum())];
        return Head(Linear, x, name => net.Has($"hyper.{name}.bias.offset"));
    }

    private static double[] LastState(NaiveTransformer net, string gru, double[]?[] clicks)
    {
        double[] h = new double[Size];
        foreach (double[]? click in clicks)
        {
            double[] x = Gates(net, $"{gru}.weight_ih_l0", $"{gru}.bias_ih_l0", click ?? new double[Size]), u = Gates(net, $"{gru}.weight_hh_l0", $"{gru}.bias_hh_l0", h);
            double[] r = [.. Enumerable.Range(0, Size).Select(i => Sigmoid(x[i] + u[i]))], z = [.. Enumerable.Range(Size, Size).Select(i => Sigmoid(x[i] + u[i]))];
            h = [.. Enumerable.Range(0, Size).Select(i => ((1 - z[i]) * Math.Tanh(x[(2 * Size) + i] + (r[i] * u[(2 * Size) + i]))) + (z[i] * h[i]))];
        }

        return h;
    }

    private static double Deviation(Tensor x) => Math.Sqrt(x.Span.ToArray().Average(v => (double)v * v));

    private static double[] Gates(NaiveTransformer net, string weight, string bias, double[] x) =>
        NaiveTransformer.Add([.. Enumerable.Range(0, 3 * Size).Select(row => Dot(net.Row(weight, row), x))], net.Row(bias, 0));

    private static double[] Tanh(double[] x) => [.. x.Select(Math.Tanh)];

    private static double[] Times(double[] x, double factor) => [.. x.Select(v => v * factor)];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
