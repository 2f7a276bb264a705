using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>What a recurrent network does in one step.</summary>
public enum RecurrentCell
{
    /// <summary>h = tanh(a), a = x W + h' R + b.</summary>
    Rnn,

    /// <summary>GRU of Cho et al. (2014), gates z, r, n: n = tanh(a_n) with a_n = x W_n + (r h') R_n + b_n; h = (1 - z) n + z h'.</summary>
    Gru,

    /// <summary>GRU that resets after the product, as PyTorch and cuDNN have it: a_n = x W_n + b_n + r (h' R_n + c_n).</summary>
    GruResetAfter,

    /// <summary>LSTM, gates i, o, f, g: c = f c' + i g; h = o tanh(c).</summary>
    Lstm,
}

/// <summary>The sizes of cells, and their computations on one row of hidden units. A row's record is h first, then what the gradient needs.</summary>
internal static class RecurrentCells
{
    /// <summary>Gates, each with as many rows of W and R as there are hidden units.</summary>
    public static int Gates(this RecurrentCell cell) => cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Lstm => 4, _ => 3 };

    /// <summary>Vectors in a record: Rnn h; Gru h, z, r, n; GruResetAfter h, z, r, n, q = h' R_n + c_n; Lstm h, c, i, o, f, g.</summary>
    public static int Planes(this RecurrentCell cell) => cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Gru => 4, RecurrentCell.GruResetAfter => 5, _ => 6 };

    /// <summary>Whether the record's second vector, the cell, is carried on too.</summary>
    public static bool HasCell(this RecurrentCell cell) => cell == RecurrentCell.Lstm;

    /// <summary>The first gates of a step, from which for <see cref="RecurrentCell.Gru"/> <see cref="FinishGru"/> goes on.</summary>
    /// <param name="cell">Which.</param>
    /// <param name="a">The input's part of each gate.</param>
    /// <param name="recurrent">The hidden state's part of each gate; it is overwritten.</param>
    /// <param name="late">c_n of <see cref="RecurrentCell.GruResetAfter"/>.</param>
    /// <param name="h">The hidden state before; becomes that after, for Gru r h'.</param>
    /// <param name="record">The record before; becomes that after.</param>
    public static void Forward(RecurrentCell cell, ReadOnlySpan<float> a, Span<float> recurrent, ReadOnlySpan<float> late, Span<float> h, Span<float> record)
    {
        int n = h.Length;
        switch (cell)
        {
            case RecurrentCell.Rnn:
                TensorPrimitives.Add(a, recurrent, h);
                TensorPrimitives.Tanh(h, h);
                h.CopyTo(record);
                break;
            case RecurrentCell.Lstm:
                TensorPrimitives.Add(a, recurrent, recurrent);
                Span<float> c = record.Slice(n, n), i = record.Slice(2 * n, n), o = record.Slice(3 * n, n), f = record.Slice(4 * n, n), g = record.Slice(5 * n, n);
                TensorPrimitives.Sigmoid(recurrent[..(3 * n)], record.Slice(2 * n, 3 * n));
                TensorPrimitives.Tanh(recurrent.Slice(3 * n, n), g);
                TensorPrimitives.Multiply(f, c, c);
                TensorPrimitives.MultiplyAdd(i, g, c, c);
                TensorPrimitives.Tanh(c, h);
                TensorPrimitives.Multiply(h, o, h);
                h.CopyTo(record);
                break;
            default:
                Span<float> zr = record.Slice(n, 2 * n);
                TensorPrimitives.Add(a[..(2 * n)], recurrent[..(2 * n)], zr);
                TensorPrimitives.Sigmoid(zr, zr);
                if (cell == RecurrentCell.Gru)
                {
                    h.CopyTo(record);
                    TensorPrimitives.Multiply(h, zr[n..], h);
                    break;
                }

                Span<float> candidate = record.Slice(3 * n, n), q = record.Slice(4 * n, n);
                TensorPrimitives.Add(recurrent.Slice(2 * n, n), late, q);
                TensorPrimitives.MultiplyAdd(zr[n..], q, a.Slice(2 * n, n), candidate);
                Mix(candidate, zr[..n], h, record);
                break;
        }
    }

    /// <summary>The rest of a <see cref="RecurrentCell.Gru"/> step.</summary>
    /// <param name="a">The input's part of each gate.</param>
    /// <param name="recurrent">(r h') R_n.</param>
    /// <param name="h">Becomes the hidden state after.</param>
    /// <param name="record">Holds h', z and r; becomes the record after.</param>
    public static void FinishGru(ReadOnlySpan<float> a, ReadOnlySpan<float> recurrent, Span<float> h, Span<float> record)
    {
        int n = h.Length;
        record[..n].CopyTo(h);
        TensorPrimitives.Add(a.Slice(2 * n, n), recurrent, record.Slice(3 * n, n));
        Mix(record.Slice(3 * n, n), record.Slice(n, n), h, record);
    }

    /// <summary>The gradient of a step by its gates, up to where for <see cref="RecurrentCell.Gru"/> <see cref="FinishGruBack"/> goes on.</summary>
    /// <param name="cell">Which.</param>
    /// <param name="record">The record after the step.</param>
    /// <param name="hBefore">h'.</param>
    /// <param name="cBefore">c' of an LSTM.</param>
    /// <param name="dh">Gradient by h; becomes what of it goes to h' around the gates.</param>
    /// <param name="dc">Gradient by c; becomes that by c'.</param>
    /// <param name="dRecord">Gradient by the rest of the record, or empty.</param>
    /// <param name="gates">Gradients by the input's part of the gates.</param>
    /// <param name="recurrent">Gradients by the hidden state's part of the gates.</param>
    /// <param name="room">As long as h.</param>
    public static void Backward(RecurrentCell cell, ReadOnlySpan<float> record, ReadOnlySpan<float> hBefore, ReadOnlySpan<float> cBefore, Span<float> dh, Span<float> dc,
        ReadOnlySpan<float> dRecord, Span<float> gates, Span<float> recurrent, Span<float> room)
    {
        int n = dh.Length;
        ReadOnlySpan<float> of(ReadOnlySpan<float> planes, int plane) => planes.Slice(plane * n, n);
        switch (cell)
        {
            case RecurrentCell.Rnn:
                Map.Apply<TanhSlope>(dh, record, gates);
                gates.CopyTo(recurrent);
                dh.Clear();
                break;
            case RecurrentCell.Lstm:
                ReadOnlySpan<float> i = of(record, 2), o = of(record, 3), f = of(record, 4), g = of(record, 5);
                TensorPrimitives.Tanh(of(record, 1), room);
                TensorPrimitives.Multiply(dh, room, gates.Slice(n, n));
                TensorPrimitives.Multiply(dh, o, dh);
                Map.Apply<TanhSlope>(dh, room, dh);
                TensorPrimitives.Add(dc, dh, dc);
                if (!dRecord.IsEmpty) TensorPrimitives.Add(dc, of(dRecord, 1), dc);
                TensorPrimitives.Multiply(dc, g, gates[..n]);
                TensorPrimitives.Multiply(dc, cBefore, gates.Slice(2 * n, n));
                TensorPrimitives.Multiply(dc, i, gates.Slice(3 * n, n));
                if (!dRecord.IsEmpty) TensorPrimitives.Add(gates, dRecord[(2 * n)..], gates);
                Map.Apply<SigmoidSlope>(gates[..(3 * n)], record.Slice(2 * n, 3 * n), gates[..(3 * n)]);
                Map.Apply<TanhSlope>(gates[(3 * n)..], g, gates[(3 * n)..]);
                gates.CopyTo(recurrent);
                TensorPrimitives.Multiply(dc, f, dc);
                dh.Clear();
                break;
            default:
                ReadOnlySpan<float> z = of(record, 1), r = of(record, 2), candidate = of(record, 3);
                Span<float> dz = gates[..n], dr = gates.Slice(n, n), da = gates.Slice(2 * n, n);
                TensorPrimitives.Subtract(hBefore, candidate, dz);
                TensorPrimitives.Multiply(dz, dh, dz);
                TensorPrimitives.Multiply(dh, z, room);
                TensorPrimitives.Subtract(dh, room, da);
                room.CopyTo(dh);
                if (!dRecord.IsEmpty)
                {
                    TensorPrimitives.Add(dz, of(dRecord, 1), dz);
                    TensorPrimitives.Add(da, of(dRecord, 3), da);
                }

                Map.Apply<SigmoidSlope>(dz, z, dz);
                Map.Apply<TanhSlope>(da, candidate, da);
                if (cell == RecurrentCell.Gru) break;
                Span<float> dq = recurrent.Slice(2 * n, n);
                TensorPrimitives.Multiply(da, of(record, 4), dr);
                TensorPrimitives.Multiply(da, r, dq);
                if (!dRecord.IsEmpty)
                {
                    TensorPrimitives.Add(dr, of(dRecord, 2), dr);
                    TensorPrimitives.Add(dq, of(dRecord, 4), dq);
                }

                Map.Apply<SigmoidSlope>(dr, r, dr);
                gates[..(2 * n)].CopyTo(recurrent);
                break;
        }
    }

    /// <summary>The rest of a <see cref="RecurrentCell.Gru"/> step's gradient.</summary>
    /// <param name="record">The record after the step.</param>
    /// <param name="hBefore">h'.</param>
    /// <param name="dReset">Gradient by r h'; overwritten.</param>
    /// <param name="dh">Gradient by h' so far.</param>
    /// <param name="dRecord">Gradient by the rest of the record, or empty.</param>
    /// <param name="gates">Gradients by the gates, of which r's is made here.</param>
    public static void FinishGruBack(ReadOnlySpan<float> record, ReadOnlySpan<float> hBefore, Span<float> dReset, Span<float> dh, ReadOnlySpan<float> dRecord, Span<float> gates)
    {
        int n = dh.Length;
        ReadOnlySpan<float> r = record.Slice(2 * n, n);
        Span<float> dr = gates.Slice(n, n);
        TensorPrimitives.Multiply(dReset, hBefore, dr);
        if (!dRecord.IsEmpty) TensorPrimitives.Add(dr, dRecord.Slice(2 * n, n), dr);
        Map.Apply<SigmoidSlope>(dr, r, dr);
        TensorPrimitives.MultiplyAdd(dReset, r, dh, dh);
    }

    /// <summary>n = tanh(n); h = n + z (h - n).</summary>
    private static void Mix(Span<float> candidate, ReadOnlySpan<float> z, Span<float> h, Span<float> record)
    {
        TensorPrimitives.Tanh(candidate, candidate);
        TensorPrimitives.Subtract(h, candidate, h);
        TensorPrimitives.MultiplyAdd(h, z, candidate, h);
        h.CopyTo(record);
    }

    /// <summary>dy y (1 - y).</summary>
    private readonly struct SigmoidSlope : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => a * b * (Vector<float>.One - b);
    }

    /// <summary>dy (1 - y y).</summary>
    private readonly struct TanhSlope : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => a * (Vector<float>.One - b * b);
    }
}
