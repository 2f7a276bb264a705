using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Amalgam.Numerics;

/// <summary>
/// Philox4x32-10, a random number generator without state (Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, 2011): a value depends
/// on a key and on its index alone, so any part of a stream can be had at any time, on any thread.
/// </summary>
public static class Philox
{
    private const int Rounds = 10;
    private const int BlockWords = 4;
    private const ulong LowWord = 0xFFFF_FFFF;
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    /// <summary>
    /// The key of a tensor's stream: FNV-1a (64 bits) of the name in UTF-8, then the seed and the model number added in turn, each followed by SplitMix64's
    /// step. Streams of one name that differ in the seed alone, or in the model alone, never share a key.
    /// </summary>
    public static ulong Key(long seed, string name, int model)
    {
        ulong hash = 0xCBF2_9CE4_8422_2325;
        foreach (byte octet in Encoding.UTF8.GetBytes(name)) hash = (hash ^ octet) * 0x0000_0100_0000_01B3;
        return SplitMix64(SplitMix64(SplitMix64(hash) + (ulong)seed) + (ulong)model);
    }

    /// <summary>Values <paramref name="first"/> and on of a stream, uniform over all 32-bit numbers: value i is word i mod 4 of the block at counter i / 4.</summary>
    /// <param name="key">The stream.</param>
    /// <param name="first">Index of the first value, zero or more.</param>
    /// <param name="y">Receives the values.</param>
    public static void Fill(ulong key, long first, Span<uint> y)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        int step = BlockWords * Vector256<ulong>.Count;
        int inside = (int)(first % BlockWords);
        ulong block = (ulong)(first / BlockWords);
        Span<ulong> pad = stackalloc ulong[step / 2];
        if (inside > 0)
        {
            Blocks(key, block, pad);
            var head = MemoryMarshal.Cast<ulong, uint>(pad)[inside..];
            head = head[..Math.Min(head.Length, y.Length)];
            head.CopyTo(y);
            y = y[head.Length..];
            block += (ulong)Vector256<ulong>.Count;
        }

        for (; y.Length >= step; y = y[step..], block += (ulong)Vector256<ulong>.Count) Blocks(key, block, MemoryMarshal.Cast<uint, ulong>(y[..step]));
        if (y.IsEmpty) return;
        Blocks(key, block, pad);
        MemoryMarshal.Cast<ulong, uint>(pad)[..y.Length].CopyTo(y);
    }

    /// <summary>Ten rounds on four blocks at once; the lanes of a to d hold the four words of each block's counter, and then of its output.</summary>
    internal static (Vector256<ulong> A, Vector256<ulong> B, Vector256<ulong> C, Vector256<ulong> D) Encrypt(
        ulong key, Vector256<ulong> a, Vector256<ulong> b, Vector256<ulong> c, Vector256<ulong> d)
    {
        var low = Vector256.Create(LowWord);
        uint keyA = (uint)key, keyB = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            var ofA = Multiply(a, 0xD251_1F53);
            var ofC = Multiply(c, 0xCD9E_8D57);
            a = (ofC >> 32) ^ b ^ Vector256.Create((ulong)keyA);
            b = ofC & low;
            c = (ofA >> 32) ^ d ^ Vector256.Create((ulong)keyB);
            d = ofA & low;
            keyA += 0x9E37_79B9;
            keyB += 0xBB67_AE85;
        }

        return (a, b, c, d);
    }

    /// <summary>Four blocks from a counter on, two words in each element of <paramref name="y"/>.</summary>
    private static void Blocks(ulong key, ulong block, Span<ulong> y)
    {
        var counter = Vector256.Create(block) + Vector256.Create(0UL, 1, 2, 3);
        var (a, b, c, d) = Encrypt(key, counter & Vector256.Create(LowWord), counter >> 32, Vector256<ulong>.Zero, Vector256<ulong>.Zero);
        var ab = a | (b << 32);
        var cd = c | (d << 32);
        y[7] = cd[3];
        y[6] = ab[3];
        y[5] = cd[2];
        y[4] = ab[2];
        y[3] = cd[1];
        y[2] = ab[1];
        y[1] = cd[0];
        y[0] = ab[0];
    }

    /// <summary>
    /// The product of 32-bit numbers in 64-bit lanes. Not Avx2.Multiply, which would be one instruction also without AVX-512: on .NET 10.0.12 its first,
    /// unoptimised code gives other products on machines with AVX-512 (the published answers in the tests show it).
    /// </summary>
    private static Vector256<ulong> Multiply(Vector256<ulong> x, ulong y) => x * Vector256.Create(y);

    /// <summary>The step of SplitMix64 (Steele, Lea and Flood, 2014): a one-to-one scramble.</summary>
    internal static ulong SplitMix64(ulong x)
    {
        x += GoldenRatio;
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return x ^ (x >> 31);
    }
}
