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
        ["Add"] = One(c => OnnxForms.Binary(c, new Add())),
        ["Sub"] = One(c => OnnxForms.Binary(c, new Sub())),
        ["Mul"] = One(c => OnnxForms.Binary(c, new Mul())),
        ["Neg"] = One(c => c.Add(new Neg(), c[0])),

        // Activations, comparisons, reductions, normalisation, pooling, softmax and losses
        ["Div"] = One(OnnxForms.Div),
        ["Relu"] = Unary(new Relu()),
        ["LeakyRelu"] = One(c => c.Add(new LeakyRelu(c.Float("alpha", 0.01f)), c[0])),
        ["ThresholdedRelu"] = One(c => c.Add(new ThresholdedRelu(c.Float("alpha", 1)), c[0])),
        ["PRelu"] = One(OnnxForms.PRelu),
        ["Clip"] = One(OnnxForms.Clip),
        ["Elu"] = One(c => c.Add(new Elu(c.Float("alpha", 1)), c[0])),
        ["Celu"] = One(c => c.Add(new Celu(c.Float("alpha", 1)), c[0])),
        ["Selu"] = One(c => c.Add(new Selu(c.Float("alpha", 1.67326319217681884765625f), c.Float("gamma", 1.05070102214813232421875f)), c[0])),
        ["Gelu"] = One(c => c.Add(new Gelu(c.Text("approximate", "none") == "tanh"), c[0])),
        ["HardSigmoid"] = One(c => c.Add(new HardSigmoid(c.Float("alpha", 0.2f), c.Float("beta", 0.5f)), c[0])),
        ["Swish"] = One(OnnxForms.Swish),
        ["Erf"] = Unary(new Erf()),
        ["Sigmoid"] = Unary(new Sigmoid()),
        ["Tanh"] = Unary(new Tanh()),
        ["HardSwish"] = Unary(new HardSwish()),
        ["Mish"] = Unary(new Mish()),
        ["Softplus"] = Unary(new Softplus()),
        ["Softsign"] = Unary(new Softsign()),
        ["Exp"] = Unary(new Exp()),
        ["Log"] = Unary(new Log()),
        ["Sqrt"] = Unary(new Sqrt()),
        ["Reciprocal"] = Unary(new Reciprocal()),
        ["Abs"] = Unary(new Abs()),
        ["Sin"] = Unary(new Sin()),
        ["Cos"] = Unary(new Cos()),
        ["Atan"] = Unary(new Atan()),
        ["Sign"] = Unary(new Sign()),
        ["Floor"] = Unary(new Floor()),
        ["Ceil"] = Unary(new Ceil()),
        ["Round"] = Unary(new Round()),
        ["Not"] = Unary(new Not()),
        ["IsNaN"] = Unary(new IsNaN()),
        ["IsInf"] = One(c => c.Add(new IsInf(c.Int("detect_positive", 1) != 0, c.Int("detect_negative", 1) != 0), c[0])),
        ["Pow"] = One(c => OnnxForms.Binary(c, new Pow())),
        ["Equal"] = One(c => OnnxForms.Binary(c, new Equal())),
        ["Less"] = One(c => OnnxForms.Binary(c, new Less())),
        ["LessOrEqual"] = One(c => OnnxForms.Binary(c, new LessOrEqual())),
        ["Greater"] = One(c => OnnxForms.Binary(c, new Greater())),
        ["GreaterOrEqual"] = One(c => OnnxForms.Binary(c, new GreaterOrEqual())),
        ["And"] = One(c => OnnxForms.Binary(c, new And())),
        ["Or"] = One(c => OnnxForms.Binary(c, new Or())),
        ["Xor"] = One(c => OnnxForms.Binary(c, new Xor())),
        ["Mod"] = One(c => c.Add(new Mod(c.Int("fmod", 0) != 0), c[0], c[1])),
        ["Sum"] = One(c => OnnxForms.Fold(c, new Add())),
        ["Mean"] = One(c => OnnxForms.Fold(c, new Add()) / c.Inputs),
        ["Min"] = One(c => OnnxForms.Fold(c, new Min())),
        ["Max"] = One(c => OnnxForms.Fold(c, new Max())),
        ["Where"] = One(c => c.Add(new Where(), c[0], c[1], c[2])),
        ["ReduceSum"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceSum(axes, keep))),
        ["ReduceMean"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceMean(axes, keep))),
        ["ReduceMax"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceMax(axes, keep))),
        ["ReduceMin"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceMin(axes, keep))),
        ["ReduceProd"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceProd(axes, keep))),
        ["ReduceSumSquare"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceSumSquare(axes, keep))),
        ["ReduceL1"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceL1(axes, keep))),
        ["ReduceL2"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceL2(axes, keep))),
        ["ReduceLogSum"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceLogSum(axes, keep))),
        ["ReduceLogSumExp"] = One(c => OnnxForms.Reduce(c, (axes, keep) => new ReduceLogSumExp(axes, keep))),
        ["ArgMax"] = One(c => c.Add(new ArgMax((int)c.Int("axis", 0), c.Int("keepdims", 1) != 0, c.Int("select_last_index", 0) != 0), c[0])),
        ["ArgMin"] = One(c => c.Add(new ArgMin((int)c.Int("axis", 0), c.Int("keepdims", 1) != 0, c.Int("select_last_index", 0) != 0), c[0])),
        ["CumSum"] = One(c => c.Add(new CumSum((int)c[1].Integers("CumSum's axis")[0], c.Int("exclusive", 0) != 0, c.Int("reverse", 0) != 0), c[0])),
        ["Softmax"] = One(c => OnnxForms.Softmax(c, axis => new Softmax(axis))),
        ["LogSoftmax"] = One(c => OnnxForms.Softmax(c, axis => new LogSoftmax(axis))),
        ["BatchNormalization"] = OnnxForms.BatchNormalization,
        ["LayerNormalization"] = OnnxForms.LayerNormalization,
        ["RMSNormalization"] = One(OnnxForms.RMSNormalization),
        ["GroupNormalization"] = One(OnnxForms.GroupNormalization),
        ["InstanceNormalization"] = One(c => c.Add(new InstanceNormalization(c.Float("epsilon", 1e-5f)), c[0], c[1], c[2])),
        ["MeanVarianceNormalization"] = One(OnnxForms.MeanVarianceNormalization),
        ["LpNormalization"] = One(c => c.Add(new LpNormalization((int)c.Int("axis", -1), (int)c.Int("p", 2)), c[0])),
        ["LRN"] = One(c => c.Add(new LRN((int)c.Int("size"), c.Float("alpha", 0.0001f), c.Float("beta", 0.75f), c.Float("bias", 1)), c[0])),
        ["MaxPool"] = One(OnnxForms.MaxPool),
        ["AveragePool"] = One(OnnxForms.AveragePool),
        ["GlobalAveragePool"] = Unary(new GlobalAveragePool()),
        ["GlobalMaxPool"] = Unary(new GlobalMaxPool()),

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
        ["Resize"] = One(ResizeImports.Resize),
        ["Upsample"] = One(ResizeImports.Upsample),
        ["Einsum"] = One(c => Layout.Einsum(c.Text("equation", ""), c.All())),
        ["Split"] = LayoutImports.Split,
        ["Dropout"] = LayoutImports.Dropout,
        ["TopK"] = LayoutImports.TopK,
        ["RNN"] = RecurrentImports.Rnn,
        ["GRU"] = RecurrentImports.Gru,
        ["LSTM"] = RecurrentImports.Lstm,

        // Matrix products and convolutions
        ["MatMul"] = One(c => c[0].MatMul(c[1])),
        ["Gemm"] = One(ProductImports.Gemm),
        ["Conv"] = One(ProductImports.Conv),
        ["ConvTranspose"] = One(ProductImports.ConvTranspose),
    };

    private static Import One(Func<OnnxCall, Node> make) => call => [make(call)];

    /// <summary>An operator of one input without attributes; the attribute of old operator sets that plans memory is of no interest.</summary>
    private static Import Unary(Op op) => call =>
    {
        call.Ignore("consumed_inputs");
        return [call.Add(op, call[0])];
    };
}
