using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Amalgam.Numerics;

/// <summary>Copies strips of a matrix into panels: for each step its <c>width</c> elements side by side, so that a tile reads memory in order.</summary>
internal static unsafe class GemmPanel
{
    /// <summary>to[p * width + i] = from[i * line + p * step] for i below <paramref name="valid"/>, zero above; p below <paramref name="k"/>.</summary>
    public static void Pack(int width, int valid, int k, float* from, nint line, nint step, float* to)
    {
        if (valid < width) new Span<float>(to, width * k).Clear();
        if (line == 1) Copy(width, valid, k, from, step, to);
        else if (step == 1) Transpose(width, valid, k, from, line, to);
        else
        {
            for (int p = 0; p < k; p++)
            {
                for (int i = 0; i < valid; i++) to[p * width + i] = from[i * line + p * step];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy(int width, int valid, int k, float* from, nint step, float* to)
    {
        for (int p = 0; p < k; p++, from += step, to += width)
        {
            int i = 0;
            for (; i <= valid - 16; i += 16)
            {
                Vector256.Store(Vector256.Load(from + i), to + i);
                Vector256.Store(Vector256.Load(from + i + 8), to + i + 8);
            }

            for (; i <= valid - 4; i += 4) Vector128.Store(Vector128.Load(from + i), to + i);
            for (; i < valid; i++) to[i] = from[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(int width, int valid, int k, float* from, nint line, float* to)
    {
        int i = 0;
        for (; i <= valid - 4; i += 4, from += 4 * line, to += 4)
        {
            int p = 0;
            for (; p <= k - 4; p += 4)
            {
                Vector128<float> a = Vector128.Load(from + p), b = Vector128.Load(from + line + p);
                Vector128<float> c = Vector128.Load(from + 2 * line + p), d = Vector128.Load(from + 3 * line + p);
                Vector128<float> ac = Low(a, c), bd = Low(b, d), acHigh = High(a, c), bdHigh = High(b, d);
                float* at = to + p * width;
                Low(ac, bd).Store(at);
                High(ac, bd).Store(at + width);
                Low(acHigh, bdHigh).Store(at + 2 * width);
                High(acHigh, bdHigh).Store(at + 3 * width);
            }

            for (; p < k; p++)
            {
                for (int j = 0; j < 4; j++) to[p * width + j] = from[j * line + p];
            }
        }

        for (; i < valid; i++, from += line, to++)
        {
            for (int p = 0; p < k; p++) to[p * width] = from[p];
        }
    }

    /// <summary>a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> Low(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<float> High(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);
}
