using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>Takes stored bytes of a tensor from a row-major element index on; called from several threads.</summary>
internal delegate void StoredWrite(long first, ReadOnlySpan<byte> bytes);

/// <summary>Takes the merged blocks of a tensor, narrows them to the stored type and writes them in larger pieces.</summary>
/// <param name="dtype">The type that is stored, a floating-point one.</param>
/// <param name="write">Writes stored bytes from a row-major element index on; called from several threads.</param>
internal sealed class TensorOutput(DType dtype, StoredWrite write)
{
    private static readonly float LargestFloat = float.MaxValue;

    /// <summary>Narrows a block into the worker's buffer, which is written when it is full.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="first">Row-major index of the block's first element.</param>
    /// <param name="merged">The block's values.</param>
    /// <param name="spoiled">Inputs that are not finite may have gone into them, so they need not be finite.</param>
    /// <param name="buffers">The worker's.</param>
    /// <param name="context">The run's.</param>
    public void Add(TensorMerge tensor, long first, ReadOnlySpan<float> merged, bool spoiled, BlockBuffers buffers, MergeContext context)
    {
        Check(tensor, first, merged, spoiled);
        int bytes = merged.Length * (dtype.Bits / 8);
        if (buffers.OutputCount == 0) buffers.OutputFirst = first;
        BlockBuffers.Grow(ref buffers.Output!, (long)bytes * context.WindowBlocks);
        dtype.Narrow(merged, buffers.Output.AsSpan(buffers.OutputCount, bytes));
        buffers.OutputCount += bytes;
        if (buffers.Output.Length - buffers.OutputCount < bytes) Flush(buffers, context);
    }

    /// <summary>Writes what is left in the worker's buffer.</summary>
    public void Flush(BlockBuffers buffers, MergeContext context)
    {
        if (buffers.OutputCount == 0) return;
        write(buffers.OutputFirst, buffers.Output.AsSpan(0, buffers.OutputCount));
        context.Written?.Invoke(buffers.OutputCount);
        buffers.OutputCount = 0;
    }

    private void Check(TensorMerge tensor, long first, ReadOnlySpan<float> merged, bool spoiled)
    {
        int bad = spoiled ? -1 : NonFinite.IndexOf(merged);
        if (bad >= 0)
            throw new MergeException($"merging '{tensor.Name}' gives {MergeContext.Describe(merged[bad])} at index {MergeContext.Position(tensor.Shape, first + bad)} from finite inputs; check the weights and scales");
        if (dtype.Largest >= LargestFloat || merged.IsEmpty) return;
        if (!spoiled && Math.Abs(TensorPrimitives.MaxMagnitude(merged)) <= dtype.Largest) return;
        bad = 0;
        while (bad < merged.Length && !(float.IsFinite(merged[bad]) && Math.Abs(merged[bad]) > dtype.Largest)) bad++;
        if (bad == merged.Length) return;
        throw new MergeException(
            $"merging '{tensor.Name}' gives {merged[bad]} at index {MergeContext.Position(tensor.Shape, first + bad)}, which {dtype.LongName} cannot hold (largest {dtype.Largest}); use out_dtype bfloat16 or float32");
    }
}
