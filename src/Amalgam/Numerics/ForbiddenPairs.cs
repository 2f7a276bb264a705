using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>
/// Costs in which pairs are forbidden by an enormous one. Prices that go through such a pair keep no digit of the others' costs, so they are lowered: a plan that is best for lowered costs and uses
/// none of them is best for the true ones.
/// </summary>
internal static class ForbiddenPairs
{
    private const double Share = 1e-9, Headroom = 1e6;

    /// <summary>Costs with a ceiling far above those that are next to nothing beside the greatest, null where none or all are.</summary>
    /// <param name="cost">Finite.</param>
    /// <param name="most">The ceiling: what costs as much or more was lowered to it.</param>
    public static double[]? Cap(ReadOnlySpan<double> cost, out double most)
    {
        double least = TensorPrimitives.Min(cost), small = Share * (TensorPrimitives.Max(cost) - least);
        var vectors = MemoryMarshal.Cast<double, Vector<double>>(cost);
        Vector<double> below = new(least), limit = new(small), largest = Vector<double>.Zero;
        foreach (Vector<double> costs in vectors)
        {
            Vector<double> above = costs - below;
            largest = Vector.Max(largest, Vector.ConditionalSelect(Vector.LessThanOrEqual(above, limit), above, Vector<double>.Zero));
        }

        double top = 0;
        for (int lane = 0; lane < Vector<double>.Count; lane++) top = Math.Max(top, largest[lane]);
        foreach (double of in cost[(vectors.Length * Vector<double>.Count)..]) top = of - least <= small ? Math.Max(top, of - least) : top;

        most = least + Headroom * top;
        if (!(top > 0)) return null;
        double[] capped = new double[cost.Length];
        TensorPrimitives.Min(cost, most, capped);
        return capped;
    }
}
