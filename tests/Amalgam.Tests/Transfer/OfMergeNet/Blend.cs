using Amalgam.Graphs;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>
/// A plain adapter for the tests of the training around it: a * target + P source Q. It needs nothing of the attention adapter, and its gradient by P, Q and a can be written down.
/// </summary>
/// <param name="Keep">The first value of a.</param>
/// <param name="Scale">Size of the numbers that P and Q are drawn with.</param>
internal sealed record Blend(float Keep = 1, float Scale = 0.2f) : ParameterAdapter
{
    public override string Name => "blend";

    public override string Description => FormattableString.Invariant($"{Name}, keep {Keep}, scale {Scale}");

    public override Node Add(AdapterSite site)
    {
        Random random = new(5);
        Node source = site.OnlySource(), p = Matrix("p", site.Target.Shape[0], source.Shape[0]), q = Matrix("q", source.Shape[1], site.Target.Shape[1]);
        Node a = site.Graph.Parameter(site.Prefix + "a", new Tensor(new(1), [Keep]));
        return a * site.Target + p.MatMul(source).MatMul(q);

        Node Matrix(string name, long rows, long columns)
        {
            Tensor value = new(new(rows, columns));
            foreach (ref float x in value.Span) x = (float)(random.NextDouble() * 2 - 1) * Scale;
            return site.Graph.Parameter(site.Prefix + name, value);
        }
    }
}

/// <summary>Writes the sum of the sources, which have the target's shape, over the target.</summary>
internal sealed record Sum : ParameterAdapter
{
    public override string Name => "sum";

    public override string Description => Name;

    public override Node Add(AdapterSite site) => site.Sources.Aggregate(site.Graph.Constant(0f), (sum, source) => sum + source);
}

/// <summary>Writes the source, which has the target's shape, over the target.</summary>
internal sealed record Overwrite : ParameterAdapter
{
    public override string Name => "overwrite";

    public override string Description => Name;

    public override Node Add(AdapterSite site) => site.OnlySource() + site.Graph.Constant(0f);
}
