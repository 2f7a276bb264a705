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

    /// <summary>Whether a value makes units rather than handing on those that it is given: a product by a weight, or the first that has them.</summary>
    public static bool IsProduct(Node value) => value.Op is Conv { Groups: 1 } or ConvTranspose or MatMul && value.Inputs.Any(input => input.Op is Parameter || IsWeight(input));

    /// <summary>Follows a value to where it is looked at.</summary>
    public static UnitPlace TapOf(UnitClass units, Node value, ILookup<Node, Node> users)
    {
        UnitPlace at = Of(value)!;
        while (users[at.Node].Distinct().ToArray() is [var next] && next.Op is Add or Sub or BatchNormalization or Identity && Of(next) is { } place) at = place;
        return at;

        UnitPlace? Of(Node node) => units.Values.FirstOrDefault(place => place.Node == node);
    }

    private static bool IsWeight(Node node) => node.Op is Parameter || (node.Op is not Input && node.Inputs.Length > 0 && node.Inputs.All(input => input.Known is not null || IsWeight(input)));
}
