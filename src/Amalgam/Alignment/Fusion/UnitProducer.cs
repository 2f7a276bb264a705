using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Fusion;

/// <summary>A layer that makes units of a class: what it gives, where that is looked at, and the parameters that make it.</summary>
/// <param name="units">The class that it makes.</param>
/// <param name="value">What it gives.</param>
/// <param name="tap">The last value before something other than a bias, a normalisation of channels or a sum is done to it: what enters the non-linearity, of a residual block the stream after it.</param>
internal sealed class UnitProducer(UnitClass units, Node value, UnitPlace tap)
{
    /// <summary>The class that it makes.</summary>
    public UnitClass Units => units;

    /// <summary>What it gives.</summary>
    public Node Value => value;

    /// <summary>Where it is looked at.</summary>
    public UnitPlace Tap => tap;

    /// <summary>Places of the parameters that make, shift and scale its units.</summary>
    public List<UnitPlace> Weights { get; } = [];

    /// <summary>Whether a place of a value is where a product by a weight makes units, rather than handing on those that it is given.</summary>
    public static bool IsMade(UnitPlace place)
    {
        Node value = place.Node;
        return value.Op switch
        {
            Conv { Groups: 1 } or ConvTranspose => place.Axis == 1,
            MatMul when IsWeight(value.Inputs[1]) => place.Axis == value.Shape.Rank - 1,
            MatMul when IsWeight(value.Inputs[0]) => place.Axis == value.Shape.Rank - 2 || value.Inputs[1].Shape.Rank == 1,
            _ => false,
        };
    }

    /// <summary>Follows a value to where it is looked at.</summary>
    public static UnitPlace TapOf(UnitClass units, Node value, ILookup<Node, Node> users)
    {
        UnitPlace at = Of(value)!;
        while (users[at.Node].Distinct().ToArray() is [var next] && next.Op is Add or Sub or BatchNormalization && Of(next) is { } place) at = place;
        return at;

        UnitPlace? Of(Node node) => units.Values.FirstOrDefault(place => place.Node == node);
    }

    private static bool IsWeight(Node node) => node.Op is Parameter || (node.Op is not Input && node.Inputs.Length > 0 && node.Inputs.All(input => input.Known is not null || IsWeight(input)));
}
