namespace Amalgam.Graphs.Ops;

/// <summary>An expression that stands in the place of a parameter (<see cref="Surgery.Replace"/>): the value as it is, under the parameter's name.</summary>
/// <param name="Stored">Element type of the parameter in files.</param>
/// <param name="Trainable">Whether the parameter was trainable: what it is again once it is baked.</param>
/// <param name="Place">Its place among the nodes of the graph that it was replaced in: where it stands again once it is baked.</param>
public sealed record Substitute(DType Stored, bool Trainable = true, int Place = int.MaxValue) : Op
{
    public override Reuse Reuse => Reuse.View;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return x[0].Shape;
    }

    public override DType TypeOf(ReadOnlySpan<Node> x) => Stored;

    public override bool IsKnown(ReadOnlySpan<Node> x) => false;

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => x[0].Span.CopyTo(y.Span);

    public override Node?[] Gradient(Node y, Node dy) => [dy];

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit("Identity", y);
}
