namespace Amalgam.Graphs.Ops;

/// <summary>
/// Half a step of the power iteration for the largest singular value of a matrix W [m, n]. Inputs: the stored estimate of the singular vector, W, and the estimate of the other side's vector. Otherwise than in training
/// it is the stored estimate. In training it is W v / |W v|, or W' u / |W' u|, which is then stored; no gradient goes through it (T. Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018).
/// </summary>
/// <param name="OfRight">The vector is the right one, [n]; else the left one, [m].</param>
public sealed record PowerIteration(bool OfRight = false) : View
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        Shape w = x[1].Shape;
        if (w.Rank != 2) throw new GraphException($"needs a matrix, found {w}");
        Shape own = new(w[OfRight ? 1 : 0]), other = new(w[OfRight ? 0 : 1]);
        return x[0].Shape == own && x[2].Shape == other ? own : throw new GraphException($"the vectors must be {own} and {other}, found {x[0].Shape} and {x[2].Shape}");
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy, null, null];

    public override Node? ForTraining(ReadOnlySpan<Node> x, TrainingForm form)
    {
        Node next = x[1].MatMul(x[2], transposeA: OfRight).Normalize(0);
        Node still = form.Graph.Add(new StraightThrough(), next, form.Graph.Constant(new Tensor(next.Shape)));
        if (x[0].Op is Parameter) form.Graph.Update(x[0], still);
        return still;
    }

    public override void Link(Node y, AxisLinks links)
    {
        Axis own = AxisLinks.Of(y.Inputs[1], OfRight ? 1 : 0), other = AxisLinks.Of(y.Inputs[1], OfRight ? 0 : 1);
        links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(y.Inputs[0], 0));
        links.Same(AxisLinks.Of(y, 0), own);
        links.Same(AxisLinks.Of(y.Inputs[2], 0), other);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit("Identity", [to[y.Inputs[0]]]);
}
