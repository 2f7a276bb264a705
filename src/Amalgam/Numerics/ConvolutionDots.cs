using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>Dot products of several rows of one matrix with three of another, all at once in registers; steps lie side by side in both.</summary>
internal static unsafe class ConvolutionDots<T> where T : unmanaged, ILanes<T>
{
    /// <summary>Rows of the second matrix in one go.</summary>
    public const int Taps = 3;

    /// <summary>Rows of the first matrix in one go.</summary>
    public static int Rows => T.Rows > 6 ? 8 : 4;

    /// <summary>y[i * 3 + t] = sum over p below <paramref name="count"/> of d[i * dRow + p] * x_t[p].</summary>
    /// <param name="count">Steps.</param>
    /// <param name="d">The first row.</param>
    /// <param name="dRow">Distance of rows.</param>
    /// <param name="x0">First row of the second matrix.</param>
    /// <param name="x1">Second row.</param>
    /// <param name="x2">Third row.</param>
    /// <param name="y">Room for <see cref="Rows"/> times <see cref="Taps"/> sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int count, float* d, nint dRow, float* x0, float* x1, float* x2, float* y)
    {
        T a0 = default, a1 = default, a2 = default, b0 = default, b1 = default, b2 = default, c0 = default, c1 = default, c2 = default, d0 = default, d1 = default, d2 = default;
        T e0 = default, e1 = default, e2 = default, f0 = default, f1 = default, f2 = default, g0 = default, g1 = default, g2 = default, h0 = default, h1 = default, h2 = default;
        nint r3 = 3 * dRow, r5 = 5 * dRow, r6 = 6 * dRow, r7 = 7 * dRow;
        int vectors = count / T.Count * T.Count;
        for (int p = 0; p < vectors; p += T.Count, d += T.Count)
        {
            T u0 = T.Load(x0 + p), u1 = T.Load(x1 + p), u2 = T.Load(x2 + p);
            T v = T.Load(d);
            (a0, a1, a2) = (T.MultiplyAdd(v, u0, a0), T.MultiplyAdd(v, u1, a1), T.MultiplyAdd(v, u2, a2));
            v = T.Load(d + dRow);
            (b0, b1, b2) = (T.MultiplyAdd(v, u0, b0), T.MultiplyAdd(v, u1, b1), T.MultiplyAdd(v, u2, b2));
            v = T.Load(d + 2 * dRow);
            (c0, c1, c2) = (T.MultiplyAdd(v, u0, c0), T.MultiplyAdd(v, u1, c1), T.MultiplyAdd(v, u2, c2));
            v = T.Load(d + r3);
            (d0, d1, d2) = (T.MultiplyAdd(v, u0, d0), T.MultiplyAdd(v, u1, d1), T.MultiplyAdd(v, u2, d2));
            if (T.Rows > 6)
            {
                v = T.Load(d + 4 * dRow);
                (e0, e1, e2) = (T.MultiplyAdd(v, u0, e0), T.MultiplyAdd(v, u1, e1), T.MultiplyAdd(v, u2, e2));
                v = T.Load(d + r5);
                (f0, f1, f2) = (T.MultiplyAdd(v, u0, f0), T.MultiplyAdd(v, u1, f1), T.MultiplyAdd(v, u2, f2));
                v = T.Load(d + r6);
                (g0, g1, g2) = (T.MultiplyAdd(v, u0, g0), T.MultiplyAdd(v, u1, g1), T.MultiplyAdd(v, u2, g2));
                v = T.Load(d + r7);
                (h0, h1, h2) = (T.MultiplyAdd(v, u0, h0), T.MultiplyAdd(v, u1, h1), T.MultiplyAdd(v, u2, h2));
            }
        }

        Sums(a0, a1, a2, y);
        Sums(b0, b1, b2, y + 3);
        Sums(c0, c1, c2, y + 6);
        Sums(d0, d1, d2, y + 9);
        if (T.Rows > 6)
        {
            Sums(e0, e1, e2, y + 12);
            Sums(f0, f1, f2, y + 15);
            Sums(g0, g1, g2, y + 18);
            Sums(h0, h1, h2, y + 21);
        }

        for (int p = vectors; p < count; p++, d++)
        {
            for (int i = 0; i < Rows; i++)
            {
                float v = d[i * dRow];
                (y[3 * i], y[3 * i + 1], y[3 * i + 2]) = (y[3 * i] + v * x0[p], y[3 * i + 1] + v * x1[p], y[3 * i + 2] + v * x2[p]);
            }
        }
    }

    /// <summary>The same for one row of the first matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunRow(int count, float* d, float* x0, float* x1, float* x2, float* y)
    {
        T a0 = default, a1 = default, a2 = default, b0 = default, b1 = default, b2 = default;
        int vectors = count / (2 * T.Count) * (2 * T.Count);
        for (int p = 0; p < vectors; p += 2 * T.Count)
        {
            T v = T.Load(d + p);
            (a0, a1, a2) = (T.MultiplyAdd(v, T.Load(x0 + p), a0), T.MultiplyAdd(v, T.Load(x1 + p), a1), T.MultiplyAdd(v, T.Load(x2 + p), a2));
            int q = p + T.Count;
            v = T.Load(d + q);
            (b0, b1, b2) = (T.MultiplyAdd(v, T.Load(x0 + q), b0), T.MultiplyAdd(v, T.Load(x1 + q), b1), T.MultiplyAdd(v, T.Load(x2 + q), b2));
        }

        Sums(a0 + b0, a1 + b1, a2 + b2, y);
        for (int p = vectors; p < count; p++) (y[0], y[1], y[2]) = (y[0] + d[p] * x0[p], y[1] + d[p] * x1[p], y[2] + d[p] * x2[p]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sums(T a, T b, T c, float* y) => (y[0], y[1], y[2]) = (T.Sum(a), T.Sum(b), T.Sum(c));
}
