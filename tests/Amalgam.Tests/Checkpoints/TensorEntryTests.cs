using System.Runtime.InteropServices;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class TensorEntryTests
{
    [Fact]
    public void A_view_reads_as_a_naive_gather_in_any_windows() => Property.Holds(gen =>
    {
        int[] values = [.. Enumerable.Range(0, 40_000)];
        long[] sizes = [.. Enumerable.Range(0, 1 + gen.Random.Next(4)).Select(_ => (long)gen.Random.Next(1, 9))];
        long[] strides = [.. sizes.Select(_ => (long)(gen.Random.Next(4) switch { 0 => 0, 1 => 1, _ => gen.Random.Next(1, 600) }))];
        int start = gen.Random.Next(20);
        CheckWindows(gen, new("x", DType.I32, new(sizes), Memory(values), 4 * start, [.. strides]), Gather(values, start, sizes, strides));
    }, runs: 400);

    [Fact]
    public void Long_rows_with_wide_steps_are_read_in_parts() => Property.Holds(gen =>
    {
        int[] values = [.. Enumerable.Range(0, 200_000)];
        long step = gen.Random.Next(1, 40_000), size = Math.Min(60_000, (values.Length - 1) / step);
        CheckWindows(gen, new("x", DType.I32, new(size), Memory(values), 0, [step]), Gather(values, 0, [size], [step]));
    }, runs: 20);

    [Fact]
    public void Wide_views_read_as_a_naive_gather_in_any_windows() => Property.Holds(gen =>
    {
        int[] values = [.. Enumerable.Range(0, 200_000)];
        long[] sizes = [.. Enumerable.Range(0, 2 + gen.Random.Next(2)).Select(_ => (long)gen.Random.Next(1, 50))];
        long[] strides = [.. sizes.Select(s => gen.Random.NextInt64(0, 60_000 / s))];
        CheckWindows(gen, new("x", DType.I32, new(sizes), Memory(values), 0, [.. strides]), Gather(values, 0, sizes, strides));
    }, runs: 100);

    [Theory]
    [InlineData(1024, 1024, 1, 1024)]
    [InlineData(64, 16384, 1, 64)]
    [InlineData(1024, 1000, 1000, 1)]
    [InlineData(1024, 1024, 0, 1)]
    public void Reading_in_blocks_takes_few_reads_and_passes_over_few_bytes(long rows, long columns, long rowStride, long columnStride)
    {
        MemoryStorage storage = Memory(new int[rows * columns]);
        TensorEntry tensor = new("x", DType.I32, new(rows, columns), storage, 0, [rowStride, columnStride]);
        byte[] block = new byte[4 * TensorBlocks.Count];
        foreach (var (first, count) in TensorBlocks.Of(tensor.Shape)) tensor.Read(first, block.AsSpan(0, 4 * count));
        Assert.InRange(storage.BytesRead, 0, 17 * tensor.ByteCount);
        Assert.InRange(storage.Reads, 1, tensor.Shape.Count / 60);
    }

    [Fact]
    public void Sparse_elements_do_not_cost_what_lies_between_them()
    {
        MemoryStorage storage = Memory(new int[4_000_000]);
        TensorEntry tensor = new("x", DType.I32, new(1000, 1000), storage, 0, [1, 2500]);
        for (int i = 0; i < 1000; i++) tensor.Read(999 * i, new byte[400]);
        Assert.InRange(storage.BytesRead, 0, 1000 * 400 * 128);
    }

    [Fact]
    public void A_crop_is_the_leading_part_of_every_axis() => Property.Holds(gen =>
    {
        long[] sizes = [.. Enumerable.Range(0, gen.Random.Next(4)).Select(_ => (long)gen.Random.Next(1, 9))];
        TensorEntry dense = new("x", DType.I32, new(sizes), Memory([.. Enumerable.Range(0, (int)new Shape(sizes).Count)]), 0);
        long[] cropped = [.. sizes.Select(s => gen.Random.NextInt64(1, s + 1))], smaller = [.. cropped.Select(s => gen.Random.NextInt64(1, s + 1))];
        long[] strides = [.. TensorEntry.DenseStrides(dense.Shape)];

        CheckWindows(gen, dense.Crop(new(cropped)), Gather(null, 0, cropped, strides));
        CheckWindows(gen, dense.Crop(new(cropped)).Crop(new(smaller)), Gather(null, 0, smaller, strides));
    });

    [Fact]
    public void A_crop_to_the_same_shape_stays_dense()
    {
        TensorEntry dense = new("x", DType.I32, new(2, 3), Memory(new int[6]), 0);
        Assert.True(dense.Crop(new(2, 3)).IsDense);
        Assert.False(dense.Crop(new(2, 2)).IsDense);
    }

    [Fact]
    public void Prints_as_people_write_it() => Assert.Equal("'w' F32[2,3]", new TensorEntry("w", DType.F32, new(2, 3), Memory([]), 0).ToString());

    [Fact]
    public void A_scalar_view_is_dense()
    {
        int[] y = new int[1];
        new TensorEntry("x", DType.I32, default, Memory([7, 8]), 4, []).Read(0, MemoryMarshal.AsBytes(y.AsSpan()));
        Assert.Equal(8, y[0]);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(3, 0)]
    public void A_view_without_elements_reads_nothing(long rows, long columns)
    {
        TensorEntry dense = new("x", DType.I32, new(3, 3), Memory(new int[9]), 0);
        TensorEntry view = dense.Crop(new(rows, columns));
        Assert.Equal(0, view.ByteCount);
        view.Read(0, []);
    }

    [Fact]
    public void Refuses_crops_that_are_larger_or_of_other_rank()
    {
        TensorEntry dense = new("x", DType.I32, new(2, 3), Memory(new int[6]), 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => dense.Crop(new(2, 4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => dense.Crop(new(6)));
    }

    [Fact]
    public void Refuses_crops_of_packed_types() =>
        Assert.Throws<NotSupportedException>(() => new TensorEntry("x", DType.F4, new(4, 4), Memory(new int[2]), 0).Crop(new(2, 2)));

    [Theory]
    [InlineData(0, 28)]
    [InlineData(6, 4)]
    [InlineData(5, 8)]
    [InlineData(-1, 4)]
    [InlineData(0, 3)]
    [InlineData(7, 0)]
    public void Refuses_windows_that_are_not_elements_of_the_tensor(long first, int bytes)
    {
        TensorEntry dense = new("x", DType.I32, new(2, 3), Memory(new int[100]), 0);
        TensorEntry strided = dense with { Strides = [10, 1] };
        Assert.ThrowsAny<ArgumentException>(() => dense.Read(first, new byte[bytes]));
        Assert.ThrowsAny<ArgumentException>(() => strided.Read(first, new byte[bytes]));
    }

    private static void CheckWindows(Generator gen, TensorEntry tensor, int[] expected)
    {
        Assert.Equal(expected.Length, tensor.Shape.Count);
        int[] y = new int[expected.Length];
        tensor.Read(0, MemoryMarshal.AsBytes(y.AsSpan()));
        Assert.Equal(expected, y);

        Array.Clear(y);
        for (int first = 0; first < y.Length;)
        {
            int count = Math.Min(y.Length - first, gen.Random.Next(1, Math.Max(2, y.Length / 3)));
            tensor.Read(first, MemoryMarshal.AsBytes(y.AsSpan(first, count)));
            first += count;
        }

        Assert.Equal(expected, y);
    }

    /// <summary>Elements of a view, one by one; null stands for the values 0, 1, 2 and on.</summary>
    private static int[] Gather(int[]? values, long start, ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides)
    {
        List<long> positions = [start];
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            var (size, stride) = (sizes[axis], strides[axis]);
            positions = [.. positions.SelectMany(p => Enumerable.Range(0, (int)size).Select(i => p + (i * stride)))];
        }

        return [.. positions.Select(p => values is null ? (int)p : values[p])];
    }

    private static MemoryStorage Memory(int[] values) => new(MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    private sealed class MemoryStorage(byte[] data) : Storage
    {
        public override string Path => "memory";

        public override long Length => data.Length;

        public long BytesRead { get; private set; }

        public int Reads { get; private set; }

        public override void Read(long offset, Span<byte> bytes)
        {
            (BytesRead, Reads) = (BytesRead + bytes.Length, Reads + 1);
            data.AsSpan((int)offset, bytes.Length).CopyTo(bytes);
        }

        public override void Dispose()
        {
        }
    }
}
