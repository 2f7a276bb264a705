using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>
/// Positions that may change places without changing what the network computes, wherever they occur at once: the channels of a layer, the heads of an attention, the units within a head.
/// A class may depend on another, its outer one: the units of a head have an order of their own in each head, and follow their head when heads change places (a wreath product).
/// </summary>
public sealed class UnitClass
{
    internal UnitClass(int index, string name, int size, string? pinned) => (Index, Name, Size, Pinned) = (index, name, size, pinned);

    /// <summary>Position in <see cref="UnitGroups.Classes"/>.</summary>
    public int Index { get; }

    /// <summary>The layer whose units these are, after the first parameter that makes them; unique in the network.</summary>
    public string Name { get; internal set; }

    /// <summary>Number of units in a block.</summary>
    public int Size { get; }

    /// <summary>Why these units keep their places; null where they need not.</summary>
    public string? Pinned { get; internal set; }

    /// <summary>The class on whose position the order of these units depends; null where one order holds everywhere.</summary>
    public UnitClass? Outer { get; internal set; }

    /// <summary>The classes that depend on this one.</summary>
    public ImmutableArray<UnitClass> Inner { get; internal set; } = [];

    /// <summary>Number of blocks that have an order of their own: the product of the sizes of the outer classes, 1 without.</summary>
    public int Blocks => Outer is null ? 1 : Outer.Blocks * Outer.Size;

    /// <summary>Number of units in all blocks.</summary>
    public int Units => Blocks * Size;

    /// <summary>The outer classes, outermost first, and this one last: the digits that tell a unit, most significant first.</summary>
    public ImmutableArray<UnitClass> Chain => Outer is null ? [this] : [.. Outer.Chain, this];

    /// <summary>Where parameters have these units.</summary>
    public ImmutableArray<UnitPlace> Parameters { get; internal set; } = [];

    /// <summary>Where computed values have these units, in the order of the network.</summary>
    public ImmutableArray<UnitPlace> Values { get; internal set; } = [];

    /// <summary>
    /// Where activations are observed by default: what the last layer that sums over these units is given (both queries and keys, where those are multiplied), before any mean over positions;
    /// as MuDSC's code does. Where no layer sums over them, the last value that has them; empty when none has.
    /// </summary>
    public ImmutableArray<UnitPlace> LastTaps { get; internal set; } = [];

    /// <summary>What every layer that sums over these units is given, in the order of the network.</summary>
    public ImmutableArray<UnitPlace> Taps { get; internal set; } = [];

    /// <summary>Whether one parameter both makes these units and is summed over them, as an embedding that is also the output's matrix: their units can be permuted, but not zipped.</summary>
    public bool IsTied { get; internal set; }

    /// <summary>Name and size, for people.</summary>
    public override string ToString() => Blocks == 1 ? $"{Name} {Size}" : $"{Name} {Blocks}x{Size}";
}

/// <summary>On which side of its parameter an axis of units is.</summary>
public enum UnitSide
{
    /// <summary>The parameter makes or scales the units: filters, biases, scales, embeddings. When units are merged their mean is taken.</summary>
    Out,

    /// <summary>The parameter is summed over the units: the columns that a layer reads by. When units are merged these are added.</summary>
    In,
}

/// <summary>A place where a value has the units of a class.</summary>
/// <param name="Units">The class.</param>
/// <param name="Node">A parameter or a computed value of <see cref="UnitGroups.Graph"/>.</param>
/// <param name="Axis">The axis that has them.</param>
/// <param name="Part">The positions of the axis that they are at.</param>
/// <param name="Side">On which side of a parameter the axis is; <see cref="UnitSide.Out"/> for computed values.</param>
/// <param name="IsStatistic">Whether it is a running mean or variance: it moves with the units and says nothing of which are alike.</param>
/// <param name="Chain">Where the digits of the class's chain are, outermost first and its own last: on the same part, or on another axis, as heads are that have one for themselves.</param>
public sealed record UnitPlace(UnitClass Units, Node Node, int Axis, AxisPart Part, UnitSide Side, bool IsStatistic, ImmutableArray<ChainDigit> Chain)
{
    public bool Equals(UnitPlace? other) => other is not null && (Units, Node, Axis, Part.Offset, Side) == (other.Units, other.Node, other.Axis, other.Part.Offset, other.Side);

    public override int GetHashCode() => HashCode.Combine(Units, Node, Axis, Part.Offset, Side);
}

/// <summary>Where a value has a digit.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Part">The positions of the axis.</param>
/// <param name="Digit">Which of the part's digits.</param>
public sealed record ChainDigit(int Axis, AxisPart Part, int Digit);

/// <summary>A digit of positions: they run through the units of a class.</summary>
/// <param name="Class">The class; null for positions whose order is fixed.</param>
/// <param name="Size">How many there are.</param>
/// <param name="Stride">How far apart in the axis.</param>
public readonly record struct UnitDigit(UnitClass? Class, int Size, int Stride);

/// <summary>Positions of an axis that lie one behind the other and fall into digits.</summary>
/// <param name="Offset">The first position.</param>
/// <param name="Digits">Most significant first; empty for a single position. The product of their sizes is the number of positions; strides need not be those of a dense array
/// (heads that hold queries, keys and values side by side).</param>
public sealed record AxisPart(int Offset, ImmutableArray<UnitDigit> Digits)
{
    /// <summary>Number of positions.</summary>
    public int Count => Digits.Aggregate(1, (count, digit) => count * digit.Size);

    /// <summary>The digit of a class; -1 when it has none.</summary>
    public int IndexOf(UnitClass units)
    {
        for (int i = 0; i < Digits.Length; i++)
        {
            if (Digits[i].Class == units) return i;
        }

        return -1;
    }
}

/// <summary>An axis as digits of units: its parts hold each position once.</summary>
public sealed record AxisLayout(ImmutableArray<AxisPart> Parts);
