using System.Collections.Immutable;

namespace Amalgam.Checkpoints;

/// <summary>What a stored tensor is, without its values.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">The sizes of its axes.</param>
public record TensorSpec(string Name, DType DType, Shape Shape)
{
    /// <summary>Bytes of all elements, packed.</summary>
    public long ByteCount => DType.BytesOf(Shape.Count);

    public sealed override string ToString() => $"'{Name}' {DType}{Shape}";
}

/// <summary>A tensor of a checkpoint: what it is, and where its elements lie. The format's reader has checked that they lie inside the storage.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">The sizes of its axes.</param>
/// <param name="Storage">Where the bytes are.</param>
/// <param name="Offset">Byte at which element [0,...,0] begins.</param>
/// <param name="Strides">Distance between neighbours along each axis, in elements; default for a dense row-major tensor.</param>
public sealed record TensorEntry(string Name, DType DType, Shape Shape, Storage Storage, long Offset, ImmutableArray<long> Strides = default)
    : TensorSpec(Name, DType, Shape)
{
    /// <summary>Elements are dense and in row-major order.</summary>
    public bool IsDense => Strides.IsDefaultOrEmpty;

    /// <summary>The leading part along every axis, as a view.</summary>
    /// <param name="shape">Sizes, each at most this tensor's.</param>
    public TensorEntry Crop(Shape shape)
    {
        if (shape == Shape) return this;
        ArgumentOutOfRangeException.ThrowIfNotEqual(shape.Rank, Shape.Rank);
        for (int axis = 0; axis < shape.Rank; axis++) ArgumentOutOfRangeException.ThrowIfGreaterThan(shape[axis], Shape[axis]);
        if (DType.Bits % 8 != 0) throw new NotSupportedException($"{this} is packed, {DType.Bits} bits to an element; a part of its rows cannot be read");
        return this with { Shape = shape, Strides = IsDense ? DenseStrides(Shape) : Strides };
    }

    /// <summary>Reads elements in row-major order, in their stored type.</summary>
    /// <param name="first">Row-major index of the first element; for a packed type one that begins a byte.</param>
    /// <param name="bytes">Receives as many elements as fit.</param>
    /// <exception cref="InvalidDataException">The file is shorter than when it was opened.</exception>
    public void Read(long first, Span<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, Shape.Count);
        if (bytes.Length * 8L % DType.Bits != 0 || bytes.Length * 8L / DType.Bits > Shape.Count - first)
            throw new ArgumentException($"{bytes.Length} bytes are not elements {first} and on of {this}", nameof(bytes));
        if (IsDense) Storage.Read(Offset + DType.BytesOf(first), bytes);
        else if (!bytes.IsEmpty) ReadStrided(first, bytes);
    }

    /// <summary>The strides of a dense row-major tensor.</summary>
    internal static ImmutableArray<long> DenseStrides(Shape shape)
    {
        long[] strides = new long[shape.Rank];
        long stride = 1;
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= Math.Max(1, shape[axis]);
        }

        return [.. strides];
    }

    /// <summary>Reads the span of storage that a run along the innermost axis covers, then picks the elements out of it.</summary>
    private void ReadStrided(long first, Span<byte> bytes)
    {
        int width = DType.Bits / 8;
        long inner = Shape[^1], step = Strides[^1];
        long runLimit = step <= 1 ? int.MaxValue / width : Math.Max(1, 65536 / (step * width));
        byte[] buffer = [];
        while (!bytes.IsEmpty)
        {
            long column = first % inner;
            int run = (int)Math.Min(Math.Min(inner - column, bytes.Length / width), runLimit);
            long position = Offset + width * (PositionOf(first / inner) + column * step);
            if (step == 1)
            {
                Storage.Read(position, bytes[..(run * width)]);
            }
            else
            {
                int span = checked((int)(((run - 1) * step + 1) * width));
                if (buffer.Length < span) buffer = new byte[span];
                Storage.Read(position, buffer.AsSpan(0, span));
                for (int i = 0; i < run; i++) buffer.AsSpan((int)(i * step * width), width).CopyTo(bytes[(i * width)..]);
            }

            bytes = bytes[(run * width)..];
            first += run;
        }
    }

    /// <summary>Storage position, in elements, of a row: the row-major index over all axes but the innermost.</summary>
    private long PositionOf(long row)
    {
        long position = 0;
        for (int axis = Shape.Rank - 2; axis >= 0; axis--)
        {
            (row, long index) = Math.DivRem(row, Shape[axis]);
            position += index * Strides[axis];
        }

        return position;
    }
}
