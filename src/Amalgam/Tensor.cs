namespace Amalgam;

/// <summary>Numbers in row-major order, dense: the one type that graphs compute with. Ids, labels and truth values travel as floats too, exact up to 2^24.</summary>
public sealed class Tensor
{
    private readonly float[] _buffer;
    private readonly int _offset;

    /// <summary>A tensor of zeros.</summary>
    public Tensor(Shape shape) : this(shape, new float[checked((int)shape.Count)])
    {
    }

    /// <summary>A tensor over an array, which it shares and does not copy.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="values">As many values as the shape has elements, row by row.</param>
    public Tensor(Shape shape, float[] values) : this(shape, values, 0) => ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, shape.Count, nameof(values));

    /// <summary>A tensor over part of a buffer, from an offset in elements on.</summary>
    internal Tensor(Shape shape, float[] buffer, int offset)
    {
        Count = checked((int)shape.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Count, buffer.Length - offset, nameof(shape));
        (Shape, _buffer, _offset) = (shape, buffer, offset);
    }

    /// <summary>Sizes of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>The elements, to read and to write.</summary>
    public Span<float> Span => new(_buffer, _offset, Count);

    /// <summary>The elements, for what outlives a stack frame.</summary>
    public Memory<float> Memory => new(_buffer, _offset, Count);

    /// <summary>One number, with shape <c>[]</c>.</summary>
    public static Tensor Scalar(float value) => new(default, [value]);

    /// <summary>A vector.</summary>
    public static Tensor Vector(params ReadOnlySpan<float> values) => new(new(values.Length), values.ToArray());

    /// <summary>A vector of integers, each exact up to 2^24 and rounded beyond.</summary>
    public static Tensor Integers(params ReadOnlySpan<long> values)
    {
        Tensor y = new(new Shape(values.Length));
        for (int i = 0; i < values.Length; i++) y.Span[i] = values[i];
        return y;
    }

    /// <summary>The same elements under another shape; they are shared, not copied.</summary>
    public Tensor Reshape(Shape shape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shape.Count, Count, nameof(shape));
        return new(shape, _buffer, _offset);
    }

    /// <summary>A tensor of its own with the same elements.</summary>
    public Tensor Copy() => new(Shape, Span.ToArray());

    /// <summary>For example <c>[64,3,7,7]</c>.</summary>
    public override string ToString() => Shape.ToString();
}
