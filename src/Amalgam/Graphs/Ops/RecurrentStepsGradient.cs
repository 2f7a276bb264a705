using System.Buffers;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// The sequential part of the gradient of <see cref="RecurrentSteps"/>. Inputs: the gradient by its result or by the hidden states alone, its result, R, and its
/// first states if it has any. The result [T,N,Q H] holds in each row the gradients by the input's part of the gates, for a GRU that resets after the product that
/// by h' R_n, and if asked for those by h' and, for an LSTM, c'.
/// </summary>
/// <param name="Cell">What a step does.</param>
/// <param name="Reverse">The last step is done first.</param>
/// <param name="States">The gradients by the states before each step are wanted.</param>
public sealed record RecurrentStepsGradient(RecurrentCell Cell, bool Reverse, bool States) : Op
{
    private int Planes => Cell.Gates() + (Cell == RecurrentCell.GruResetAfter ? 1 : 0) + (States ? Cell.HasCell() ? 2 : 1 : 0);

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3 + (States ? Cell.HasCell() ? 2 : 1 : 0));
        Shape y = x[1].Shape;
        long hidden = x[2].Shape[1];
        if (y.Rank != 3 || y[2] != Cell.Planes() * hidden || (x[0].Shape != y && x[0].Shape != y.With(2, hidden)))
        {
            throw new GraphException($"expected the gradient of a result [T,N,{Cell.Planes()} H] with H = {hidden}");
        }

        return y.With(2, Planes * hidden);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Cores.ForRange(y.Shape.Size(1), RecurrentRun.Grain, (Op: this, Dy: x[0], Y: x[1], R: x[2], H: States ? x[3] : null, C: States && Cell.HasCell() ? x[4] : null, Dx: y),
            static (s, from, to) => s.Op.Part(s.Dy, s.Y, s.R, s.H, s.C, s.Dx, from, to));

    private void Part(Tensor dy, Tensor y, Tensor r, Tensor? firstH, Tensor? firstC, Tensor dx, int from, int to)
    {
        int n = r.Shape.Size(1), rows = to - from, steps = y.Shape.Size(0), all = y.Shape.Size(1);
        int gates = Cell.Gates() * n, early = Cell == RecurrentCell.Gru ? 2 * n : gates, planes = Cell.Planes() * n, wide = dy.Shape.Size(2), results = Planes * n;
        float[] room = ArrayPool<float>.Shared.Rent(rows * (gates + 3 * n) + 2 * n);
        Span<float> recurrent = room.AsSpan(0, rows * early), dh = room.AsSpan(rows * gates, rows * n), dc = room.AsSpan(rows * (gates + n), rows * n);
        Span<float> dReset = room.AsSpan(rows * (gates + 2 * n), rows * n), free = room.AsSpan(rows * (gates + 3 * n), n), zeros = room.AsSpan(rows * (gates + 3 * n) + n, n);
        room.AsSpan(rows * gates, rows * 2 * n).Clear();
        zeros.Clear();
        for (int step = steps - 1; step >= 0; step--)
        {
            int t = Reverse ? steps - 1 - step : step, before = Reverse ? t + 1 : t - 1;
            for (int i = 0; i < rows; i++)
            {
                int row = t * all + from + i;
                ReadOnlySpan<float> of = dy.Span.Slice(row * wide, wide), record = y.Span.Slice(row * planes, planes);
                Span<float> dhRow = dh.Slice(i * n, n);
                TensorPrimitives.Add(dhRow, of[..n], dhRow);
                RecurrentCells.Backward(Cell, record, Before(firstH, y, zeros, before, from + i, 0, step), Cell.HasCell() ? Before(firstC, y, zeros, before, from + i, n, step) : [],
                    dhRow, dc.Slice(i * n, n), wide == n ? [] : of, dx.Span.Slice(row * results, gates), recurrent.Slice(i * early, early), free);
            }

            if (Cell == RecurrentCell.Gru) Reset(dy, y, r, firstH, dx, dReset, dh, zeros, recurrent, t, before, step, from, rows);
            Gemm.Multiply(rows, n, early, recurrent, false, r.Span[..(early * n)], false, dh, add: true);
            Keep(dx, recurrent, dh, dc, t * all + from, rows, n);
        }

        ArrayPool<float>.Shared.Return(room);
    }

    /// <summary>What goes through r h'.</summary>
    private static void Reset(Tensor dy, Tensor y, Tensor r, Tensor? firstH, Tensor dx, Span<float> dReset, Span<float> dh, ReadOnlySpan<float> zeros, Span<float> recurrent,
        int t, int before, int step, int from, int rows)
    {
        int n = r.Shape.Size(1), all = y.Shape.Size(1), planes = y.Shape.Size(2), wide = dy.Shape.Size(2), results = dx.Shape.Size(2);
        for (int i = 0; i < rows; i++) dx.Span.Slice((t * all + from + i) * results + 2 * n, n).CopyTo(recurrent.Slice(i * n, n));
        Gemm.Multiply(rows, n, n, recurrent[..(rows * n)], false, r.Span[(2 * n * n)..], false, dReset);
        for (int i = 0; i < rows; i++)
        {
            int row = t * all + from + i;
            Span<float> gates = dx.Span.Slice(row * results, 3 * n);
            RecurrentCells.FinishGruBack(y.Span.Slice(row * planes, planes), Before(firstH, y, zeros, before, from + i, 0, step), dReset.Slice(i * n, n), dh.Slice(i * n, n),
                wide == n ? [] : dy.Span.Slice(row * wide, wide), gates);
            gates[..(2 * n)].CopyTo(recurrent.Slice(i * 2 * n, 2 * n));
        }
    }

    /// <summary>The state before a step: of the record before, the first state, or zeros.</summary>
    private static ReadOnlySpan<float> Before(Tensor? first, Tensor y, ReadOnlySpan<float> zeros, int before, int row, int plane, int step)
    {
        int n = zeros.Length;
        if (step == 0) return first is null ? zeros : first.Span.Slice(row * n, n);
        return y.Span.Slice((before * y.Shape.Size(1) + row) * y.Shape.Size(2) + plane, n);
    }

    /// <summary>Writes what a row of the result holds besides the gates.</summary>
    private void Keep(Tensor dx, ReadOnlySpan<float> recurrent, ReadOnlySpan<float> dh, ReadOnlySpan<float> dc, int first, int rows, int n)
    {
        int gates = Cell.Gates() * n, results = Planes * n;
        for (int i = 0; i < rows; i++)
        {
            Span<float> rest = dx.Span.Slice((first + i) * results + gates, results - gates);
            if (Cell == RecurrentCell.GruResetAfter)
            {
                recurrent.Slice(i * gates + 2 * n, n).CopyTo(rest);
                rest = rest[n..];
            }

            if (!States) continue;
            dh.Slice(i * n, n).CopyTo(rest);
            if (Cell.HasCell()) dc.Slice(i * n, n).CopyTo(rest[n..]);
        }
    }
}
