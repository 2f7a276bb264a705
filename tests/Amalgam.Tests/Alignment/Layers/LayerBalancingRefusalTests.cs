using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Net = Amalgam.Zoo.Models.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>Layers of which no weights make an identity are refused, with the reason.</summary>
public class LayerBalancingRefusalTests
{
    [Theory]
    [InlineData("gelu", "Gelu of Gelu is not Gelu")]
    [InlineData("tanh", "Tanh of Tanh is not Tanh")]
    [InlineData("silu", "Silu of Silu is not Silu")]
    [InlineData("leaky_relu", "LeakyRelu of LeakyRelu is not LeakyRelu")]
    public void Activations_that_are_no_identity_on_their_results_are_refused(string activation, string reason)
    {
        Graph a = Depths.Zoo("mlp", $"input=6;hidden=6,5,4;classes=3;activation={activation}", 1), b = Depths.Zoo("mlp", $"input=6;hidden=5,4;classes=3;activation={activation}", 2);
        GraphException e = Assert.Throws<GraphException>(() => LayerBalancing.Add(Depths.Map(a, b)));
        Assert.Contains("'fc2'", e.Message, StringComparison.Ordinal);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    /// <summary>Some of these do nothing to what they give themselves, so that the reason must be another.</summary>
    [Fact]
    public void Activations_that_may_be_applied_twice_are_refused_for_another_reason()
    {
        foreach (Op activation in (Op[])[new Abs(), new Ceil(), new Round()])
        {
            Graph Build(int layers)
            {
                Graph g = new();
                Net net = new(g, 1);
                Node x = g.Input("x", new(1, 4));
                for (int i = 0; i < layers; i++) x = g.Add(activation, net.Linear(x, $"fc{i}", 4));
                g.Output("y", net.Linear(x, "out", 2));
                return g.Randomise();
            }

            string message = Assert.Throws<GraphException>(() => LayerBalancing.Add(Depths.Map(Build(3), Build(2)))).Message;
            Assert.Contains($"and not with {activation.Name}", message, StringComparison.Ordinal);
            Assert.DoesNotContain(" of ", message[message.IndexOf("identity layers are", StringComparison.Ordinal)..].Replace("range of numbers", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_normalisation_of_each_sample_is_refused()
    {
        Graph a = Depths.Zoo("vgg13", "width=0.125;classes=2;norm=group;groups=2", 1), b = Depths.Zoo("vgg11", "width=0.125;classes=2;norm=group;groups=2", 2);
        Assert.Contains("GroupNormalization does not leave its input alone", Assert.Throws<GraphException>(() => LayerBalancing.Add(Depths.Map(a, b))).Message, StringComparison.Ordinal);
    }

    /// <summary>Kernels without a middle, in layers that keep the size: [2,2] with one row and column of zeros on one side.</summary>
    [Fact]
    public void Even_kernels_are_refused()
    {
        static Graph Build(int layers)
        {
            Graph g = new();
            Node x = g.Input("x", new(1, 2, 6, 6));
            for (int i = 0; i < layers; i++) x = g.Add(new Conv([1, 1], [0, 0, 1, 1], [1, 1]), x, g.Parameter($"c{i}", new(new(2, 2, 2, 2)))).Relu();
            g.Output("y", x.GlobalAveragePool().Flatten().Linear(g.Parameter("out", new(new(2, 2)))));
            return g.Randomise();
        }

        Assert.Contains("2x2 has no middle", Assert.Throws<GraphException>(() => LayerBalancing.Add(Depths.Map(Build(3), Build(2)))).Message, StringComparison.Ordinal);
    }

    /// <summary>A transformer that normalises the sum, as BERT does, has no block that changes nothing.</summary>
    [Fact]
    public void Normalised_sums_are_refused()
    {
        static Graph Build(int blocks)
        {
            Graph g = new();
            Net net = new(g, 1);
            Node x = net.Linear(g.Input("x", new(1, 4, 6)), "stem", 6);
            for (int i = 0; i < blocks; i++) x = net.LayerNorm(x + net.Linear(net.Linear(x, $"{i}.a", 9).Relu(), $"{i}.b", 6), $"{i}.norm");
            g.Output("y", net.Linear(x, "head", 2));
            return g.Randomise();
        }

        Assert.Contains("LayerNormalization does not leave its input alone", Assert.Throws<GraphException>(() => LayerBalancing.Add(Depths.Map(Build(3), Build(2)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_of_another_kind_are_no_partners()
    {
        Graph a = Depths.Zoo("mlp", "input=6;hidden=6,5,4;classes=3", 1), b = Depths.Zoo("mlp", "input=6;hidden=5,4;classes=3;activation=sigmoid", 2);
        Assert.Contains("cannot be matched with", Assert.Throws<GraphException>(() => LayerBalancing.Add(Depths.Map(a, b))).Message, StringComparison.Ordinal);
    }
}
