namespace Amalgam.Graphs;

/// <summary>How a result may use the memory of an input.</summary>
public enum Reuse
{
    /// <summary>The result has memory of its own.</summary>
    None,

    /// <summary>The result is the first input's elements under another shape: it shares them, and <see cref="Op.Run"/> is not called.</summary>
    View,

    /// <summary>Element i of the result needs nothing but element i of the inputs that have as many elements, so it may be written over one of them.</summary>
    InPlace,
}

/// <summary>
/// An operation, by its attributes: equal attributes, equal operations. One file says all that Amalgam knows of it: the shape of its result, the kernel, the
/// gradient, how it ties axes together, its ONNX form and its cost. Inputs and results are numbers in float32; ids and truth values are floats too.
/// </summary>
public abstract record Op
{
    /// <summary>The operation's name, ONNX's where there is one.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Shape of the result. Refuses inputs that do not fit by a <see cref="GraphException"/> that says what was found and expected; the graph adds which node.</summary>
    /// <param name="x">The inputs: shapes, and where the operation needs one known beforehand (axes, a target shape), its <see cref="Node.Known"/> value.</param>
    public abstract Shape Infer(ReadOnlySpan<Node> x);

    /// <summary>Element type of the result as ONNX sees it; numbers are computed in float whatever it says. The first input's unless overridden.</summary>
    public virtual DType TypeOf(ReadOnlySpan<Node> x) => x[0].Type;

    /// <summary>Whether the result is the same at every run: all inputs are constants. It is then computed when the node is added.</summary>
    public virtual bool IsKnown(ReadOnlySpan<Node> x)
    {
        foreach (Node input in x)
        {
            if (input.Known is null) return false;
        }

        return true;
    }

    /// <summary>Computes the result. Allocates nothing once warm, and gives the same bits for any number of threads.</summary>
    /// <param name="x">The inputs, in the shapes that <see cref="Infer"/> saw.</param>
    /// <param name="y">The result; what it holds before is undefined.</param>
    public abstract void Run(ReadOnlySpan<Tensor> x, Tensor y);

    /// <summary>
    /// The gradient by each input, as nodes added to the graph; null where there is none (an input of integers, say). A gradient may have the result's
    /// broadcast shape: <see cref="Gradients"/> sums it down to the input's.
    /// </summary>
    /// <param name="y">The node whose operation this is.</param>
    /// <param name="dy">The gradient by its value.</param>
    public virtual Node?[] Gradient(Node y, Node dy) => throw new GraphException($"{Name} has no gradient");

    /// <summary>How the result may use the inputs' memory.</summary>
    public virtual Reuse Reuse => Reuse.None;

    /// <summary>Which axes belong together, so that permutations of units can be found. Unless overridden, every axis is pinned.</summary>
    /// <param name="y">The node whose operation this is.</param>
    /// <param name="links">Takes the links.</param>
    public virtual void Link(Node y, AxisLinks links)
    {
        string reason = $"{Name} does not say how its axes are tied";
        links.FixAll(y, reason);
        foreach (Node input in y.Inputs) links.FixAll(input, reason);
    }

    /// <summary>
    /// What the operation becomes when a network is trained: batch normalisation takes the batch's statistics, dropout drops. Null where training makes no difference.
    /// </summary>
    /// <param name="x">The inputs, in the graph being made for training.</param>
    /// <param name="form">Gives what such forms need.</param>
    public virtual Node? ForTraining(ReadOnlySpan<Node> x, TrainingForm form) => null;

    /// <summary>Writes the operation as one or more ONNX nodes.</summary>
    /// <returns>Name of the ONNX value that holds the result.</returns>
    public virtual string Export(Node y, OnnxExport to) => throw new GraphException($"{Name} has no ONNX form");

    /// <summary>Floating-point operations of one run, a multiplication and an addition counted as two; zero for what only moves numbers.</summary>
    public virtual long Work(Node y) => 0;
}
