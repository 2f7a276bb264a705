using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Amalgam.Numerics;

/// <summary>
/// Sums over floats in double precision. Element i is added to sum i mod 16, and the sixteen sums are then added in one order, so that every machine gives
/// the same bits, whatever the width of its vectors.
/// </summary>
public static class Sums
{
    private const int Lanes = 16;

    private interface ITerm
    {
        static abstract Vector256<double> Of(Vector256<double> x, Vector256<double> y);
    }

    /// <summary>The sum of the elements.</summary>
    public static double Sum(ReadOnlySpan<float> x) => Over<Element>(x, x);

    /// <summary>The sum of the absolute values.</summary>
    public static double SumOfMagnitudes(ReadOnlySpan<float> x) => Over<Magnitude>(x, x);

    /// <summary>The sum of the products.</summary>
    public static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => Over<Product>(x, y);

    /// <summary>The sum of the squares.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> x) => Over<Product>(x, x);

    /// <summary>The sum of the squared differences.</summary>
    public static double SumOfSquaredDifferences(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => Over<SquaredDifference>(x, y);

    private static double Over<TTerm>(ReadOnlySpan<float> x, ReadOnlySpan<float> y) where TTerm : struct, ITerm
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length);
        var vx = MemoryMarshal.Cast<float, Vector256<float>>(x);
        var vy = MemoryMarshal.Cast<float, Vector256<float>>(y)[..vx.Length];
        var (a, b, c, d) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        int i = 0;
        for (; i < vx.Length - 1; i += 2)
        {
            Add<TTerm>(vx[i], vy[i], ref a, ref b);
            Add<TTerm>(vx[i + 1], vy[i + 1], ref c, ref d);
        }

        // Zeros add nothing, so the last elements take the same way, padded.
        int tail = i * Vector256<float>.Count;
        if (tail < x.Length)
        {
            Span<float> pad = stackalloc float[2 * Lanes];
            pad.Clear();
            x[tail..].CopyTo(pad);
            y[tail..].CopyTo(pad[Lanes..]);
            var padded = MemoryMarshal.Cast<float, Vector256<float>>(pad);
            Add<TTerm>(padded[0], padded[2], ref a, ref b);
            Add<TTerm>(padded[1], padded[3], ref c, ref d);
        }

        var sums = a + b + (c + d);
        return sums[0] + sums[1] + (sums[2] + sums[3]);
    }

    private static void Add<TTerm>(Vector256<float> x, Vector256<float> y, ref Vector256<double> low, ref Vector256<double> high) where TTerm : struct, ITerm
    {
        var (lowX, highX) = Vector256.Widen(x);
        var (lowY, highY) = Vector256.Widen(y);
        low += TTerm.Of(lowX, lowY);
        high += TTerm.Of(highX, highY);
    }

    private readonly struct Element : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => x;
    }

    private readonly struct Magnitude : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => Vector256.Abs(x);
    }

    private readonly struct Product : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => x * y;
    }

    private readonly struct SquaredDifference : ITerm
    {
        public static Vector256<double> Of(Vector256<double> x, Vector256<double> y) => (x - y) * (x - y);
    }
}
