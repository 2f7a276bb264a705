using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>An element-wise expression of one input.</summary>
public interface IMap1
{
    /// <summary>The expression, for as many elements as a vector holds.</summary>
    static abstract Vector<float> Invoke(Vector<float> x);
}

/// <summary>An element-wise expression of two inputs.</summary>
public interface IMap2
{
    /// <summary>The expression, for as many elements as a vector holds.</summary>
    static abstract Vector<float> Invoke(Vector<float> a, Vector<float> b);
}

/// <summary>An element-wise expression of three inputs.</summary>
public interface IMap3
{
    /// <summary>The expression, for as many elements as a vector holds.</summary>
    static abstract Vector<float> Invoke(Vector<float> a, Vector<float> b, Vector<float> c);
}

/// <summary>An element-wise expression of four inputs.</summary>
public interface IMap4
{
    /// <summary>The expression, for as many elements as a vector holds.</summary>
    static abstract Vector<float> Invoke(Vector<float> a, Vector<float> b, Vector<float> c, Vector<float> d);
}

/// <summary>Element-wise loops over one expression, for what <see cref="System.Numerics.Tensors.TensorPrimitives"/> lacks. The output may be one of the inputs.</summary>
public static class Map
{
    /// <summary>y[i] = f(x[i]).</summary>
    public static void Apply<TOp>(ReadOnlySpan<float> x, Span<float> y) where TOp : struct, IMap1
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        var vx = MemoryMarshal.Cast<float, Vector<float>>(x);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vy.Length; i++) vy[i] = TOp.Invoke(vx[i]);

        int tail = vy.Length * Vector<float>.Count;
        if (tail == y.Length) return;
        TOp.Invoke(Pad(x[tail..])).CopyTail(y[tail..]);
    }

    /// <summary>y[i] = f(a[i], b[i]).</summary>
    public static void Apply<TOp>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) where TOp : struct, IMap2
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, y.Length);
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vy.Length; i++) vy[i] = TOp.Invoke(va[i], vb[i]);

        int tail = vy.Length * Vector<float>.Count;
        if (tail == y.Length) return;
        TOp.Invoke(Pad(a[tail..]), Pad(b[tail..])).CopyTail(y[tail..]);
    }

    /// <summary>y[i] = f(a[i], b), the second input being one number.</summary>
    public static void Apply<TOp>(ReadOnlySpan<float> a, float b, Span<float> y) where TOp : struct, IMap2
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, y.Length);
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = new Vector<float>(b);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vy.Length; i++) vy[i] = TOp.Invoke(va[i], vb);

        int tail = vy.Length * Vector<float>.Count;
        if (tail == y.Length) return;
        TOp.Invoke(Pad(a[tail..]), vb).CopyTail(y[tail..]);
    }

    /// <summary>y[i] = f(a, b[i]), the first input being one number.</summary>
    public static void Apply<TOp>(float a, ReadOnlySpan<float> b, Span<float> y) where TOp : struct, IMap2 => Apply<Swapped<TOp>>(b, a, y);

    /// <summary>y[i] = f(a[i], b[i], c[i]).</summary>
    public static void Apply<TOp>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y) where TOp : struct, IMap3
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(c.Length, y.Length);
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        var vc = MemoryMarshal.Cast<float, Vector<float>>(c);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vy.Length; i++) vy[i] = TOp.Invoke(va[i], vb[i], vc[i]);

        int tail = vy.Length * Vector<float>.Count;
        if (tail == y.Length) return;
        TOp.Invoke(Pad(a[tail..]), Pad(b[tail..]), Pad(c[tail..])).CopyTail(y[tail..]);
    }

    /// <summary>y[i] = f(a[i], b[i], c), the third input being one number.</summary>
    public static void Apply<TOp>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float c, Span<float> y) where TOp : struct, IMap3
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, y.Length);
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        var vc = new Vector<float>(c);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vy.Length; i++) vy[i] = TOp.Invoke(va[i], vb[i], vc);

        int tail = vy.Length * Vector<float>.Count;
        if (tail == y.Length) return;
        TOp.Invoke(Pad(a[tail..]), Pad(b[tail..]), vc).CopyTail(y[tail..]);
    }

    /// <summary>y[i] = f(a[i], b[i], c, d), the last two inputs being one number each.</summary>
    public static void Apply<TOp>(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float c, float d, Span<float> y) where TOp : struct, IMap4
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, y.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, y.Length);
        var va = MemoryMarshal.Cast<float, Vector<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        Vector<float> vc = new(c), vd = new(d);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vy.Length; i++) vy[i] = TOp.Invoke(va[i], vb[i], vc, vd);

        int tail = vy.Length * Vector<float>.Count;
        if (tail == y.Length) return;
        TOp.Invoke(Pad(a[tail..]), Pad(b[tail..]), vc, vd).CopyTail(y[tail..]);
    }

    private static Vector<float> Pad(ReadOnlySpan<float> tail)
    {
        Span<float> pad = stackalloc float[Vector<float>.Count];
        pad.Clear();
        tail.CopyTo(pad);
        return new(pad);
    }

    private static void CopyTail(this Vector<float> values, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = values[i];
    }

    private readonly struct Swapped<TOp> : IMap2 where TOp : struct, IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => TOp.Invoke(b, a);
    }
}
