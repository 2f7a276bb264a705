using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>Runs two networks with the same inputs and outputs on the same random numbers.</summary>
internal static class FunctionProbe
{
    /// <summary>How far the second network's outputs are from the first's.</summary>
    /// <param name="a">A network.</param>
    /// <param name="b">Another one.</param>
    /// <param name="seed">Draws the inputs.</param>
    /// <param name="cancel">Looked at between operations.</param>
    /// <returns>
    /// The largest difference of a number relative to the largest one of its output in the first network: zero where all are equal, infinite where the second network's is not finite. Null where the first
    /// network's own outputs are not finite, so that nothing can be told.
    /// </returns>
    public static double? Difference(Graph a, Graph b, int seed = 0, CancellationToken cancel = default)
    {
        float[][] ofA = Outputs(a, seed, cancel), ofB = Outputs(b, seed, cancel);
        if (!ofA.All(output => output.All(float.IsFinite))) return null;
        double difference = 0;
        for (int output = 0; output < ofA.Length; output++)
        {
            double largest = ofA[output].Select(Math.Abs).DefaultIfEmpty().Max();
            foreach (var (x, y) in ofA[output].Zip(ofB[output]))
            {
                if (x == y) continue;
                double change = Math.Abs((double)x - y) / (largest > 0 ? largest : 1);
                difference = Math.Max(difference, double.IsNaN(change) ? double.PositiveInfinity : change);
            }
        }

        return difference;
    }

    private static float[][] Outputs(Graph graph, int seed, CancellationToken cancel)
    {
        Executor executor = new(graph, new ExecutorOptions(Rewrites: false));
        Random random = new(seed);
        foreach (Node input in graph.Inputs.Values) RandomInput.Fill(graph, input, executor[input], random);
        executor.Run(cancel);
        return [.. graph.Outputs.Values.Select(node => executor[node].Span.ToArray())];
    }
}
