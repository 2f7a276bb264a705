using Amalgam.Numerics;

namespace Amalgam.Training.Data;

/// <summary>What the random choices of a sample (augmentation, negatives) depend on, besides the sample itself.</summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Epoch">Passes over the data that came before, from 0.</param>
public readonly record struct Draw(long Seed, int Epoch)
{
    /// <summary>Random numbers that one purpose can have for one sample in one epoch.</summary>
    public const int Most = 1 << 12;

    /// <summary>The random numbers of a sample, uniform over all 32-bit numbers; a longer request begins with the same numbers as a shorter one.</summary>
    /// <param name="purpose">What they are for; two purposes never share numbers.</param>
    /// <param name="sample">Index of the sample, zero or more.</param>
    /// <param name="y">Receives at most <see cref="Most"/> numbers.</param>
    public void Fill(uint purpose, int sample, Span<uint> y)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(y.Length, Most);
        ulong key = Philox.SplitMix64(Philox.SplitMix64(Philox.SplitMix64((ulong)Seed) + (uint)Epoch) + purpose);
        Philox.Fill(key, (long)sample * Most, y);
    }

    /// <summary>A random number as one of 0 to <paramref name="count"/> - 1; each as likely as the others to within count / 2^32.</summary>
    public static int Below(uint random, int count) => (int)(((ulong)random * (uint)count) >> 32);

    /// <summary>A random number as one from 0 up to, without, 1: its upper 24 bits.</summary>
    public static float Unit(uint random) => (random >> 8) * (1f / (1 << 24));
}
