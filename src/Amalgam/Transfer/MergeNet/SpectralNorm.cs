using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;

namespace Amalgam.Transfer.MergeNet;

/// <summary>
/// A weight over an estimate u' W v of its largest singular value. u and v are parameters that are not trained: each step in the training form brings them nearer by one power iteration, u first and then v from it, and
/// sets them by updates of the graph. They begin after fifteen iterations from random vectors. All as PyTorch's spectral_norm does.
/// </summary>
internal static class SpectralNorm
{
    private const int FirstIterations = 15;

    /// <summary>Adds the weight that is used.</summary>
    public static Node Of(AdapterSite site, Node weight, string name)
    {
        Tensor w = weight.Value!;
        int rows = w.Shape.Size(0), columns = w.Shape.Size(1);
        Tensor u = Initialisation.Normal(1).Draw(new(rows), site.Seed, $"{site.Prefix}{name}.u"), v = Initialisation.Normal(1).Draw(new(columns), site.Seed, $"{site.Prefix}{name}.v");
        Normalize(v);
        for (int i = 0; i < FirstIterations; i++)
        {
            Gemm.Multiply(rows, 1, columns, w.Span, false, v.Span, false, u.Span);
            Normalize(u);
            Gemm.Multiply(columns, 1, rows, w.Span, true, u.Span, false, v.Span);
            Normalize(v);
        }

        Node storedU = site.Graph.Parameter($"{site.Prefix}{name}.u", u, trainable: false), storedV = site.Graph.Parameter($"{site.Prefix}{name}.v", v, trainable: false);
        Node left = site.Graph.Add(new PowerIteration(), storedU, weight, storedV), right = site.Graph.Add(new PowerIteration(OfRight: true), storedV, weight, left);
        return weight / (left * weight.MatMul(right)).Sum();
    }

    private static void Normalize(Tensor x)
    {
        float length = TensorPrimitives.Norm<float>(x.Span);
        if (length > 0) TensorPrimitives.Divide(x.Span, length, x.Span);
    }
}
