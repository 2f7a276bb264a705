namespace Amalgam.Graphs.Ops;

/// <summary>
/// The first input, with the gradient of the second: for choices that have no useful gradient of their own (Bengio, Léonard and Courville, Estimating or propagating
/// gradients through stochastic neurons for conditional computation, 2013). Both have one shape.
/// </summary>
public sealed record StraightThrough : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return x[0].Shape == x[1].Shape ? x[0].Shape : throw new GraphException("value and path of the gradient must have one shape");
    }

    public override Node?[] Gradient(Node y, Node dy) => [null, dy];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit("Identity", [to[y.Inputs[0]]]);
}
