using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>What operations on a trunk are to the layer before them.</summary>
internal static class TrunkOperations
{
    /// <summary>Shifts and scales of the values before, by their own moments.</summary>
    public static bool IsNormalisation(Stretch stretch) =>
        stretch.Data.Any(node => IsNormalisation(node.Op) || (!stretch.IsPlain && node.Op is Reduction));

    /// <summary>Whether an operation normalises.</summary>
    public static bool IsNormalisation(Op op) => op is BatchNormalization or ChannelNormalization or RowNormalization or LpNormalization or LRN;

    /// <summary>A function of each element that is not linear.</summary>
    public static bool IsActivation(Stretch stretch) =>
        stretch.IsPlain ? stretch.To.Op is PRelu || (stretch.To.Op is Unary && stretch.To.Op is not Neg) : !IsNormalisation(stretch);

    /// <summary>
    /// Whether a stretch goes on with the layer before it: a bias or scale, a normalisation, an activation, a dropout. One of several operations is such where it has no product and keeps the
    /// shape: an activation or a normalisation that is written out in parts.
    /// </summary>
    public static bool Follows(Stretch stretch, Trunk trunk)
    {
        if (stretch.From is null || stretch.To.Shape != stretch.From.Shape) return false;
        return stretch.IsPlain ? Follows(stretch.To.Op) : stretch.Data.All(node => Follows(node.Op) || IsMove(node.Op) || node.Op is Reduction) && !stretch.Data.Any(trunk.IsProduct);
    }

    /// <summary>Whether an operation moves values without changing them.</summary>
    public static bool IsMove(Op op) => op is View or Transpose or Cast;

    /// <summary>Whether an operation changes each element by itself, or normalises.</summary>
    public static bool Follows(Op op) => op is Unary or Binary or Identity or Dropout or StraightThrough or Cast || IsNormalisation(op);
}
