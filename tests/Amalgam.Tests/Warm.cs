namespace Amalgam.Tests;

/// <summary>Code that has run before.</summary>
internal static class Warm
{
    /// <summary>
    /// The median of many runs, since now and then the runtime itself allocates on the thread, as when it compiles a method anew; what allocates every other time is no such case.
    /// </summary>
    public static void AllocatesNothing(Action run)
    {
        long[] allocated = new long[21];
        for (int i = 0; i < allocated.Length; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            allocated[i] = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, Median(allocated));
    }

    /// <summary>The greater of the middle ones.</summary>
    public static long Median(params IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
