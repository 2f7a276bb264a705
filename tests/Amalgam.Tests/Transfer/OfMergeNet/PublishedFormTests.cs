using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>
/// The published form against numbers of PyTorch 1.13 in double precision: two layers of modules written after section 6.2 of the specification (nn.Linear, nn.LayerNorm with eps 1e-12, torch.softmax, gelu in its tanh
/// form, torch.nn.utils.parametrizations.spectral_norm; mixing by the softmax of the logits), without dropout, target [3,4], source [5,2], 3 heads. Element i of a parameter, of the target, of the source and of the vectors
/// of a spectral norm is 0.3 sin(0.37 i + the sum of the character codes of its name), and 1 more where it is the weight of a normalisation.
/// </summary>
public class PublishedFormTests
{
    private static readonly double[] Evaluated =
        [-1.127081203, 1.628149938, -0.9560748899, 1.451791629, -1.035043494, 1.534264399, -1.049782413, 1.541597805, -1.151982063, 1.653439634, -0.9282467911, 1.425228729];

    private static readonly double[] Trained =
        [-0.5649481511, 1.781034354, -1.402456007, 1.192509403, -0.6868125393, 1.820313151, -1.310736758, 1.185037967, -0.5553681878, 1.79025999, -1.406573025, 1.17848451];

    private static readonly double[] Left = [-0.1932291102, -0.4731421781, 0.1074279705, 0.4926235153, -0.0180940217, -0.495904744, -0.07183495573, 0.4828779597];

    private static readonly double[] Right = [-0.4219988267, -0.5200900305, -0.5477894885, -0.5013482091];

    private static readonly double[] Gradient =
        [0.002731205513, -5.957772303e-08, 0.003983332676, 0.000912522421, -0.0005260851475, -0.001236872283, -0.0002026353019, -0.0009972865636];

    [Fact]
    public void Equals_PyTorch_in_evaluation() => Oracles.Close(Evaluated, Oracles.Value(Make().Outputs["result"]), 1e-5);

    [Fact]
    public void Equals_PyTorch_in_training_with_the_vectors_and_the_gradient_of_a_spectral_norm()
    {
        Graph graph = Rewrite.ForTraining(Make()).Graph;
        Node result = graph.Outputs["result"], weight = graph.Parameters["layers.0.feed_forward.up.weight"];
        Node gradient = Gradients.Of((result * graph.Constant(Values("weights", new(3, 4)))).Sum(), [weight])[0];
        Executor executor = new(graph, [result, gradient, .. graph.Updates.Values]);
        executor.Run();
        Oracles.Close(Trained, executor[result].Span.ToArray(), 1e-5);
        foreach (var (to, from) in graph.Updates) executor[from].Span.CopyTo(to.Value!.Span);
        Oracles.Close(Left, graph.Parameters["layers.1.feed_forward.up.u"].Value!.Span.ToArray(), 1e-5);
        Oracles.Close(Right, graph.Parameters["layers.1.feed_forward.up.v"].Value!.Span.ToArray(), 1e-5);
        executor.Run();
        Oracles.Close(Gradient, executor[gradient].Span[..8].ToArray(), 2e-3);
    }

    private static Graph Make()
    {
        Graph graph = new();
        LowRankAdapter adapter = new() { Form = AdapterForm.Published, Heads = 3, Dropout = 0, AttentionDropout = 0 };
        Tensor target = Values("target", new(3, 4));
        graph.Output("result", adapter.Add(new(graph, graph.Constant(target), graph.Constant(Values("source", new(5, 2))), target)));
        foreach (var (name, node) in graph.Parameters) Values(name, node.Shape).Span.CopyTo(node.Value!.Span);
        return graph;
    }

    private static Tensor Values(string name, Shape shape)
    {
        Tensor values = new(shape);
        double first = name.Sum(c => c), more = name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0;
        for (int i = 0; i < values.Count; i++) values.Span[i] = (float)(more + 0.3 * Math.Sin(0.37 * i + first));
        return values;
    }
}
