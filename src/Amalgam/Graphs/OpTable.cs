using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>ONNX operators by name, each with what makes nodes of it: the results in ONNX's order, as many as are used.</summary>
public static class OpTable
{
    /// <summary>Makes nodes of an ONNX node. Refuses by a <see cref="GraphException"/> what the operator cannot be.</summary>
    public delegate Node[] Import(OnnxCall call);

    /// <summary>Every operator of the default domain that can be imported.</summary>
    public static readonly IReadOnlyDictionary<string, Import> All = new Dictionary<string, Import>
    {
        // Arithmetic
        ["Add"] = One(c => c.Add(new Add(), c[0], c[1])),
        ["Sub"] = One(c => c.Add(new Sub(), c[0], c[1])),
        ["Mul"] = One(c => c.Add(new Mul(), c[0], c[1])),
        ["Neg"] = One(c => c.Add(new Neg(), c[0])),

        // Activations, comparisons, reductions, normalisation, pooling, softmax and losses

        // Shape, movement, lookup and recurrence

        // Matrix products and convolutions
    };

    private static Import One(Func<OnnxCall, Node> make) => call => [make(call)];
}
