using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>
/// Makes a batch normalisation with fixed statistics part of the convolution before it: filters times a, bias times a plus b, where a = scale / sqrt(var + epsilon)
/// and b = bias - mean a. Computed in double; results agree within rounding.
/// </summary>
internal static class BatchNormalizationFolding
{
    /// <summary>Folds wherever only the normalisation reads the convolution. Parameters become constants.</summary>
    public static GraphCopy Apply(Graph graph, IReadOnlyList<Node> wanted)
    {
        int[] users = Fusion.Users(graph, wanted);
        GraphCopy copy = Rewrite.Apply(graph, (to, node, inputs) =>
        {
            if (node.Op is not BatchNormalization normalization || node.Inputs[0] is not { Op: Conv } convolution || users[convolution.Id] != 1) return null;
            if (convolution.Inputs.Skip(1).Concat(node.Inputs.Skip(1)).Any(input => input.Value is null)) return null;
            (Tensor w, Tensor b) = Fold(convolution, node, normalization.Epsilon);
            return to.Add(convolution.Op, node.Name, inputs[0].Inputs[0], to.Constant(w), to.Constant(b));
        });
        return Rewrite.Then(copy, g => Rewrite.Prune(g, wanted.Select(node => copy.Map[node])));
    }

    private static (Tensor Filters, Tensor Bias) Fold(Node convolution, Node normalization, float epsilon)
    {
        Tensor filters = convolution.Inputs[1].Value!.Copy(), bias = new(new Shape(filters.Shape[0]));
        if (convolution.Inputs.Length > 2) convolution.Inputs[2].Value!.Span.CopyTo(bias.Span);
        ReadOnlySpan<float> scale = normalization.Inputs[1].Value!.Span, shift = normalization.Inputs[2].Value!.Span;
        ReadOnlySpan<float> mean = normalization.Inputs[3].Value!.Span, variance = normalization.Inputs[4].Value!.Span;
        int size = bias.Count == 0 ? 0 : filters.Count / bias.Count;
        for (int channel = 0; channel < bias.Count; channel++)
        {
            double a = scale[channel] / Math.Sqrt((double)variance[channel] + epsilon);
            foreach (ref float w in filters.Span.Slice(channel * size, size)) w = (float)(w * a);
            bias.Span[channel] = (float)((bias.Span[channel] - (double)mean[channel]) * a + shift[channel]);
        }

        return (filters, bias);
    }
}

/// <summary>Lets a convolution apply the Relu after it while its results are still in registers.</summary>
internal static class ConvReluFusion
{
    public static GraphCopy Apply(Graph graph, IReadOnlyList<Node> wanted)
    {
        int[] users = Fusion.Users(graph, wanted);
        GraphCopy copy = Rewrite.Apply(graph, (to, node, inputs) =>
            node.Op is Relu && node.Inputs[0].Op is Conv convolution && users[node.Inputs[0].Id] == 1
                ? to.Add(new ConvRelu(convolution), node.Name, [.. inputs[0].Inputs])
                : null);
        return Rewrite.Then(copy, g => Rewrite.Prune(g, wanted.Select(node => copy.Map[node])));
    }
}
