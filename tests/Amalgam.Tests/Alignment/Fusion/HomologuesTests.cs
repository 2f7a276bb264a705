using Amalgam.Alignment.Fusion;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment.Fusion;

/// <summary>What must be the same in two networks besides their structure.</summary>
public class HomologuesTests
{
    /// <summary>What is done to values besides weights must be the same; a scalar that follows from a width may differ with it.</summary>
    [Fact]
    public void Networks_with_other_constants_are_refused()
    {
        static Graph Build(int hidden, float[] scale, float factor = 1)
        {
            Layers net = new(new Graph(), 1);
            Node x = net.Graph.Input("x", new(1, 3)) * net.Graph.Constant(new Tensor(new(3), scale));
            net.Graph.Output("y", net.Linear(net.Linear(x, "fc1", hidden).Relu() * factor, "fc2", 2));
            return net.Graph;
        }

        foreach (int hidden in (int[])[8, 6])
            Assert.Contains("has other values", Assert.Throws<GraphException>(() => Homologues.Of(Build(8, [1, 2, 3]), Build(hidden, [1, 2, 4]))).Message, StringComparison.Ordinal);
        Assert.Contains("has other values", Assert.Throws<GraphException>(() => Homologues.Of(Build(8, [1, 2, 3], 0.5f), Build(8, [1, 2, 3], 0.25f))).Message, StringComparison.Ordinal);
        Assert.NotEmpty(Homologues.Of(Build(8, [1, 2, 3], 0.5f), Build(6, [1, 2, 3.000001f], 0.25f)).Classes);
    }

    [Fact]
    public void Inputs_of_the_same_names_have_each_other_s_places()
    {
        static Graph Build(string first, string second)
        {
            Layers net = new(new Graph(), 1);
            Node x = net.Graph.Input(first, new(1, 4)), y = net.Graph.Input(second, new(1, 4));
            net.Graph.Output("z", net.Linear((net.Linear(x, "a", 6) + net.Linear(y, "b", 6)).Relu(), "c", 2));
            return net.Graph;
        }

        Assert.Contains("not of one structure", Assert.Throws<GraphException>(() => Homologues.Of(Build("x", "y"), Build("y", "x"))).Message, StringComparison.Ordinal);
        Assert.NotEmpty(Homologues.Of(Build("x", "y"), Build("left", "right")).Classes);
    }
}
