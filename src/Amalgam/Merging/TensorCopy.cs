using System.Runtime.InteropServices;
using Amalgam.Checkpoints;

namespace Amalgam.Merging;

/// <summary>Copies a tensor byte for byte, in pieces.</summary>
internal static class TensorCopy
{
    private const int Piece = 1 << 20;

    public static void Run(TensorEntry tensor, StoredWrite write, MergeContext context)
    {
        long pieces = (tensor.Shape.Count + Piece - 1) / Piece;
        void Copy(long piece)
        {
            context.Parallel.CancellationToken.ThrowIfCancellationRequested();
            long first = piece * Piece;
            int count = (int)Math.Min(Piece, tensor.Shape.Count - first);
            byte[] bytes = new byte[tensor.DType.BytesOf(count)];
            tensor.Read(first, bytes);
            if (tensor.DType == DType.F64)
            {
                context.CheckFinite(tensor, first, MemoryMarshal.Cast<byte, double>(bytes));
            }
            else if (tensor.DType.IsFloat)
            {
                float[] values = new float[count];
                tensor.DType.Widen(bytes, values);
                context.CheckFinite(tensor, first, values, bytes);
            }

            write(first, bytes);
            context.Written?.Invoke(bytes.Length);
        }

        if (pieces < 4) for (long piece = 0; piece < pieces; piece++) Copy(piece);
        else Parallel.For(0, pieces, context.Parallel, Copy);
    }
}
