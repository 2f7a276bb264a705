using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>y[j] = or += sum over p of x[p] * w(p,j): a vector times a matrix, as fast as the matrix can be read.</summary>
internal static unsafe class GemmVector<T> where T : unmanaged, ILanes<T>
{
    /// <summary>Elements of the matrix in one part.</summary>
    private const long Grain = 1 << 16;

    private readonly struct State(int n, int k, float* x, float* w, nint step, nint column, float* y, bool add)
    {
        public readonly int N = n, K = k;
        public readonly float* X = x, W = w, Y = y;
        public readonly nint Step = step, Column = column;
        public readonly bool Add = add;
    }

    /// <param name="n">Columns.</param>
    /// <param name="k">Steps.</param>
    /// <param name="x">The vector.</param>
    /// <param name="xStep">Distance of its elements.</param>
    /// <param name="w">The matrix; either its steps or its columns lie side by side.</param>
    /// <param name="step">Distance of steps in the matrix.</param>
    /// <param name="column">Distance of columns in the matrix.</param>
    /// <param name="y">The result, side by side.</param>
    /// <param name="add">Adds to the result.</param>
    public static void Run(int n, int k, float* x, nint xStep, float* w, nint step, nint column, float* y, bool add)
    {
        if (xStep != 1 && k > 1)
        {
            float* packed = Scratch.Floats(ScratchUse.Vector, k);
            for (int p = 0; p < k; p++) packed[p] = x[p * xStep];
            x = packed;
        }

        State state = new(n, k, x, w, step, column, y, add);
        int block = 8 * T.Count, grain = (int)Math.Clamp(Grain / k / block * block, block, Math.Max(block, n));
        if (column == 1 && (n > 1 || step != 1)) Cores.ForRange(n, grain, state, static (s, from, to) => Columns(s, from, to));
        else Cores.ForRange(n, (int)Math.Clamp(Grain / k / 4 * 4, 4, Math.Max(4, n)), state, static (s, from, to) => Dots(s, from, to));
    }

    /// <summary>Columns lie side by side: eight vectors of them at a time, then one, then the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns(in State state, int from, int to)
    {
        State s = state;
        int j = from;
        for (; j <= to - 8 * T.Count; j += 8 * T.Count)
        {
            T y0 = default, y1 = default, y2 = default, y3 = default, y4 = default, y5 = default, y6 = default, y7 = default;
            float* w = s.W + j;
            for (int p = 0; p < s.K; p++, w += s.Step)
            {
                T x = T.Broadcast(s.X[p]);
                y0 = T.MultiplyAdd(x, T.Load(w), y0);
                y1 = T.MultiplyAdd(x, T.Load(w + T.Count), y1);
                y2 = T.MultiplyAdd(x, T.Load(w + 2 * T.Count), y2);
                y3 = T.MultiplyAdd(x, T.Load(w + 3 * T.Count), y3);
                y4 = T.MultiplyAdd(x, T.Load(w + 4 * T.Count), y4);
                y5 = T.MultiplyAdd(x, T.Load(w + 5 * T.Count), y5);
                y6 = T.MultiplyAdd(x, T.Load(w + 6 * T.Count), y6);
                y7 = T.MultiplyAdd(x, T.Load(w + 7 * T.Count), y7);
            }

            float* y = s.Y + j;
            Put(y, y0, s.Add);
            Put(y + T.Count, y1, s.Add);
            Put(y + 2 * T.Count, y2, s.Add);
            Put(y + 3 * T.Count, y3, s.Add);
            Put(y + 4 * T.Count, y4, s.Add);
            Put(y + 5 * T.Count, y5, s.Add);
            Put(y + 6 * T.Count, y6, s.Add);
            Put(y + 7 * T.Count, y7, s.Add);
        }

        for (; j <= to - T.Count; j += T.Count)
        {
            T sum = default;
            for (int p = 0; p < s.K; p++) sum = T.MultiplyAdd(T.Broadcast(s.X[p]), T.Load(s.W + p * s.Step + j), sum);
            Put(s.Y + j, sum, s.Add);
        }

        if (j == to) return;
        float* rest = stackalloc float[T.Count];
        new Span<float>(rest, T.Count).Clear();
        for (int p = 0; p < s.K; p++)
        {
            float* w = s.W + p * s.Step + j;
            for (int i = 0; i < to - j; i++) rest[i] += s.X[p] * w[i];
        }

        for (int i = 0; i < to - j; i++) s.Y[j + i] = s.Add ? s.Y[j + i] + rest[i] : rest[i];
    }

    /// <summary>Steps lie side by side: four columns at a time, each a dot product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots(in State state, int from, int to)
    {
        State s = state;
        int vectors = s.K / (2 * T.Count) * (2 * T.Count);
        for (int j = from; j < to; j += 4)
        {
            // Columns past the end repeat the last; their sums are dropped.
            float* w0 = s.W + j * s.Column, w1 = s.W + Math.Min(j + 1, to - 1) * s.Column;
            float* w2 = s.W + Math.Min(j + 2, to - 1) * s.Column, w3 = s.W + Math.Min(j + 3, to - 1) * s.Column;
            T a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
            for (int p = 0; p < vectors; p += 2 * T.Count)
            {
                T x = T.Load(s.X + p);
                (a0, a1, a2, a3) = (T.MultiplyAdd(x, T.Load(w0 + p), a0), T.MultiplyAdd(x, T.Load(w1 + p), a1), T.MultiplyAdd(x, T.Load(w2 + p), a2), T.MultiplyAdd(x, T.Load(w3 + p), a3));
                x = T.Load(s.X + p + T.Count);
                float* v0 = w0 + T.Count, v1 = w1 + T.Count, v2 = w2 + T.Count, v3 = w3 + T.Count;
                (b0, b1, b2, b3) = (T.MultiplyAdd(x, T.Load(v0 + p), b0), T.MultiplyAdd(x, T.Load(v1 + p), b1), T.MultiplyAdd(x, T.Load(v2 + p), b2), T.MultiplyAdd(x, T.Load(v3 + p), b3));
            }

            float y0 = T.Sum(a0 + b0), y1 = T.Sum(a1 + b1), y2 = T.Sum(a2 + b2), y3 = T.Sum(a3 + b3);
            for (int p = vectors; p < s.K; p++)
            {
                float x = s.X[p];
                (y0, y1, y2, y3) = (y0 + x * w0[p], y1 + x * w1[p], y2 + x * w2[p], y3 + x * w3[p]);
            }

            Put(s, j, to, y0);
            Put(s, j + 1, to, y1);
            Put(s, j + 2, to, y2);
            Put(s, j + 3, to, y3);
        }
    }

    private static void Put(in State s, int j, int to, float value)
    {
        if (j < to) s.Y[j] = s.Add ? s.Y[j] + value : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(float* y, T value, bool add) => (add ? T.Load(y) + value : value).Store(y);
}
