using System.Runtime.InteropServices;
using Amalgam.Checkpoints;

namespace Amalgam.Merging;

/// <summary>Copies a tensor byte for byte, in pieces.</summary>
internal static class TensorCopy
{
    private const int FewPieces = 4;

    public static void Run(TensorEntry tensor, StoredWrite write, MergeContext context)
    {
        long piece = (long)TensorMerge.BlockElements * context.WindowBlocks, pieces = (tensor.Shape.Count + piece - 1) / piece;
        void Copy(long number)
        {
            context.Parallel.CancellationToken.ThrowIfCancellationRequested();
            BlockBuffers buffers = context.Rent();
            long first = number * piece;
            int length = (int)tensor.DType.BytesOf(Math.Min(piece, tensor.Shape.Count - first));
            BlockBuffers.Grow(ref buffers.Output!, length);
            Span<byte> bytes = buffers.Output.AsSpan(0, length);
            tensor.Read(first, bytes);
            if (tensor.DType == DType.F64) context.CheckFinite(tensor, first, MemoryMarshal.Cast<byte, double>(bytes));
            else if (tensor.DType.IsFloat) CheckFinite(tensor, first, bytes, buffers, context);
            write(first, bytes);
            context.Written?.Invoke(length);
            context.Return(buffers);
        }

        if (pieces < FewPieces) for (long number = 0; number < pieces; number++) Copy(number);
        else context.ForEach(pieces, Copy);
    }

    private static void CheckFinite(TensorEntry tensor, long first, ReadOnlySpan<byte> bytes, BlockBuffers buffers, MergeContext context)
    {
        int width = tensor.DType.Bits / 8, step = TensorMerge.BlockElements * width;
        BlockBuffers.Grow(ref buffers.Merged!, TensorMerge.BlockElements);
        for (int at = 0; at < bytes.Length; at += step)
        {
            ReadOnlySpan<byte> stored = bytes.Slice(at, Math.Min(step, bytes.Length - at));
            Span<float> values = buffers.Merged.AsSpan(0, stored.Length / width);
            tensor.DType.Widen(stored, values);
            context.CheckFinite(tensor, first + at / width, values, stored);
        }
    }
}
