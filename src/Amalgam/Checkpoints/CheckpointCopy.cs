using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Amalgam.Numerics;

namespace Amalgam.Checkpoints;

/// <summary>How far a copy has come.</summary>
/// <param name="DoneBytes">Bytes read of all tensors.</param>
/// <param name="TotalBytes">Bytes of all tensors.</param>
/// <param name="Tensor">The tensor at work.</param>
public readonly record struct CopyProgress(long DoneBytes, long TotalBytes, string Tensor);

/// <summary>Copies a checkpoint into another format, element type or layout, in blocks of bounded size.</summary>
/// <param name="DType">Type of the copy's floating-point tensors; null leaves each as it is. Other tensors are copied byte for byte.</param>
/// <param name="StripPrefix">Taken off the tensor names that begin with it.</param>
public sealed record CheckpointCopy(DType? DType = null, string StripPrefix = "")
{
    /// <summary>A whole number of blocks of any type.</summary>
    private const int WindowBytes = 1 << 24;

    private const string TotalSize = "total_size";

    /// <summary>Type of the copy's floating-point tensors.</summary>
    public DType? DType { get; } = DType is null or { IsFloat: true } ? DType : throw new ArgumentException($"{DType} is no floating-point type", nameof(DType));

    /// <summary>Writes the copy; it appears under its name when it is complete.</summary>
    /// <param name="source">What is copied.</param>
    /// <param name="path">A folder, or a file whose ending names its format.</param>
    /// <param name="options">How to write.</param>
    /// <param name="progress">Hears of every block.</param>
    /// <param name="cancel">Stops between blocks and leaves nothing behind.</param>
    /// <returns>The tensors of the copy.</returns>
    /// <exception cref="InvalidDataException">A value is too large for the type, or two tensors would get one name.</exception>
    /// <exception cref="IOException">The path cannot be written, or the disk is full.</exception>
    public ImmutableArray<TensorSpec> Run(
        Checkpoint source, string path, OutputOptions options, IProgress<CopyProgress>? progress = null, CancellationToken cancel = default)
    {
        var names = Rename(source);
        ImmutableArray<TensorSpec> copies = [.. source.Tensors.Select(t => new TensorSpec(names[t.Name], TypeOf(t), t.Shape))];
        Dictionary<string, string> metadata = new(source.Metadata, StringComparer.Ordinal);
        metadata.TryAdd("format", "pt");
        metadata.Remove(TotalSize); // an index's sum over its shards, which the copy's own index has

        using CheckpointOutput output = CheckpointOutput.Create(path, copies, metadata, options, $"copy of {source.Path}", source.ModelFile);
        long done = 0, total = source.ByteCount;
        foreach (var (tensor, copy) in source.Tensors.Zip(copies))
        {
            Converter converter = new(tensor, copy.DType);
            foreach (var (first, count) in TensorBlocks.Of(tensor.Shape))
            {
                cancel.ThrowIfCancellationRequested();
                output.Write(copy.Name, first, converter.Read(first, count));
                done += tensor.DType.BytesOf(count);
                progress?.Report(new(done, total, copy.Name));
            }
        }

        output.Commit();
        return copies;
    }

    private DType TypeOf(TensorEntry t) => t.DType.IsFloat && DType is not null ? DType : t.DType;

    private Dictionary<string, string> Rename(Checkpoint source)
    {
        Dictionary<string, string> names = new(StringComparer.Ordinal), origins = new(StringComparer.Ordinal);
        foreach (TensorEntry t in source.Tensors)
        {
            string name = StripPrefix.Length > 0 && t.Name.StartsWith(StripPrefix, StringComparison.Ordinal) ? t.Name[StripPrefix.Length..] : t.Name;
            if (name.Length == 0) throw new InvalidDataException($"without the prefix '{StripPrefix}' tensor '{t.Name}' of {source.Path} has no name");
            if (!origins.TryAdd(name, t.Name)) throw new InvalidDataException($"without the prefix '{StripPrefix}' tensors '{origins[name]}' and '{t.Name}' of {source.Path} would both be '{name}'");
            names.Add(t.Name, name);
        }

        if (StripPrefix.Length > 0 && names.All(n => n.Key == n.Value) && names.Count > 0)
            throw new InvalidDataException($"no tensor of {source.Path} has a name that begins with '{StripPrefix}'; the first is '{source.Tensors[0].Name}'");
        return names;
    }

    /// <summary>Reads a tensor's blocks in another type.</summary>
    private sealed class Converter(TensorEntry tensor, DType type)
    {
        private readonly byte[] _stored = new byte[tensor.IsDense ? tensor.DType.BytesOf(TensorBlocks.LargestOf(tensor.Shape)) : Math.Min(tensor.ByteCount, WindowBytes)];
        private readonly byte[] _bytes = tensor.DType == type ? [] : new byte[type.BytesOf(TensorBlocks.LargestOf(tensor.Shape))];
        private readonly float[] _floats = tensor.DType == type ? [] : new float[TensorBlocks.LargestOf(tensor.Shape)];

        public ReadOnlySpan<byte> Read(long first, int count)
        {
            var stored = Stored(first, count);
            if (tensor.DType == type) return stored;

            var bytes = _bytes.AsSpan(0, (int)type.BytesOf(count));
            var floats = _floats.AsSpan(0, count);
            if (type == DType.F64)
            {
                Doubles.Widen(tensor.DType, stored, MemoryMarshal.Cast<byte, double>(bytes));
                return bytes;
            }

            tensor.DType.Widen(stored, floats);
            if (tensor.DType == DType.F64 && type != DType.F32) RoundToOdd(MemoryMarshal.Cast<byte, double>(stored), floats);
            type.Narrow(floats, bytes);
            type.Widen(bytes, floats);
            for (int i = NonFinite.IndexOf(floats); i >= 0; i = NextNonFinite(floats, i)) CheckNotFinite(stored, first, i);
            return bytes;
        }

        /// <summary>Blocks come in order. Those of a strided tensor are taken from a larger window, since one row of a transposed matrix lies in as many places as it has columns.</summary>
        private Span<byte> Stored(long first, int count)
        {
            int bytes = (int)tensor.DType.BytesOf(count);
            if (tensor.IsDense)
            {
                tensor.Read(first, _stored.AsSpan(0, bytes));
                return _stored.AsSpan(0, bytes);
            }

            long at = tensor.DType.BytesOf(first) % WindowBytes;
            if (at == 0) tensor.Read(first, _stored.AsSpan(0, (int)Math.Min(WindowBytes, tensor.ByteCount - tensor.DType.BytesOf(first))));
            return _stored.AsSpan((int)at, bytes);
        }

        /// <summary>
        /// Rounding to float first and to a narrower type then can miss the nearest by half a unit. It cannot when every float that is not exact has an odd
        /// last bit (Boldo and Melquiond 2008, Emulation of FMA and correctly rounded sums).
        /// </summary>
        private static void RoundToOdd(ReadOnlySpan<double> x, Span<float> y)
        {
            for (int i = 0; i < x.Length; i++)
            {
                if (!float.IsFinite(y[i]) || y[i] == x[i] || (BitConverter.SingleToUInt32Bits(y[i]) & 1) == 1) continue;
                y[i] = y[i] < x[i] ? MathF.BitIncrement(y[i]) : MathF.BitDecrement(y[i]);
            }
        }

        private static int NextNonFinite(ReadOnlySpan<float> x, int i)
        {
            int next = NonFinite.IndexOf(x[(i + 1)..]);
            return next < 0 ? -1 : i + 1 + next;
        }

        /// <summary>NaN and infinity may pass from type to type; a number may not become one.</summary>
        private void CheckNotFinite(ReadOnlySpan<byte> stored, long first, int i)
        {
            int width = tensor.DType.Bits / 8;
            double value = 0;
            Doubles.Widen(tensor.DType, stored.Slice(i * width, width), new(ref value));
            if (double.IsFinite(value))
                throw new InvalidDataException($"tensor '{tensor.Name}' holds {value:R} at index {first + i}, too large for {type.LongName}, whose largest value is {type.Largest}; choose a wider type");
        }
    }
}
