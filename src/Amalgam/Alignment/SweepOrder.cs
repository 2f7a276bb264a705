using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>The order in which a sweep goes through what it improves.</summary>
internal static class SweepOrder
{
    /// <summary>0 .. count - 1, shuffled; a function of the seed, of what for, and of the sweep's number alone.</summary>
    public static int[] Of(long seed, string purpose, int sweep, int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        uint[] random = new uint[count];
        Philox.Fill(Philox.Key(seed, purpose, sweep), 0, random);
        for (int i = count - 1; i > 0; i--)
        {
            int j = Draw.Below(random[i], i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }
}
