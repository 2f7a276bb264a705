namespace Amalgam.Graphs;

/// <summary>A value given at each run.</summary>
public sealed record Input : Leaf;

/// <summary>A named weight: kept with the model, and trained unless it is frozen.</summary>
public sealed record Parameter : Leaf;

/// <summary>A value that is part of the graph.</summary>
public sealed record Constant : Leaf;

/// <summary>A node without inputs.</summary>
public abstract record Leaf : Op
{
    public sealed override Shape Infer(ReadOnlySpan<Node> x) => throw new InvalidOperationException($"{Name} nodes are made by the graph");

    public sealed override void Run(ReadOnlySpan<Tensor> x, Tensor y) => throw new InvalidOperationException($"{Name} nodes are not run");

    public sealed override Node?[] Gradient(Node y, Node dy) => [];

    public sealed override void Link(Node y, AxisLinks links)
    {
    }
}
