using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>What stands between a convolution and its activation.</summary>
public enum Norm
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Batch normalisation.</summary>
    Batch,

    /// <summary>Group normalisation.</summary>
    Group,
}

/// <summary>Adds the layers of common architectures to a graph. Parameters are named as PyTorch's modules name them, <c>NAME.weight</c> and <c>NAME.bias</c>, and the layer's result is named NAME.</summary>
/// <param name="graph">The graph being built.</param>
/// <param name="seed">Draws the parameters; null leaves them zero.</param>
public sealed class Layers(Graph graph, long? seed)
{
    /// <summary>The graph being built.</summary>
    public Graph Graph => graph;

    /// <summary>How the kernels of convolutions begin.</summary>
    public Initialisation ConvStart { get; set; } = Initialisation.Default;

    /// <summary>How the weights of linear layers begin.</summary>
    public Initialisation LinearStart { get; set; } = Initialisation.Default;

    /// <summary>How tables of embeddings begin.</summary>
    public Initialisation EmbeddingStart { get; set; } = Initialisation.Normal(1);

    /// <summary>How biases begin; null for PyTorch's default, uniform in +-1 / sqrt(fan in) of the layer.</summary>
    public Initialisation? BiasStart { get; set; }

    /// <summary>Declares a parameter.</summary>
    public Node Parameter(string name, Shape shape, Initialisation start, bool trainable = true) =>
        graph.Parameter(name, seed is { } drawn ? start.Draw(shape, drawn, name) : new(shape), trainable);

    /// <summary>y = x W' + b over the last axis; W is [outputs, inputs].</summary>
    public Node Linear(Node x, string name, int outputs, bool bias = true, Initialisation? start = null)
    {
        long inputs = x.Shape[^1];
        Node w = Parameter($"{name}.weight", new(outputs, inputs), start ?? LinearStart);
        MatMul product = new(TransposeB: true);
        return bias ? graph.Add(new Add(), name, graph.Add(product, x, w), Bias(name, outputs, inputs)) : graph.Add(product, name, x, w);
    }

    /// <summary>Convolution of [N,C,H,W] by [outputs, C / groups, kernel, kernel].</summary>
    public Node Conv(Node x, string name, int outputs, int kernel, int stride = 1, int padding = 0, int groups = 1, bool bias = true)
    {
        if (x.Shape.Rank != 4) throw new GraphException($"{name}: a convolution takes [batch,channels,height,width], found {x.Shape}");
        if (groups < 1 || x.Shape[1] % groups != 0) throw new GraphException($"{name}: {x.Shape[1]} channels do not make {groups} groups");
        Shape shape = new(outputs, x.Shape[1] / groups, kernel, kernel);
        Conv op = new([stride, stride], [padding, padding, padding, padding], [1, 1], groups);
        Node w = Parameter($"{name}.weight", shape, ConvStart);
        return bias ? graph.Add(op, name, x, w, Bias(name, outputs, shape.Count / Math.Max(1, outputs))) : graph.Add(op, name, x, w);
    }

    /// <summary>Normalisation of channels, with as many groups as asked for where it is by groups; x itself where there is none.</summary>
    public Node Normalise(Node x, string name, Norm norm, int groups = 1) => norm switch
    {
        Norm.Batch => BatchNorm(x, name),
        Norm.Group => GroupNorm(x, name, groups),
        _ => x,
    };

    /// <summary>Batch normalisation, its running mean 0 and variance 1.</summary>
    public Node BatchNorm(Node x, string name, float epsilon = 1e-5f)
    {
        Shape channels = new(x.Shape[1]);
        Node weight = Parameter($"{name}.weight", channels, Initialisation.Ones), bias = Parameter($"{name}.bias", channels, Initialisation.Zeros);
        Node mean = Parameter($"{name}.running_mean", channels, Initialisation.Zeros, trainable: false);
        Node variance = Parameter($"{name}.running_var", channels, Initialisation.Ones, trainable: false);
        return graph.Add(new BatchNormalization(epsilon), name, x, weight, bias, mean, variance);
    }

    /// <summary>Group normalisation.</summary>
    public Node GroupNorm(Node x, string name, int groups, float epsilon = 1e-5f)
    {
        Shape channels = new(x.Shape[1]);
        return graph.Add(new GroupNormalization(groups, epsilon), name, x, Parameter($"{name}.weight", channels, Initialisation.Ones), Parameter($"{name}.bias", channels, Initialisation.Zeros));
    }

    /// <summary>Layer normalisation over the last axis.</summary>
    public Node LayerNorm(Node x, string name, float epsilon = 1e-5f)
    {
        Shape units = new(x.Shape[^1]);
        return graph.Add(new LayerNormalization(-1, epsilon), name, x, Parameter($"{name}.{ScaleName}", units, Initialisation.Ones), Parameter($"{name}.{ShiftName}", units, Initialisation.Zeros));
    }

    /// <summary>What a layer normalisation's scale is called: <c>weight</c>, or <c>gamma</c> in checkpoints that came from TensorFlow.</summary>
    public string ScaleName { get; set; } = "weight";

    /// <summary>What a layer normalisation's shift is called: <c>bias</c>, or <c>beta</c>.</summary>
    public string ShiftName { get; set; } = "bias";

    /// <summary>A table of vectors by id.</summary>
    public Node Table(string name, int count, int size) => Parameter($"{name}.weight", new(count, size), EmbeddingStart);

    /// <summary>Vectors [N,L,D], each with that of its position added from a table of L. Clicks of another number do not fit; a single one would else be spread over all positions.</summary>
    public Node AddPositions(Node x, string name, int length)
    {
        int size = x.Shape.Size(^1);
        return x.Reshape(0, length, size) + Table(name, length, size);
    }

    /// <summary>Max pooling of square windows side by side.</summary>
    public static Node MaxPool(Node x, int kernel) => x.Graph.Add(new MaxPool([kernel, kernel], [kernel, kernel], [0, 0, 0, 0], [1, 1], false), x);

    /// <summary>The mean of every channel, [N, C].</summary>
    public static Node ChannelMeans(Node x) => x.Graph.Add(new GlobalAveragePool(), x).Flatten();

    /// <summary>Attention of queries [N,T,D] over keys and values [N,S,D] in heads: softmax(q k' / sqrt(D / heads) + mask) v.</summary>
    /// <param name="query">What asks.</param>
    /// <param name="key">What is compared with.</param>
    /// <param name="value">What is given.</param>
    /// <param name="heads">Number of heads; divides D.</param>
    /// <param name="mask">Added to the scores [N,heads,T,S]; null for none.</param>
    /// <param name="dropout">Share of the attention that training drops.</param>
    public static Node Attend(Node query, Node key, Node value, int heads, Node? mask = null, float dropout = 0)
    {
        if (query.Shape[^1] % heads != 0) throw new GraphException($"{heads} heads do not divide {query.Shape[^1]} units");
        float scale = 1 / MathF.Sqrt(query.Shape[^1] / heads);
        Node scores = query.Graph.Add(new MatMul(TransposeB: true), Heads(query, heads), Heads(key, heads)) * scale;
        Node share = (mask is null ? scores : scores + mask).Softmax(-1);
        return query.Graph.Add(new MatMul(), Drop(share, dropout), Heads(value, heads)).Transpose(0, 2, 1, 3).Reshape(0, 0, -1);
    }

    /// <summary>Dropout, left out where it drops nothing.</summary>
    public static Node Drop(Node x, float ratio) => ratio == 0 ? x : x.Dropout(ratio);

    /// <summary>A mask to add to scores: 0 where <paramref name="valid"/> [N,S] is 1, -10000 where it is 0, [N,1,1,S].</summary>
    public static Node PaddingMask(Node valid) => ((1 - valid) * Forbidden).Unsqueeze(1, 2);

    /// <summary>The same for positions that look neither at padding nor at what comes later, [N,1,T,T].</summary>
    public static Node CausalMask(Node valid)
    {
        Graph g = valid.Graph;
        Node length = g.Add(new ShapeOf(1, 2), valid);
        Node earlier = g.Add(new Trilu(Upper: false), g.Add(new ConstantOfShape(1), Layout.Concat(0, length, length)));
        return (1 - (valid.Unsqueeze(1, 2) * earlier)) * Forbidden;
    }

    /// <summary>1 where an id is not 0, which is padding, else 0.</summary>
    public static Node IsItem(Node ids)
    {
        Graph g = ids.Graph;
        return g.Add(new Cast(DType.F32), g.Add(new Not(), g.Add(new Equal(), ids, g.Constant(Tensor.Scalar(0), DType.I64))));
    }

    private const float Forbidden = -10000;

    private static Node Heads(Node x, int heads) => x.Reshape(0, 0, heads, x.Shape[^1] / heads).Transpose(0, 2, 1, 3);

    private Node Bias(string name, int outputs, long fanIn) => Parameter($"{name}.bias", new(outputs), BiasStart ?? Initialisation.Uniform(1 / Math.Sqrt(fanIn)));

    /// <summary>A number of channels scaled by a width, one or more.</summary>
    internal static int Scaled(int channels, double width) => Math.Max(1, (int)Math.Round(channels * width, MidpointRounding.AwayFromZero));
}
