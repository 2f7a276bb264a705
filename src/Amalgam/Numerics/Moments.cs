using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>Sums that normalisation needs, in single precision over short blocks and in double over the blocks.</summary>
internal static class Moments
{
    private const int Block = 1024;

    /// <summary>Mean, from one pass.</summary>
    public static double Mean(ReadOnlySpan<float> x)
    {
        double sum = 0;
        int length = x.Length;
        for (; x.Length > Block; x = x[Block..]) sum += TensorPrimitives.Sum(x[..Block]);
        return (sum + TensorPrimitives.Sum(x)) / length;
    }

    /// <summary>Sums of x - shift and of its square.</summary>
    public static (double Sum, double Squares) About(ReadOnlySpan<float> x, float shift)
    {
        double sum = 0, squares = 0;
        while (!x.IsEmpty)
        {
            ReadOnlySpan<float> block = x[..Math.Min(Block, x.Length)];
            x = x[block.Length..];
            var v = MemoryMarshal.Cast<float, Vector<float>>(block);
            Vector<float> s = new(shift), sum0 = default, sum1 = default, squares0 = default, squares1 = default;
            int i = 0;
            for (; i + 1 < v.Length; i += 2)
            {
                Vector<float> d0 = v[i] - s, d1 = v[i + 1] - s;
                sum0 += d0;
                sum1 += d1;
                squares0 = Vector.MultiplyAddEstimate(d0, d0, squares0);
                squares1 = Vector.MultiplyAddEstimate(d1, d1, squares1);
            }

            sum += Vector.Sum(sum0 + sum1);
            squares += Vector.Sum(squares0 + squares1);
            foreach (float value in block[(i * Vector<float>.Count)..])
            {
                float d = value - shift;
                sum += d;
                squares += d * d;
            }
        }

        return (sum, squares);
    }

    /// <summary>Sums of dy and of dy (x - shift).</summary>
    public static (double Sum, double Products) Along(ReadOnlySpan<float> x, float shift, ReadOnlySpan<float> dy)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(dy.Length, x.Length);
        double sum = 0, products = 0;
        while (!x.IsEmpty)
        {
            ReadOnlySpan<float> block = x[..Math.Min(Block, x.Length)], of = dy[..block.Length];
            x = x[block.Length..];
            dy = dy[block.Length..];
            var v = MemoryMarshal.Cast<float, Vector<float>>(block);
            var d = MemoryMarshal.Cast<float, Vector<float>>(of);
            Vector<float> s = new(shift), sum0 = default, sum1 = default, products0 = default, products1 = default;
            int i = 0;
            for (; i + 1 < v.Length && i + 1 < d.Length; i += 2)
            {
                sum0 += d[i];
                sum1 += d[i + 1];
                products0 = Vector.MultiplyAddEstimate(d[i], v[i] - s, products0);
                products1 = Vector.MultiplyAddEstimate(d[i + 1], v[i + 1] - s, products1);
            }

            sum += Vector.Sum(sum0 + sum1);
            products += Vector.Sum(products0 + products1);
            for (int j = i * Vector<float>.Count; j < block.Length; j++)
            {
                sum += of[j];
                products += of[j] * (block[j] - shift);
            }
        }

        return (sum, products);
    }

    /// <summary>Sums of dy scale and of dy scale (x - shift).</summary>
    public static (double Sum, double Products) Along(ReadOnlySpan<float> x, float shift, ReadOnlySpan<float> dy, ReadOnlySpan<float> scale)
    {
        Span<float> buffer = stackalloc float[Block];
        double sum = 0, products = 0;
        for (int from = 0; from < x.Length; from += Block)
        {
            int count = Math.Min(Block, x.Length - from);
            TensorPrimitives.Multiply(dy.Slice(from, count), scale.Slice(from, count), buffer);
            (double s, double p) = Along(x.Slice(from, count), shift, buffer[..count]);
            (sum, products) = (sum + s, products + p);
        }

        return (sum, products);
    }

    /// <summary>y = a x + b.</summary>
    public static void Affine(ReadOnlySpan<float> x, float a, float b, Span<float> y) => Map.Apply<Line>(x, x, a, b, y);

    /// <summary>y = a dy + b (x - shift) + c: the gradient of a normalisation.</summary>
    public static void Affine(ReadOnlySpan<float> dy, float a, ReadOnlySpan<float> x, float shift, float b, float c, Span<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(dy.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        var vd = MemoryMarshal.Cast<float, Vector<float>>(dy);
        var vx = MemoryMarshal.Cast<float, Vector<float>>(x);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        Vector<float> va = new(a), vb = new(b), vc = new(c), vs = new(shift);
        for (int i = 0; i < vy.Length && i < vd.Length && i < vx.Length; i++) vy[i] = Vector.MultiplyAddEstimate(va, vd[i], Vector.MultiplyAddEstimate(vb, vx[i] - vs, vc));
        for (int i = vy.Length * Vector<float>.Count; i < y.Length; i++) y[i] = a * dy[i] + (b * (x[i] - shift) + c);
    }

    private readonly struct Line : IMap4
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> same, Vector<float> a, Vector<float> b) => Vector.MultiplyAddEstimate(x, a, b);
    }
}
