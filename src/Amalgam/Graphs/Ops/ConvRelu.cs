namespace Amalgam.Graphs.Ops;

/// <summary>A convolution followed by Relu, in one pass: max(0, conv(x)). Inputs as <see cref="Conv"/>'s.</summary>
/// <param name="Convolution">The convolution.</param>
public sealed record ConvRelu(Conv Convolution) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x) => Convolution.Infer(x);

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Numerics.Convolution.Forward(Convolution.Sizes(x[0].Shape, x[1].Shape), x[0].Span, x[1].Span, x.Length > 2 ? x[2].Span : [], y.Span, relu: true);

    public override Node?[] Gradient(Node y, Node dy) => throw new GraphException("a fused operation has no gradient: take gradients before a graph is rewritten for speed");

    public override void Link(Node y, AxisLinks links) => Convolution.Link(y, links);

    public override long Work(Node y) => Convolution.Work(y) + y.Shape.Count;
}
