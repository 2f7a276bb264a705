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
    private static readonly (int[] Items, int[] Targets)[] Users = [([3, 7, 1, 9, 2], [4, 5]), ([0, 0, 5, 6, 8], [9, 1]), ([0, 0, 0, 0, 11], [1, 11])];

    [Fact]
    public void Din_weighs_the_clicks_by_attention_of_the_target() => Check(new Din(12, Size, Length), (net, clicks, target) =>
    {
        double[] wanted = Tanh(net.Linear(target, "target_layer")), key = net.Linear(wanted, "attention.target_key");
        double[][] history = [.. clicks.OfType<double[]>().Select(c => Tanh(net.Linear(c, "history_layer")))];
        double[] share = [.. history.Select(c => Math.Exp(Dot(key, net.Linear(c, "attention.item_key")) / Math.Sqrt(Size)))];
        double[] attended = new double[Size];
        for (int i = 0; i < history.Length; i++) attended = NaiveTransformer.Add(attended, Times(net.Linear(history[i], "attention.item_value"), share[i] / share.Sum()));
        return net.Linear(Tanh(net.Linear(Tanh(net.Linear([.. wanted, .. attended], "head.0")), "head.1")), "head.2")[0];
    });

    [Fact]
    public void Gru4Rec_steps_as_PyTorchs_gru_does() => Check(new Gru4Rec(12, Size, Length), (net, clicks, target) =>
    {
        double[] h = new double[Size];
        foreach (double[]? click in clicks)
        {
            double[] x = Gates(net, "gru.weight_ih_l0", "gru.bias_ih_l0", click ?? new double[Size]), u = Gates(net, "gru.weight_hh_l0", "gru.bias_hh_l0", h);
            double[] r = [.. Enumerable.Range(0, Size).Select(i => Sigmoid(x[i] + u[i]))], z = [.. Enumerable.Range(Size, Size).Select(i => Sigmoid(x[i] + u[i]))];
            h = [.. Enumerable.Range(0, Size).Select(i => ((1 - z[i]) * Math.Tanh(x[(2 * Size) + i] + (r[i] * u[(2 * Size) + i]))) + (z[i] * h[i]))];
        }

        return net.Linear(Tanh(net.Linear([.. h, .. target], "head.0")), "head.1")[0];
    });

    [Fact]
    public void SasRec_attends_to_earlier_clicks_alone() => Check(new SasRec(12, Size, Length) { Heads = 2 }, (net, clicks, target) =>
    {
        NaiveTransformer.Block block = new("attention.query", "attention.key", "attention.value", "attention.output", "attention.norm", "feed_forward.inner", "feed_forward.output", "feed_forward.norm", 2, 1e-8)
        {
            NormFirst = true,
            Activation = v => Math.Max(0, v),
        };
        int first = Array.FindIndex(clicks, c => c is not null);
        double[][] x = [.. clicks.Select((c, t) => (c, t)).Skip(first).Select(s => NaiveTransformer.Add(Times(s.c!, Math.Sqrt(Size)), net.Row("position_embedding.weight", s.t)))];
        for (int i = 0; i < 2; i++) x = net.Apply(x, $"blocks.{i}.", block, (t, s) => s <= t);
        return net.Linear(Tanh(net.Linear([.. net.Norm(x[^1], "norm", 1e-8), .. target], "head.0")), "head.1")[0];
    });

    [Theory]
    [InlineData("din")]
    [InlineData("gru4rec")]
    [InlineData("sasrec")]
    public void Written_to_Onnx_it_scores_any_number_of_items(string model)
    {
        using TemporaryFolder folder = new();
        Graph graph = ZooModel.Find(model).Build(2, new Dictionary<string, string> { ["items"] = "40", ["size"] = "8", ["length"] = "6" }, 1);
        OnnxModel.Write(graph, folder["net.onnx"], new("batch"));
        using OnnxModel file = OnnxModel.Open(folder["net.onnx"]);
        Clicks clicks = new("clicks", new([[1, 2, 3, 4, 5, 6, 7, 8], [9, 8, 7], [3, 30, 31, 32]], 39), Split.Test, 6, 20);
        Tensor here = Predictions.Of(graph, clicks, 2), there = Predictions.Of(file.ToGraph(), clicks, 2);
        Assert.Equal(new(3, 21), here.Shape);
        Assert.Equal(here.Shape, there.Shape);
        for (int i = 0; i < here.Count; i++) Assert.Equal(here.Span[i], there.Span[i], 1e-6f);
    }

    [Fact]
    public void A_history_that_is_longer_than_the_positions_is_refused()
    {
        Clicks clicks = new("clicks", new([[1, 2, 3, 4]], 19), Split.Test, 9, 5);
        Assert.StartsWith("the network does not take samples of clicks, its inputs 'items' [6] as [9] and 'target' [1] as [6]: ", Assert.Throws<GraphException>(() => Predictions.Of(new SasRec(20, 8, 6).Build(1), clicks, 1)).Message, StringComparison.Ordinal);
        Assert.Equal(new(1, 6), Predictions.Of(new Din(20, 8, 6).Build(1), clicks, 1).Shape);
    }

    private static void Check(Recommender architecture, Func<NaiveTransformer, double[]?[], double[], double> score)
    {
        Graph graph = Rewrite.Resize(architecture.Build(Users.Length, 4), new Dictionary<string, Shape> { ["target"] = new(Users.Length, 2) }).Graph;
        Random random = new(2);
        foreach (Node node in graph.Parameters.Values)
        {
            foreach (ref float value in node.Value!.Span) value += random.NextSingle() - 0.5f;
        }

        Executor executor = new(graph);
        for (int user = 0; user < Users.Length; user++)
        {
            for (int i = 0; i < 2; i++) executor["target"].Span[2 * user + i] = Users[user].Targets[i];
            for (int i = 0; i < Length; i++) executor["items"].Span[(user * Length) + i] = Users[user].Items[i];
        }

        executor.Run();
        NaiveTransformer net = new(graph.Parameters.ToDictionary(p => p.Key, p => (p.Value.Shape, p.Value.Value!.Span.ToArray())));
        for (int i = 0; i < 2 * Users.Length; i++)
        {
            var (items, targets) = Users[i / 2];
            double expected = score(net, [.. items.Select(item => item == 0 ? null : net.Row("item_embedding.weight", item))], net.Row("item_embedding.weight", targets[i % 2]));
            Assert.InRange(executor["logits"].Span[i], expected - 1e-5, expected + 1e-5);
        }
    }

    private static double[] Gates(NaiveTransformer net, string weight, string bias, double[] x) =>
        NaiveTransformer.Add([.. Enumerable.Range(0, 3 * Size).Select(row => Dot(net.Row(weight, row), x))], net.Row(bias, 0));

    private static double[] Tanh(double[] x) => [.. x.Select(Math.Tanh)];

    private static double[] Times(double[] x, double factor) => [.. x.Select(v => v * factor)];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
