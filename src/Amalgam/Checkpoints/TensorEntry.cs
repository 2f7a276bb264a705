using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;

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
    /// <summary>Storage that is read at once, and how much of it per wanted element: as much as can be copied in the time of a read.</summary>
    private const int TileBytes = 1 << 16, SparseBytes = 512;

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

    /// <summary>Takes the window apart into boxes: a range along one axis, and all of the axes inside it.</summary>
    private void ReadStrided(long first, Span<byte> bytes)
    {
        int width = DType.Bits / 8;
        ImmutableArray<long> steps = DenseStrides(Shape);
        byte[] tile = ArrayPool<byte>.Shared.Rent(TileBytes);
        while (!bytes.IsEmpty)
        {
            long left = bytes.Length / width;
            int outer = 0;
            while (first % steps[outer] != 0 || steps[outer] > left) outer++;
            long run = Math.Min(Shape[outer] - (first / steps[outer] % Shape[outer]), left / steps[outer]);

            List<Axis> box = [new(run, Strides[outer], steps[outer])];
            for (int axis = outer + 1; axis < Shape.Rank; axis++) box.Add(new(Shape[axis], Strides[axis], steps[axis]));
            Axis[] axes = [.. box.Where(a => a.Count > 1).OrderBy(a => a.Stride)];
            ReadBox(PositionOf(first), axes, bytes, tile);

            bytes = bytes[(int)(run * steps[outer] * width)..];
            first += run * steps[outer];
        }

        ArrayPool<byte>.Shared.Return(tile);
    }

    /// <summary>Reads the span of storage that a box covers at once if that is short and not too sparse, else cuts along the axis of the largest stride.</summary>
    private void ReadBox(long position, Span<Axis> axes, Span<byte> to, byte[] tile)
    {
        int width = DType.Bits / 8;
        long span = 1, count = 1;
        foreach (Axis axis in axes) (span, count) = (span + ((axis.Count - 1) * axis.Stride), count * axis.Count);
        if (span == 1 && count == 1 || axes is [{ Stride: 1, Step: 1 }])
        {
            Storage.Read(Offset + (position * width), to[..(int)(count * width)]);
            return;
        }

        if (IsOneRead(span, count))
        {
            Span<byte> from = tile.AsSpan(0, (int)span * width);
            Storage.Read(Offset + (position * width), from);
            switch (width)
            {
                case 1: Scatter<byte>(from, to, axes); break;
                case 2: Scatter<short>(from, to, axes); break;
                case 4: Scatter<int>(from, to, axes); break;
                default: Scatter<long>(from, to, axes); break;
            }

            return;
        }

        Axis last = axes[^1];
        long innerSpan = span - ((last.Count - 1) * last.Stride), innerCount = count / last.Count;
        long part = Math.Clamp(((TileBytes / width) - innerSpan) / last.Stride + 1, 1, last.Count);
        if (!IsOneRead(innerSpan + ((part - 1) * last.Stride), innerCount * part)) part = 1;
        for (long i = 0; i < last.Count; i += part)
        {
            axes[^1] = last with { Count = Math.Min(part, last.Count - i) };
            ReadBox(position + (i * last.Stride), axes[^1].Count == 1 ? axes[..^1] : axes, to[(int)(i * last.Step * width)..], tile);
        }

        axes[^1] = last;
    }

    /// <summary>A span of storage fits in the tile, and copying what is not wanted costs no more than a read for each element would.</summary>
    private bool IsOneRead(long span, long count) => span <= TileBytes / (DType.Bits / 8) && span * (DType.Bits / 8) <= count * SparseBytes;

    private static void Scatter<T>(ReadOnlySpan<byte> from, Span<byte> to, ReadOnlySpan<Axis> axes) where T : unmanaged =>
        Scatter(MemoryMarshal.Cast<byte, T>(from), MemoryMarshal.Cast<byte, T>(to), axes);

    private static void Scatter<T>(ReadOnlySpan<T> from, Span<T> to, ReadOnlySpan<Axis> axes)
    {
        Axis last = axes[^1];
        for (long i = 0; i < last.Count; i++)
        {
            if (axes.Length == 1) to[(int)(i * last.Step)] = from[(int)(i * last.Stride)];
            else Scatter(from[(int)(i * last.Stride)..], to[(int)(i * last.Step)..], axes[..^1]);
        }
    }

    /// <summary>Storage position of an element, in elements from the tensor's first.</summary>
    private long PositionOf(long element)
    {
        long position = 0;
        for (int axis = Shape.Rank - 1; axis >= 0; axis--)
        {
            (element, long index) = Math.DivRem(element, Shape[axis]);
            position += index * Strides[axis];
        }

        return position;
    }

    /// <summary>An axis of a box.</summary>
    /// <param name="Count">Its elements.</param>
    /// <param name="Stride">The distance between neighbours in the storage.</param>
    /// <param name="Step">Their distance in row-major order.</param>
    private readonly record struct Axis(long Count, long Stride, long Step);
}
