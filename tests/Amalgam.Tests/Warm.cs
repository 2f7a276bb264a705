namespace Amalgam.Tests;

/// <summary>Code that has run before.</summary>
internal static class Warm
{
    /// <summary>The least of twenty runs, since now and then the runtime itself allocates on the thread, as when it compiles a method anew.</summary>
    public static void AllocatesNothing(Action run)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 20 && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }
}
