using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;

namespace Amalgam.Tests.Graphs;

public class RecurrentTests
{
    public static TheoryData<string, RecurrentDirection, int> Layers
    {
        get
        {
            TheoryData<string, RecurrentDirection, int> layers = [];
            foreach (string cell in new[] { "rnn", "gru", "gru reset after", "lstm", "lstm last cell" })
            {
                foreach (RecurrentDirection direction in Enum.GetValues<RecurrentDirection>())
                {
                    foreach (int inputs in new[] { 3, 4, 6 }) layers.Add(cell, direction, inputs);
                }
            }

            return layers;
        }
    }

    [Theory, MemberData(nameof(Layers))]
    public void The_form_for_training_computes_the_same(string cell, RecurrentDirection direction, int inputs) => Property.Holds(generator =>
    {
        Node y = Layer(generator, cell, direction, inputs);
        GraphCopy training = Rewrite.ForTraining(y.Graph);
        Assert.Contains(training.Graph.Nodes, node => node.Op is RecurrentSteps);
        Oracles.Close([.. Oracles.Value(y).Select(v => (double)v)], Oracles.Value(training.Map[y]));
    }, runs: 4);

    [Theory, MemberData(nameof(Layers))]
    public void Gradients_in_training_are_the_differences(string cell, RecurrentDirection direction, int inputs) => Property.Holds(generator =>
    {
        Oracles.CheckGradients(Rewrite.ForTraining(Layer(generator, cell, direction, inputs).Graph).Graph.Outputs["y"], generator);
    }, runs: 4);

    [Fact]
    public void Results_are_the_same_bits_for_any_number_of_threads()
    {
        Generator generator = new(99);
        foreach (string cell in new[] { "rnn", "gru", "gru reset after", "lstm" })
        {
            Graph graph = new();
            Node y = Layer(graph, generator, cell, RecurrentDirection.Bidirectional, 6, steps: 5, rows: 100, features: 20, hidden: 24);
            Graph training = Rewrite.ForTraining(graph).Graph;
            Node loss = training.Add(new SumTo(default), training.Outputs["y"] * training.Outputs["y"]);
            Node[] results = [training.Outputs["y"], .. Gradients.Of(loss, [.. training.Parameters.Values])];
            float[][] Found()
            {
                Executor executor = new(training, results);
                executor.Run();
                return [.. results.Select(r => executor[r].Span.ToArray())];
            }

            Assert.Equal(OnThreads.One(Found), OnThreads.Four(Found));
            Assert.Equal(OnThreads.One(() => Oracles.Value(y)), OnThreads.Four(() => Oracles.Value(y)));
        }
    }

    [Fact]
    public void A_warm_run_allocates_nothing()
    {
        Graph graph = new();
        Node y = Layer(graph, new(7), "gru reset after", RecurrentDirection.Forward, 4, steps: 6, rows: 70, features: 10, hidden: 12);
        Executor executor = new(graph, [y]);
        using CoreLimit one = Cores.Limit(1);
        Warm.AllocatesNothing(() =>
        {
            for (int i = 0; i < 10; i++) executor.Run();
        });
    }

    [Fact]
    public void Weights_of_another_shape_are_refused_with_both_shapes()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(5, 2, 3)), w = graph.Input("w", new(1, 12, 4)), r = graph.Input("r", new(1, 12, 4));
        GraphException e = Assert.Throws<GraphException>(() => graph.Add(new Gru(), x, w, r));
        Assert.Contains("W has shape [1,12,4], expected [1,12,3]", e.Message);
    }

    private static Node Layer(Generator generator, string cell, RecurrentDirection direction, int inputs)
    {
        int size() => 1 + generator.Random.Next(7);
        return Layer(new Graph(), generator, cell, direction, inputs, size(), size(), size(), size());
    }

    private static Node Layer(Graph graph, Generator generator, string cell, RecurrentDirection direction, int inputs, int steps, int rows, int features, int hidden)
    {
        int directions = direction == RecurrentDirection.Bidirectional ? 2 : 1, gates = cell switch { "rnn" => 1, "gru" or "gru reset after" => 3, _ => 4 };
        List<Node> x = [graph.Weights(generator, steps, rows, features), graph.Weights(generator, directions, gates * hidden, features), graph.Weights(generator, directions, gates * hidden, hidden)];
        if (inputs > 3) x.Add(graph.Weights(generator, directions, 2 * gates * hidden));
        if (inputs > 4) x.Add(graph.Weights(generator, directions, rows, hidden));
        if (inputs > 4 && gates == 4) x.Add(graph.Weights(generator, directions, rows, hidden));
        foreach (Node weight in x[1..])
        {
            foreach (ref float value in weight.Value!.Span) value *= 0.5f;
        }

        Op op = cell switch
        {
            "rnn" => new Rnn(direction),
            "gru" => new Gru(false, direction),
            "gru reset after" => new Gru(true, direction),
            _ => new Lstm(cell == "lstm last cell", direction),
        };
        return graph.Output("y", graph.Add(op, x.ToArray()));
    }
}
