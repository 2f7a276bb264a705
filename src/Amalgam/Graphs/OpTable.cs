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
        ["Reshape"] = One(LayoutImports.Reshape),
        ["Flatten"] = One(LayoutImports.Flatten),
        ["Squeeze"] = One(LayoutImports.Squeeze),
        ["Unsqueeze"] = One(LayoutImports.Unsqueeze),
        ["Transpose"] = One(LayoutImports.Transpose),
        ["Concat"] = One(LayoutImports.Concat),
        ["Slice"] = One(LayoutImports.Slice),
        ["Pad"] = One(LayoutImports.Pad),
        ["Expand"] = One(c => c.Add(new Expand(), c[0], c[1])),
        ["Tile"] = One(LayoutImports.Tile),
        ["Identity"] = One(c => c.Add(new Identity(), c[0])),
        ["Gather"] = One(LayoutImports.Gather),
        ["GatherElements"] = One(LayoutImports.GatherElements),
        ["GatherND"] = One(LayoutImports.GatherND),
        ["Scatter"] = One(LayoutImports.ScatterElements),
        ["ScatterElements"] = One(LayoutImports.ScatterElements),
        ["ScatterND"] = One(LayoutImports.ScatterND),
        ["Shape"] = One(LayoutImports.Shape),
        ["Size"] = One(c => c.Add(new SizeOf(), c[0])),
        ["Range"] = One(c => c.Add(new Sequence(), c[0], c[1], c[2])),
        ["ConstantOfShape"] = One(LayoutImports.ConstantOfShape),
        ["EyeLike"] = One(LayoutImports.EyeLike),
        ["OneHot"] = One(LayoutImports.OneHot),
        ["Trilu"] = One(LayoutImports.Trilu),
        ["Cast"] = One(LayoutImports.Cast),
        ["CastLike"] = One(LayoutImports.CastLike),
        ["DepthToSpace"] = One(LayoutImports.DepthToSpace),
        ["SpaceToDepth"] = One(LayoutImports.SpaceToDepth),
        ["Split"] = LayoutImports.Split,
        ["Dropout"] = LayoutImports.Dropout,
        ["TopK"] = LayoutImports.TopK,
        ["RNN"] = RecurrentImports.Rnn,
        ["GRU"] = RecurrentImports.Gru,
        ["LSTM"] = RecurrentImports.Lstm,

        // Matrix products and convolutions
    };

    private static Import One(Func<OnnxCall, Node> make) => call => [make(call)];
}
