using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>The recommenders against their formulas in double precision.</summary>
public class RecommenderTests
{
    private const int Size = 6, Length = 5;

    /// <summary>Users' last clicks, padded on the left, and the items that are scored.</summary>
    private static readonly (int[] Items, int Target)[] Users = [([3, 7, 1, 9, 2], 4), ([0, 0, 5, 6, 8], 9), ([0, 0, 0, 0, 11], 1)];

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

    private static void Check(Recommender architecture, Func<NaiveTransformer, double[]?[], double[], double> score)
    {
        Graph graph = architecture.Build(Users.Length, 4);
        Random random = new(2);
        foreach (Node node in graph.Parameters.Values)
        {
            foreach (ref float value in node.Value!.Span) value += random.NextSingle() - 0.5f;
        }

        Executor executor = new(graph);
        for (int user = 0; user < Users.Length; user++)
        {
            executor["target"].Span[user] = Users[user].Target;
            for (int i = 0; i < Length; i++) executor["items"].Span[(user * Length) + i] = Users[user].Items[i];
        }

        executor.Run();
        NaiveTransformer net = new(graph.Parameters.ToDictionary(p => p.Key, p => (p.Value.Shape, p.Value.Value!.Span.ToArray())));
        for (int user = 0; user < Users.Length; user++)
        {
            double expected = score(net, [.. Users[user].Items.Select(i => i == 0 ? null : net.Row("item_embedding.weight", i))], net.Row("item_embedding.weight", Users[user].Target));
            Assert.InRange(executor["logits"].Span[user], expected - 1e-5, expected + 1e-5);
        }
    }

    private static double[] Gates(NaiveTransformer net, string weight, string bias, double[] x) =>
        NaiveTransformer.Add([.. Enumerable.Range(0, 3 * Size).Select(row => Dot(net.Row(weight, row), x))], net.Row(bias, 0));

    private static double[] Tanh(double[] x) => [.. x.Select(Math.Tanh)];

    private static double[] Times(double[] x, double factor) => [.. x.Select(v => v * factor)];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
