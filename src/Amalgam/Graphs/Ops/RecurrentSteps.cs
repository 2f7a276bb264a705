using System.Buffers;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// The steps of a recurrent network in one direction, after the input's part of all gates has been computed as one product. Inputs: that part [T,N,G H], R [G H,H],
/// for <see cref="RecurrentCell.GruResetAfter"/> c_n [H], and perhaps the first hidden state [N,H], for an LSTM with the first cell [N,H]. The result [T,N,P H] is
/// the hidden states, followed in each row by what the gradient needs.
/// </summary>
/// <param name="Cell">What a step does.</param>
/// <param name="Reverse">The last step is done first.</param>
public sealed record RecurrentSteps(RecurrentCell Cell, bool Reverse = false) : Op
{
    private int Late => Cell == RecurrentCell.GruResetAfter ? 1 : 0;

    private int States => Cell.HasCell() ? 2 : 1;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        if (x.Length != 2 + Late && x.Length != 2 + Late + States) throw new GraphException($"takes {2 + Late} or {2 + Late + States} inputs, found {x.Length}");
        Shape gates = x[0].Shape, r = x[1].Shape;
        bool fit = gates.Rank == 3 && r.Rank == 2 && r[0] == Cell.Gates() * r[1] && gates[2] == r[0];
        if (fit && Late == 1) fit = x[2].Shape == new Shape(r[1]);
        for (int i = 2 + Late; fit && i < x.Length; i++) fit = x[i].Shape == new Shape(gates[1], r[1]);
        return fit ? new(gates[0], gates[1], Cell.Planes() * r[1]) : throw new GraphException($"expected gates [T,N,{Cell.Gates()} H], R [{Cell.Gates()} H,H] and states [N,H]");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int width = y.Shape.Size(2), n = y.Shape.Size(1);
        bool states = x.Length > 2 + Late;
        new RecurrentRun
        {
            Cell = Cell,
            Reverse = Reverse,
            Steps = y.Shape.Size(0),
            Rows = n,
            Hidden = x[1].Shape.Size(1),
            Gates = x[0].Memory,
            R = x[1].Memory,
            Late = Late == 1 ? x[2].Memory : default,
            H = states ? x[2 + Late].Memory : default,
            C = states && Cell.HasCell() ? x[3 + Late].Memory : default,
            Y = y.Memory,
            YStep = n * width,
            YRow = width,
            Width = width,
        }.Run();
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Graph g = dy.Graph;
        long steps = y.Shape[0], rows = y.Shape[1], hidden = y.Inputs[1].Shape[1], gates = Cell.Gates() * hidden;
        bool states = y.Inputs.Length > 2 + Late;
        Node of = OnlyHidden(dy, hidden) ?? dy;
        RecurrentStepsGradient op = new(Cell, Reverse, states);
        Node all = g.Add(op, [of, y, y.Inputs[1], .. y.Inputs[(2 + Late)..]]);
        Node h = y.Slice(2, 0, hidden);
        Node first = (states ? y.Inputs[2 + Late] : Arguments.Zeros(g, new(rows, hidden))).Unsqueeze(0);
        Node before = Reverse ? Layout.Concat(0, h.Slice(0, 1), first) : Layout.Concat(0, first, h.Slice(0, 0, steps - 1));

        List<Node?> dx = [all.Slice(2, 0, gates)];
        switch (Cell)
        {
            case RecurrentCell.Gru:
                Node reset = y.Slice(2, 2 * hidden, 3 * hidden) * before;
                dx.Add(Layout.Concat(0, Contract(all.Slice(2, 0, 2 * hidden), before), Contract(all.Slice(2, 2 * hidden, gates), reset)));
                break;
            case RecurrentCell.GruResetAfter:
                Node dq = all.Slice(2, gates, gates + hidden);
                dx.Add(Layout.Concat(0, Contract(all.Slice(2, 0, 2 * hidden), before), Contract(dq, before)));
                dx.Add(g.Add(new SumTo(new(hidden)), dq));
                break;
            default:
                dx.Add(Contract(dx[0]!, before));
                break;
        }

        for (int i = 2 + Late; i < y.Inputs.Length; i++)
        {
            long plane = gates + Late * hidden + (i - 2 - Late) * hidden;
            int start = Reverse ? (int)steps - 1 : 0;
            dx.Add(all.Slice(0, start, start + 1).Slice(2, plane, plane + hidden).ReshapeTo(y.Inputs[i].Shape));
        }

        return [.. dx];
    }

    /// <summary>The sum over steps and rows of the products of each element of a with each of b: [T,N,A], [T,N,B] to [A,B].</summary>
    private static Node Contract(Node a, Node b) =>
        a.Graph.Add(new MatMul(TransposeA: true), a.ReshapeTo(new(a.Shape[0] * a.Shape[1], a.Shape[2])), b.ReshapeTo(new(b.Shape[0] * b.Shape[1], b.Shape[2])));

    /// <summary>The gradient by the hidden states, when nobody reads the rest of the result.</summary>
    private static Node? OnlyHidden(Node dy, long hidden)
    {
        if (dy.Op is not SliceGradient { Of.Rank: 3 } of || dy.Inputs[0].Shape != of.Of.With(2, hidden) || dy.Inputs.Length != 4) return null;
        return dy.Inputs[1].Integers("starts") is [0] && dy.Inputs[3].Integers("axes") is [2] ? dy.Inputs[0] : null;
    }
}

/// <summary>One run over all steps: rows are independent, so they are what is shared between cores.</summary>
internal readonly record struct RecurrentRun
{
    /// <summary>Rows that one part does.</summary>
    internal const int Grain = 32;

    public RecurrentCell Cell { get; init; }

    public bool Reverse { get; init; }

    public int Steps { get; init; }

    public int Rows { get; init; }

    public int Hidden { get; init; }

    /// <summary>The input's part of the gates, [T,N,G H].</summary>
    public Memory<float> Gates { get; init; }

    public Memory<float> R { get; init; }

    public Memory<float> Late { get; init; }

    /// <summary>The first hidden state, or nothing for zeros.</summary>
    public Memory<float> H { get; init; }

    /// <summary>The first cell, or nothing for zeros.</summary>
    public Memory<float> C { get; init; }

    /// <summary>Where records go: the first <see cref="Width"/> numbers of each.</summary>
    public Memory<float> Y { get; init; }

    public int YStep { get; init; }

    public int YRow { get; init; }

    public int Width { get; init; }

    /// <summary>Where the last cells go, [N,H]; nothing when they are not wanted.</summary>
    public Memory<float> LastCell { get; init; }

    public void Run() => Cores.ForRange(Rows, Grain, this, static (run, from, to) => run.Part(from, to));

    private void Part(int from, int to)
    {
        int rows = to - from, n = Hidden, gates = Cell.Gates() * n, early = Cell == RecurrentCell.Gru ? 2 * n : gates, planes = Cell.Planes() * n;
        float[] room = ArrayPool<float>.Shared.Rent(rows * (gates + n + planes));
        Span<float> recurrent = room.AsSpan(0, rows * early), h = room.AsSpan(rows * gates, rows * n), records = room.AsSpan(rows * (gates + n), rows * planes);
        if (H.IsEmpty) h.Clear();
        else H.Span.Slice(from * n, rows * n).CopyTo(h);
        records.Clear();
        for (int i = 0; i < rows && !C.IsEmpty; i++) C.Span.Slice((from + i) * n, n).CopyTo(records.Slice(i * planes + n, n));

        ReadOnlySpan<float> r = R.Span;
        for (int step = 0; step < Steps; step++)
        {
            int t = Reverse ? Steps - 1 - step : step;
            ReadOnlySpan<float> a = Gates.Span.Slice((t * Rows + from) * gates, rows * gates);
            if (step == 0 && H.IsEmpty) recurrent.Clear();
            else Gemm.Multiply(rows, early, n, h, false, r[..(early * n)], true, recurrent);
            for (int i = 0; i < rows; i++)
            {
                RecurrentCells.Forward(Cell, a.Slice(i * gates, gates), recurrent.Slice(i * early, early), Late.Span, h.Slice(i * n, n), records.Slice(i * planes, planes));
            }

            if (Cell == RecurrentCell.Gru)
            {
                Span<float> last = recurrent[..(rows * n)];
                Gemm.Multiply(rows, n, n, h, false, r[(early * n)..], true, last);
                for (int i = 0; i < rows; i++) RecurrentCells.FinishGru(a.Slice(i * gates, gates), last.Slice(i * n, n), h.Slice(i * n, n), records.Slice(i * planes, planes));
            }

            for (int i = 0; i < rows && Width > 0; i++) records.Slice(i * planes, Width).CopyTo(Y.Span.Slice(t * YStep + (from + i) * YRow, Width));
        }

        for (int i = 0; i < rows && !LastCell.IsEmpty; i++) records.Slice(i * planes + n, n).CopyTo(LastCell.Span.Slice((from + i) * n, n));
        ArrayPool<float>.Shared.Return(room);
    }
}
