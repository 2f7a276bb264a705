using Amalgam.Numerics;

namespace Amalgam.Tests;

/// <summary>A computation on the caller's thread alone, and split over several: what it gives must be the same.</summary>
internal static class OnThreads
{
    public static T One<T>(Func<T> compute)
    {
        using CoreLimit limit = Cores.Limit(1);
        return compute();
    }

    /// <summary>On four threads, on a machine of one core too. Fails where nothing was split, since a comparison with <see cref="One"/> would then say nothing.</summary>
    public static T Four<T>(Func<T> compute)
    {
        using CoreSpread spread = Cores.Spread(4);
        T result = compute();
        Assert.True(spread.Splits > 0, "no computation was large enough to be split over threads");
        return result;
    }
}
