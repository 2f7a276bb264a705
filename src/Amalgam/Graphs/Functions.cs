using System.Collections.Immutable;
using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>Operations as functions of nodes, so that formulas read as formulas.</summary>
public static class Functions
{
    public static Node Relu(this Node x) => x.Graph.Add(new Relu(), x);

    public static Node LeakyRelu(this Node x, float alpha = 0.01f) => x.Graph.Add(new LeakyRelu(alpha), x);

    public static Node Clip(this Node x, float min, float max) => x.Graph.Add(new Clip(min, max), x);

    public static Node Gelu(this Node x, bool tanh = false) => x.Graph.Add(new Gelu(tanh), x);

    public static Node Sigmoid(this Node x) => x.Graph.Add(new Sigmoid(), x);

    public static Node Tanh(this Node x) => x.Graph.Add(new Tanh(), x);

    public static Node Silu(this Node x) => x.Graph.Add(new Silu(), x);

    public static Node Softplus(this Node x) => x.Graph.Add(new Softplus(), x);

    public static Node PRelu(this Node x, Node slope) => x.Graph.Add(new PRelu(), x, slope);

    public static Node Exp(this Node x) => x.Graph.Add(new Exp(), x);

    public static Node Log(this Node x) => x.Graph.Add(new Log(), x);

    public static Node Sqrt(this Node x) => x.Graph.Add(new Sqrt(), x);

    public static Node Reciprocal(this Node x) => x.Graph.Add(new Reciprocal(), x);

    public static Node Abs(this Node x) => x.Graph.Add(new Abs(), x);

    public static Node Sign(this Node x) => x.Graph.Add(new Sign(), x);

    public static Node Round(this Node x) => x.Graph.Add(new Round(), x);

    public static Node Sin(this Node x) => x.Graph.Add(new Sin(), x);

    public static Node Cos(this Node x) => x.Graph.Add(new Cos(), x);

    public static Node Atan(this Node x) => x.Graph.Add(new Atan(), x);

    /// <summary>x to the power of a number.</summary>
    public static Node Pow(this Node x, float exponent) => x.Graph.Add(new Pow(), x, x.Graph.Constant(exponent));

    /// <summary>The lesser of two, with broadcasting.</summary>
    public static Node Min(this Node a, Node b) => a.Graph.Add(new Min(), a, b);

    /// <summary>The greater of two, with broadcasting.</summary>
    public static Node Max(this Node a, Node b) => a.Graph.Add(new Max(), a, b);

    /// <summary><paramref name="a"/> where the condition is not 0, else <paramref name="b"/>.</summary>
    public static Node Where(this Node condition, Node a, Node b) => condition.Graph.Add(new Where(), condition, a, b);

    /// <summary>Softmax along one axis.</summary>
    public static Node Softmax(this Node x, int axis = -1) => x.Graph.Add(new Softmax(axis), x);

    /// <summary>The logarithm of Softmax along one axis.</summary>
    public static Node LogSoftmax(this Node x, int axis = -1) => x.Graph.Add(new LogSoftmax(axis), x);

    /// <summary>Sum over axes; over all where none is given.</summary>
    public static Node Sum(this Node x, bool keepDims = false, params ReadOnlySpan<int> axes) => x.Graph.Add(new ReduceSum([.. axes], keepDims), x);

    /// <summary>Mean over axes; over all where none is given.</summary>
    public static Node Mean(this Node x, bool keepDims = false, params ReadOnlySpan<int> axes) => x.Graph.Add(new ReduceMean([.. axes], keepDims), x);

    /// <summary>x over its Euclidean norm along one axis.</summary>
    public static Node Normalize(this Node x, int axis = -1) => x.Graph.Add(new LpNormalization(axis), x);

    /// <summary>Normalisation over the innermost axes, as many as the scale has.</summary>
    public static Node LayerNormalization(this Node x, Node scale, Node? bias = null, float epsilon = 1e-5f)
    {
        LayerNormalization op = new(-scale.Shape.Rank, epsilon);
        return bias is null ? x.Graph.Add(op, x, scale) : x.Graph.Add(op, x, scale, bias);
    }

    /// <summary>Normalisation by running statistics, and by the batch's in training.</summary>
    public static Node BatchNormalization(this Node x, Node scale, Node bias, Node mean, Node variance, float epsilon = 1e-5f, float momentum = 0.9f) =>
        x.Graph.Add(new BatchNormalization(epsilon, momentum), x, scale, bias, mean, variance);

    /// <summary>Normalisation of groups of channels within each sample.</summary>
    public static Node GroupNormalization(this Node x, int groups, Node scale, Node bias, float epsilon = 1e-5f) =>
        x.Graph.Add(new GroupNormalization(groups, epsilon), x, scale, bias);

    /// <summary>The greatest element of each square window.</summary>
    public static Node MaxPool(this Node x, int kernel, int stride, int pad = 0) => x.Graph.Add(new MaxPool(Square(x, kernel), Square(x, stride), Square(x, pad, 2)), x);

    /// <summary>The mean of each square window.</summary>
    public static Node AveragePool(this Node x, int kernel, int stride, int pad = 0) => x.Graph.Add(new AveragePool(Square(x, kernel), Square(x, stride), Square(x, pad, 2)), x);

    /// <summary>The mean of each channel, with spatial axes of size 1.</summary>
    public static Node GlobalAveragePool(this Node x) => x.Graph.Add(new GlobalAveragePool(), x);

    /// <summary>Cross-entropy of logits [...,C] with labels [...] or distributions [...,C], the mean over samples.</summary>
    public static Node SoftmaxCrossEntropy(this Node logits, Node targets, float labelSmoothing = 0) => logits.Graph.Add(new SoftmaxCrossEntropy(labelSmoothing), logits, targets);

    /// <summary>Cross-entropy of the sigmoid of logits with targets in [0, 1], the mean over elements.</summary>
    public static Node BinaryCrossEntropyWithLogits(this Node logits, Node targets) => logits.Graph.Add(new BinaryCrossEntropyWithLogits(), logits, targets);

    /// <summary>Mean of the squared differences.</summary>
    public static Node MeanSquaredError(this Node a, Node b) => a.Graph.Add(new MeanSquaredError(), a, b);

    /// <summary>Divergence of a student's logits from a teacher's, times the squared temperature, the mean over samples.</summary>
    public static Node KlDivergence(this Node student, Node teacher, float temperature = 1) => student.Graph.Add(new KlDivergence(temperature), student, teacher);

    private static ImmutableArray<int> Square(Node x, int size, int sides = 1) => [.. Enumerable.Repeat(size, (x.Shape.Rank - 2) * sides)];
}
