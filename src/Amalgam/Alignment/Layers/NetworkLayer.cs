using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>What a layer is made of.</summary>
public enum LayerKind
{
    /// <summary>A matrix product by a parameter.</summary>
    Dense,

    /// <summary>A convolution by a parameter.</summary>
    Convolution,

    /// <summary>Several branches with products of their own between one value that they read and one that they make: a residual block, attention.</summary>
    Block,
}

/// <summary>A layer on the trunk of a network: a product by a parameter, or a block, with the bias, normalisation, activation and dropout that follow it.</summary>
/// <param name="Index">Place among all layers of the network, from 0.</param>
/// <param name="Name">What it is called, for people: what its parameters' names begin with.</param>
/// <param name="Kind">What it is made of.</param>
/// <param name="Signature">What must be the same for two layers to be matched: operations, kernels, strides, groups and how they are wired, but no widths.</param>
/// <param name="Entry">The one value that it reads.</param>
/// <param name="PreActivation">The value before its last activation: the product with bias and normalisation, or the sum of a residual block.</param>
/// <param name="Exit">Its last value.</param>
/// <param name="Width">Channels or units of the exit.</param>
/// <param name="Nodes">All between entry and exit, the exit and the parameters included, in the graph's order. What depends on the inputs by another way than the entry, such as a mask, is not among them, even where the layer reads it.</param>
public sealed record NetworkLayer(int Index, string Name, LayerKind Kind, string Signature, Node Entry, Node PreActivation, Node Exit, int Width, ImmutableArray<Node> Nodes)
{
    /// <summary>The axis of the exit and of the pre-activation that has the channels or units.</summary>
    public int Axis { get; init; } = 1;

    /// <summary>What it computes, in a few words for people: <c>Conv 3x3, Conv 3x3</c>.</summary>
    public string Operations { get; init; } = "";

    /// <summary>Whether it changes the resolution, or as a block the width: it is then the first of its group.</summary>
    public bool IsTransition { get; init; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;

    /// <summary>A layer is itself alone.</summary>
    public bool Equals(NetworkLayer? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => HashCode.Combine(Exit.Id, Index);
}

/// <summary>Layers of one kind between changes of resolution; those of two networks are matched group by group.</summary>
/// <param name="Name">What it is called, for people: <c>blocks 16x16</c>.</param>
/// <param name="Kind">What its layers are made of.</param>
/// <param name="Layers">The layers in order.</param>
public sealed record LayerGroup(string Name, LayerKind Kind, ImmutableArray<NetworkLayer> Layers)
{
    /// <summary>Number of layers.</summary>
    public int Count => Layers.Length;

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
