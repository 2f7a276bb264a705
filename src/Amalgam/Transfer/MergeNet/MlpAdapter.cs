using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>
/// The adapter that the low-rank one is compared with (MergeNet, equation 2): two perceptrons make the target from the source alone, the first of rows and the second of columns. What the target was is lost. The
/// equation as printed gives the transpose of the target; the code has the transpose that is missing there.
/// </summary>
/// <param name="Width">Width between the two layers of each perceptron.</param>
public sealed record MlpAdapter(int Width = 1024) : ParameterAdapter
{
    private const float Slope = 0.1f;

    /// <summary>Width between the two layers of each perceptron.</summary>
    public int Width { get; } = Width >= 1 ? Width : throw new GraphException($"mlp: the width must be 1 or more, got {Width}");

    public override string Name => "mlp";

    public override string Description => FormattableString.Invariant($"{Name}, width {Width}");

    public override Node Add(AdapterSite site)
    {
        site.Check();
        Node source = site.OnlySource();
        SizeOf(site.Target.Shape, source.Shape).Check(site, "take a smaller width");
        Node byRows = Perceptron(site, source, "rows", site.Target.Shape.Size(1));
        return Perceptron(site, byRows.Transpose(), "columns", site.Target.Shape.Size(0)).Transpose();
    }

    /// <summary>What the adapter takes for such matrices.</summary>
    internal AdapterSize SizeOf(Shape target, Shape source)
    {
        AdapterSize Perceptron(long rows, long inputs, long outputs) => AdapterSize.Linear(rows, inputs, Width) + AdapterSize.Linear(rows, Width, outputs);
        return Perceptron(source[0], source[1], target[1]) + Perceptron(target[1], source[0], target[0]);
    }

    /// <summary>Two layers with a leaky rectifier between them, begun as He et al. do, without biases at the start.</summary>
    private Node Perceptron(AdapterSite site, Node x, string name, int outputs)
    {
        Node inner = site.Linear(x, $"{name}.0", Width, Initialisation.KaimingFanIn, Initialisation.Zeros).LeakyRelu(Slope);
        return site.Linear(inner, $"{name}.1", outputs, Initialisation.KaimingFanIn, Initialisation.Zeros);
    }
}
