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
    public void Computes_what_the_formulas_say(string cell, RecurrentDirection direction, int inputs) => Property.Holds(generator =>
    {
        Node y = Layer(generator, cell, direction, inputs);
        Oracles.Close(Naive(y), Oracles.Value(y), 3e-5);
    }, runs: 8);

    [Theory, MemberData(nameof(Layers))]
    public void The_form_for_training_computes_the_same(string cell, RecurrentDirection direction, int inputs) => Property.Holds(generator =>
    {
        Node y = Layer(generator, cell, direction, inputs);
        GraphCopy training = Rewrite.ForTraining(y.Graph);
        Assert.Contains(training.Graph.Nodes, node => node.Op is RecurrentSteps);
        Oracles.Close([.. Oracles.Value(y).Select(v => (double)v)], Oracles.Value(training.Map[y]));
    }, runs: 4);

    [Theory, MemberData(nameof(Layers))]
    public void Gradients_are_the_differences(string cell, RecurrentDirection direction, int inputs) => Property.Holds(generator =>
    {
        Node y = Layer(generator, cell, direction, inputs);
        Oracles.CheckGradients(y, generator);
        Oracles.CheckGradients(Rewrite.ForTraining(Layer(generator, cell, direction, inputs).Graph).Graph.Outputs["y"], generator);
    }, runs: 4);

    [Theory]
    [InlineData(RecurrentCell.Rnn)]
    [InlineData(RecurrentCell.Gru)]
    [InlineData(RecurrentCell.GruResetAfter)]
    [InlineData(RecurrentCell.Lstm)]
    public void Gradients_by_all_that_the_steps_give_are_the_differences(RecurrentCell cell) => Property.Holds(generator =>
    {
        foreach (bool reverse in new[] { false, true })
        {
            Graph graph = new();
            int steps = 1 + generator.Random.Next(4), rows = 1 + generator.Random.Next(3), hidden = 1 + generator.Random.Next(5), gates = cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Lstm => 4, _ => 3 };
            List<Node> inputs = [graph.Weights(generator, steps, rows, gates * hidden), graph.Weights(generator, gates * hidden, hidden)];
            if (cell == RecurrentCell.GruResetAfter) inputs.Add(graph.Weights(generator, hidden));
            if (generator.Random.Next(2) == 0) inputs.Add(graph.Weights(generator, rows, hidden));
            if (cell == RecurrentCell.Lstm && inputs.Count > 2) inputs.Add(graph.Weights(generator, rows, hidden));
            Oracles.CheckGradients(graph.Add(new RecurrentSteps(cell, reverse), inputs.ToArray()), generator);
        }
    }, runs: 8);

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
            float[][] found(int threads)
            {
                Executor executor = new(training, results, new(Threads: threads));
                executor.Run();
                return [.. results.Select(r => executor[r].Span.ToArray())];
            }

            Assert.Equal(found(1), found(2));
            Assert.Equal(Oracles.Value(y, options: new(Threads: 1)), Oracles.Value(y, options: new(Threads: 2)));
        }
    }

    [Fact]
    public void A_warm_run_allocates_nothing()
    {
        Graph graph = new();
        Node y = Layer(graph, new(7), "gru reset after", RecurrentDirection.Forward, 4, steps: 6, rows: 70, features: 10, hidden: 12);
        Executor executor = new(graph, [y]);
        using CoreLimit one = Cores.Limit(1);
        for (int i = 0; i < 3; i++) executor.Run(TestContext.Current.CancellationToken);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) executor.Run(TestContext.Current.CancellationToken);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
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

    /// <summary>The formulas of ONNX's operators, one number after the other in double precision.</summary>
    private static double[] Naive(Node y)
    {
        Recurrent op = (Recurrent)y.Op;
        Shape x = y.Inputs[0].Shape;
        int steps = x.Size(0), rows = x.Size(1), features = x.Size(2), hidden = y.Shape.Size(^1), directions = y.Shape.Size(^3);
        int gates = y.Inputs[2].Shape.Size(1) / hidden;
        bool lastCell = op is Lstm { LastCell: true };
        double[] result = new double[y.Shape.Count];
        double input(int i, params int[] at) => y.Inputs.Length > i ? y.Inputs[i].Value!.Span[at.Zip(y.Inputs[i].Shape.Sizes.ToArray()).Aggregate(0, (sum, p) => sum * (int)p.Second + p.First)] : 0;
        static double sigmoid(double a) => 1 / (1 + Math.Exp(-a));
        for (int d = 0; d < directions; d++)
        {
            for (int row = 0; row < rows; row++)
            {
                double[] h = [.. Enumerable.Range(0, hidden).Select(k => input(4, d, row, k))], c = [.. Enumerable.Range(0, hidden).Select(k => input(5, d, row, k))];
                for (int step = 0; step < steps; step++)
                {
                    int t = op.Direction == RecurrentDirection.Reverse || d == 1 ? steps - 1 - step : step;
                    double ofX(int gate, int k) => Enumerable.Range(0, features).Sum(f => input(0, t, row, f) * input(1, d, gate * hidden + k, f)) + input(3, d, gate * hidden + k);
                    double ofH(int gate, int k, double[] state) => Enumerable.Range(0, hidden).Sum(j => state[j] * input(2, d, gate * hidden + k, j)) + input(3, d, (gates + gate) * hidden + k);
                    double[] gate(int number, Func<double, double> f) => [.. Enumerable.Range(0, hidden).Select(k => f(ofX(number, k) + ofH(number, k, h)))];
                    if (op is Rnn)
                    {
                        h = gate(0, Math.Tanh);
                    }
                    else if (op is Gru gru)
                    {
                        double[] z = gate(0, sigmoid), r = gate(1, sigmoid), reset = [.. h.Zip(r, (a, b) => a * b)];
                        double[] n = [.. Enumerable.Range(0, hidden).Select(k => Math.Tanh(ofX(2, k) + (gru.ResetAfter ? r[k] * ofH(2, k, h) : ofH(2, k, reset))))];
                        h = [.. Enumerable.Range(0, hidden).Select(k => (1 - z[k]) * n[k] + z[k] * h[k])];
                    }
                    else
                    {
                        double[] i = gate(0, sigmoid), o = gate(1, sigmoid), f = gate(2, sigmoid), g = gate(3, Math.Tanh);
                        c = [.. Enumerable.Range(0, hidden).Select(k => f[k] * c[k] + i[k] * g[k])];
                        h = [.. Enumerable.Range(0, hidden).Select(k => o[k] * Math.Tanh(c[k]))];
                    }

                    for (int k = 0; k < hidden && !lastCell; k++) result[((t * directions + d) * rows + row) * hidden + k] = h[k];
                }

                for (int k = 0; k < hidden && lastCell; k++) result[(d * rows + row) * hidden + k] = c[k];
            }
        }

        return result;
    }
}
