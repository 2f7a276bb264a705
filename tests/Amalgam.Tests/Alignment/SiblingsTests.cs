using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

public class SiblingsTests
{
    [Fact]
    public void Weights_of_the_same_names_and_shapes_do_not_make_the_same_network()
    {
        Graph relu = Network(x => x.Relu());
        Assert.Equal(2, Siblings.Of([relu, Network(x => x.Relu(), seed: 2)]).Count);

        Refuses(relu, Network(x => x.Gelu()), "Relu", "Gelu");
        Refuses(Network(x => x.Gelu()), Network(x => x.Gelu(tanh: true)), "Gelu");
        Refuses(relu, Network(x => x.Relu() * 2), "Relu", "Mul");
        Refuses(Network(x => x.Relu() * 3), Network(x => x.Relu() * 2), "constant");
        Refuses(relu, Network(x => x.Relu(), output: "z"), "'y'", "'z'");
        Refuses(SmallNetworks.Attention(1, 12, 3), SmallNetworks.Attention(1, 12, 6), "[1,4,3,4]", "[1,4,6,2]");
    }

    private static void Refuses(Graph a, Graph b, params string[] parts)
    {
        string message = Assert.Throws<GraphException>(() => Siblings.Of([a, a, b], names: ["one", "two", "three"])).Message;
        Assert.StartsWith("three is another network than one: ", message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private static Graph Network(Func<Node, Node> activation, string output = "y", int seed = 1)
    {
        Layers net = new(new(), seed);
        net.Graph.Output(output, net.Linear(activation(net.Linear(net.Graph.Input("x", new(1, 4)), "fc1", 5)), "fc2", 3));
        return net.Graph;
    }
}
