using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class MlpAdapterTests
{
    [Theory, MemberData(nameof(LowRankAdapterTests.Sizes), MemberType = typeof(LowRankAdapterTests))]
    public void Equals_its_equation(int rows, int columns, int sourceRows, int sourceColumns)
    {
        LowRankAdapterTests.Made made = new(new MlpAdapter(9), rows, columns, sourceRows, sourceColumns, 2, "a/");
        made.Shake(new(1));
        double[,] byRows = Perceptron(made.Graph, "a/rows", NaiveAdapter.Of(made.Source.Span, sourceRows, sourceColumns));
        double[,] expected = NaiveAdapter.Transposed(Perceptron(made.Graph, "a/columns", NaiveAdapter.Transposed(byRows)));
        Assert.Equal(new Shape(rows, columns), made.Result.Shape);
        Oracles.Close(NaiveAdapter.Flat(expected), made.Run());
    }

    [Fact]
    public void What_the_target_was_has_no_part_in_it()
    {
        LowRankAdapterTests.Made made = new(new MlpAdapter(), 3, 4, 5, 6, 2);
        float[] before = made.Run();
        made.Target = RandomGraph.Random(new(8), made.Target.Shape);
        Assert.Equal(before, made.Run());
        Assert.Equal(new Shape(1024, 6), made.Graph.Parameters["rows.0.weight"].Shape);
    }

    [Fact]
    public void Gradients_equal_central_differences()
    {
        LowRankAdapterTests.Made made = new(new MlpAdapter(5), 3, 4, 5, 6, 2);
        made.Shake(new(3));
        foreach (string name in new[] { "rows.0.bias", "columns.0.bias" })
        {
            // Far from the kink, on either side of it.
            Span<float> bias = made.Graph.Parameters[name].Value!.Span;
            for (int i = 0; i < bias.Length; i++) bias[i] = i % 2 == 0 ? 30 : -30;
        }

        Oracles.CheckGradients(made.Still(), new(2));
    }

    private static double[,] Perceptron(Graph graph, string name, double[,] x)
    {
        double[,] inner = Linear(graph, $"{name}.0", x);
        for (int i = 0; i < inner.GetLength(0); i++)
        {
            for (int j = 0; j < inner.GetLength(1); j++) inner[i, j] *= inner[i, j] < 0 ? 0.1 : 1;
        }

        return Linear(graph, $"{name}.1", inner);
    }

    private static double[,] Linear(Graph graph, string name, double[,] x)
    {
        Tensor w = graph.Parameters[$"{name}.weight"].Value!, bias = graph.Parameters[$"{name}.bias"].Value!;
        double[,] y = new double[x.GetLength(0), bias.Count];
        for (int i = 0; i < y.GetLength(0); i++)
        {
            for (int j = 0; j < y.GetLength(1); j++)
            {
                y[i, j] = bias.Span[j];
                for (int k = 0; k < x.GetLength(1); k++) y[i, j] += x[i, k] * w.Span[j * x.GetLength(1) + k];
            }
        }

        return y;
    }
}
