using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>How a tile finds its rows and columns; a type, so that each kind is compiled by itself.</summary>
internal interface ITileSource
{
    /// <summary>The rows lie side by side, a panel of the tile's height for each step.</summary>
    static abstract bool PackedRows { get; }

    /// <summary>The columns of step p lie at an offset from a table, not at p times a distance.</summary>
    static abstract bool Offsets { get; }
}

internal readonly struct PackedRows : ITileSource
{
    static bool ITileSource.PackedRows => true;

    static bool ITileSource.Offsets => false;
}

internal readonly struct StridedRows : ITileSource
{
    static bool ITileSource.PackedRows => false;

    static bool ITileSource.Offsets => false;
}

internal readonly struct OffsetColumns : ITileSource
{
    static bool ITileSource.PackedRows => true;

    static bool ITileSource.Offsets => true;
}

internal readonly struct StridedRowsOffsetColumns : ITileSource
{
    static bool ITileSource.PackedRows => false;

    static bool ITileSource.Offsets => true;
}

/// <summary>The register tile: <see cref="ILanes{T}.Rows"/> rows by two vectors of columns, summed over k steps without touching memory.</summary>
internal static unsafe class GemmTile<T> where T : unmanaged, ILanes<T>
{
    /// <summary>Columns of a tile.</summary>
    public static int Columns => 2 * T.Count;

    /// <summary>c[i,j] = or += sum over p of a[i * aRow + p * aStep] * b[p * bStep + j], all rows and columns of a tile.</summary>
    /// <param name="k">Steps.</param>
    /// <param name="a">Rows; packed ones have aRow 1 and aStep <see cref="ILanes{T}.Rows"/> whatever is passed.</param>
    /// <param name="aRow">Distance of rows.</param>
    /// <param name="aStep">Distance of steps in <paramref name="a"/>.</param>
    /// <param name="b">Columns, side by side.</param>
    /// <param name="bStep">Distance of steps in <paramref name="b"/>.</param>
    /// <param name="offsets">Offset of each step in <paramref name="b"/>, where the source says so.</param>
    /// <param name="c">Output.</param>
    /// <param name="cRow">Distance of the output's rows.</param>
    /// <param name="add">Adds to the output.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSource>(int k, float* a, nint aRow, nint aStep, float* b, nint bStep, int* offsets, float* c, nint cRow, bool add)
        where TSource : ITileSource
    {
        T c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        T c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        if (TSource.PackedRows) (aRow, aStep) = (1, T.Rows);
        nint r2 = 2 * aRow, r3 = 3 * aRow, r4 = 4 * aRow, r5 = 5 * aRow, r6 = 6 * aRow, r7 = 7 * aRow;
        for (int p = 0; p < k; p++, a += aStep)
        {
            float* at = TSource.Offsets ? b + offsets[p] : b;
            T b0 = T.Load(at), b1 = T.Load(at + T.Count);
            if (!TSource.Offsets) b += bStep;

            T x = T.Broadcast(a[0]);
            (c00, c01) = (T.MultiplyAdd(x, b0, c00), T.MultiplyAdd(x, b1, c01));
            x = T.Broadcast(a[aRow]);
            (c10, c11) = (T.MultiplyAdd(x, b0, c10), T.MultiplyAdd(x, b1, c11));
            x = T.Broadcast(a[r2]);
            (c20, c21) = (T.MultiplyAdd(x, b0, c20), T.MultiplyAdd(x, b1, c21));
            x = T.Broadcast(a[r3]);
            (c30, c31) = (T.MultiplyAdd(x, b0, c30), T.MultiplyAdd(x, b1, c31));
            if (T.Rows > 4)
            {
                x = T.Broadcast(a[r4]);
                (c40, c41) = (T.MultiplyAdd(x, b0, c40), T.MultiplyAdd(x, b1, c41));
                x = T.Broadcast(a[r5]);
                (c50, c51) = (T.MultiplyAdd(x, b0, c50), T.MultiplyAdd(x, b1, c51));
            }

            if (T.Rows > 6)
            {
                x = T.Broadcast(a[r6]);
                (c60, c61) = (T.MultiplyAdd(x, b0, c60), T.MultiplyAdd(x, b1, c61));
                x = T.Broadcast(a[r7]);
                (c70, c71) = (T.MultiplyAdd(x, b0, c70), T.MultiplyAdd(x, b1, c71));
            }
        }

        Put(c, c00, c01, add);
        Put(c + cRow, c10, c11, add);
        Put(c + 2 * cRow, c20, c21, add);
        Put(c + 3 * cRow, c30, c31, add);
        if (T.Rows > 4)
        {
            Put(c + 4 * cRow, c40, c41, add);
            Put(c + 5 * cRow, c50, c51, add);
        }

        if (T.Rows > 6)
        {
            Put(c + 6 * cRow, c60, c61, add);
            Put(c + 7 * cRow, c70, c71, add);
        }
    }

    /// <summary>The same for the first rows and columns of a tile only; it is computed whole, beside the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPart<TSource>(
        int rows, int columns, int k, float* a, nint aRow, nint aStep, float* b, nint bStep, int* offsets, float* c, nint cRow, bool add)
        where TSource : ITileSource
    {
        float* whole = stackalloc float[T.Rows * Columns];
        Run<TSource>(k, a, aRow, aStep, b, bStep, offsets, whole, Columns, false);
        for (int i = 0; i < rows; i++)
        {
            float* from = whole + i * Columns, to = c + i * cRow;
            for (int j = 0; j < columns; j++) to[j] = add ? to[j] + from[j] : from[j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* c, T u, T v, bool add)
    {
        if (add) (u, v) = (T.Load(c) + u, T.Load(c + T.Count) + v);
        u.Store(c);
        v.Store(c + T.Count);
    }
}
