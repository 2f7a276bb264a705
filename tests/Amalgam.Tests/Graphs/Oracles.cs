using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Ways to check operations that know nothing of how they compute.</summary>
internal static class Oracles
{
    /// <summary>The value of a node after a run of its graph.</summary>
    public static float[] Value(Node node, IReadOnlyDictionary<string, Tensor>? inputs = null, ExecutorOptions? options = null)
    {
        Executor executor = new(node.Graph, [node], options);
        foreach (var (name, value) in inputs ?? new Dictionary<string, Tensor>()) value.Span.CopyTo(executor[name].Span);
        executor.Run();
        return executor[node].Span.ToArray();
    }

    /// <summary>A parameter of random numbers.</summary>
    public static Node Weights(this Graph graph, Generator generator, params ReadOnlySpan<long> sizes) =>
        graph.Parameter(graph.FreeName("p"), RandomGraph.Random(generator, new(sizes)));

    /// <summary>
    /// Compares gradients with central differences in random directions: of the sum of the node's elements, each times a random number, by every parameter.
    /// </summary>
    public static void CheckGradients(Node node, Generator generator, double step = 1e-2, double tolerance = 2e-3)
    {
        Graph graph = node.Graph;
        Node weights = graph.Constant(RandomGraph.Random(generator, node.Shape));
        Node[] by = [.. graph.Parameters.Values];
        Node loss = graph.Add(new SumTo(default), node * weights);
        Node[] gradients = Gradients.Of(loss, by);
        Executor executor = new(graph, [node, .. gradients]);
        executor.Run();
        float[][] found = [.. gradients.Select(g => executor[g].Span.ToArray())];
        for (int i = 0; i < by.Length; i++)
        {
            for (int direction = 0; direction < 2; direction++)
            {
                float[] at = by[i].Value!.Span.ToArray(), along = generator.Floats(at.Length);
                // Central differences at two distances, so that the error is of fourth order.
                double expected = (8 * (At(step) - At(-step)) - At(2 * step) + At(-2 * step)) / (12 * step), dot = 0, size = 1e-3;
                for (int k = 0; k < along.Length; k++)
                {
                    dot += (double)along[k] * found[i][k];
                    size += Math.Abs((double)along[k] * found[i][k]);
                }

                at.CopyTo(by[i].Value!.Span);
                if (!(Math.Abs(dot - expected) <= tolerance * size)) throw new Xunit.Sdk.XunitException($"gradient of {node} by {by[i]} {by[i].Shape}: {dot} along a direction, difference {expected}, size {size}");

                double At(double distance)
                {
                    for (int k = 0; k < at.Length; k++) by[i].Value!.Span[k] = (float)(at[k] + distance * along[k]);
                    executor.Run();
                    double sum = 0;
                    Span<float> y = executor[node].Span, w = weights.Value!.Span;
                    for (int k = 0; k < y.Length; k++) sum += (double)y[k] * w[k];
                    return sum;
                }
            }
        }
    }

    /// <summary>Numbers agree within a tolerance, relative to the largest expected.</summary>
    public static void Close(IReadOnlyList<double> expected, float[] found, double tolerance = 1e-5)
    {
        Assert.Equal(expected.Count, found.Length);
        double scale = Math.Max(1e-6, expected.Count == 0 ? 0 : expected.Max(Math.Abs));
        for (int i = 0; i < found.Length; i++)
        {
            if (!(Math.Abs(expected[i] - found[i]) <= tolerance * scale)) throw new Xunit.Sdk.XunitException($"element {i} is {found[i]}, expected {expected[i]}");
        }
    }
}
