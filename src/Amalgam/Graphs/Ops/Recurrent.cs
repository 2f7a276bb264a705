using System.Buffers;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>In which order a recurrent layer goes through the steps.</summary>
public enum RecurrentDirection
{
    /// <summary>From the first to the last.</summary>
    Forward,

    /// <summary>From the last to the first.</summary>
    Reverse,

    /// <summary>Both, each with weights of its own.</summary>
    Bidirectional,
}

/// <summary>
/// A recurrent layer as ONNX has it. Inputs, with D directions and G gates of H hidden units each: x [T,N,I], W [D,G H,I], R [D,G H,H], then perhaps B [D,2 G H] (those
/// of x W and those of h R), then perhaps the first hidden state [D,N,H], for an LSTM with the first cell [D,N,H]. The result is [T,D,N,H], the hidden state of
/// every step. In training it is taken apart: the input's part of the gates of all steps is one product, and the steps are one operation for each direction.
/// </summary>
/// <param name="Direction">Order of the steps.</param>
public abstract record Recurrent(RecurrentDirection Direction) : Op
{
    /// <summary>What a step does.</summary>
    public abstract RecurrentCell Cell { get; }

    private protected virtual bool IsLastCell => false;

    private int Directions => Direction == RecurrentDirection.Bidirectional ? 2 : 1;

    private int States => Cell.HasCell() ? 2 : 1;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        if (x.Length is not (3 or 4) && x.Length != 4 + States) throw new GraphException($"takes 3, 4 or {4 + States} inputs, found {x.Length}");
        Shape of = x[0].Shape, r = x[2].Shape;
        long gates = Cell.Gates(), hidden = r.Rank == 3 ? r[2] : 0;
        if (of.Rank != 3) throw new GraphException($"x must be [steps,batch,features], found {of}");
        Expect("R", r, new(Directions, gates * hidden, hidden));
        Expect("W", x[1].Shape, new(Directions, gates * hidden, of[2]));
        if (x.Length > 3) Expect("B", x[3].Shape, new(Directions, 2 * gates * hidden));
        for (int i = 4; i < x.Length; i++) Expect("a first state", x[i].Shape, new(Directions, of[1], hidden));
        return IsLastCell ? new(Directions, of[1], hidden) : new(of[0], Directions, of[1], hidden);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int steps = x[0].Shape.Size(0), rows = x[0].Shape.Size(1), features = x[0].Shape.Size(2), hidden = x[2].Shape.Size(2), gates = Cell.Gates() * hidden;
        float[] room = ArrayPool<float>.Shared.Rent(steps * rows * gates + gates);
        for (int d = 0; d < Directions; d++)
        {
            Span<float> input = room.AsSpan(0, steps * rows * gates), bias = room.AsSpan(steps * rows * gates, gates);
            ReadOnlyMemory<float> both = x.Length > 3 ? x[3].Memory.Slice(d * 2 * gates, 2 * gates) : default;
            Bias(both.Span, bias, hidden);
            for (int row = 0; row < steps * rows; row++) bias.CopyTo(input[(row * gates)..]);
            Gemm.Multiply(steps * rows, gates, features, x[0].Span, false, x[1].Span.Slice(d * gates * features, gates * features), true, input, add: true);

            int state = d * rows * hidden;
            if (both.IsEmpty) bias.Clear();
            else both.Span[(2 * gates - hidden)..].CopyTo(bias);
            new RecurrentRun
            {
                Cell = Cell,
                Reverse = Direction == RecurrentDirection.Reverse || d == 1,
                Steps = steps,
                Rows = rows,
                Hidden = hidden,
                Gates = room.AsMemory(0, steps * rows * gates),
                R = x[2].Memory.Slice(d * gates * hidden, gates * hidden),
                Late = room.AsMemory(steps * rows * gates, hidden),
                H = x.Length > 4 ? x[4].Memory.Slice(state, rows * hidden) : default,
                C = x.Length > 5 ? x[5].Memory.Slice(state, rows * hidden) : default,
                Y = IsLastCell ? default : y.Memory[state..],
                YStep = Directions * rows * hidden,
                YRow = hidden,
                Width = IsLastCell ? 0 : hidden,
                LastCell = IsLastCell ? y.Memory.Slice(state, rows * hidden) : default,
            }.Run();
        }

        ArrayPool<float>.Shared.Return(room);
    }

    /// <summary>The gradient of what <see cref="ForTraining"/> makes, computed beside this operation: train the training form, which computes it once.</summary>
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node[] x = [.. y.Inputs.Select(input => y.Graph.Add(new Identity(), input))];
        Dictionary<Node, Node> gradients = Gradients.Of(Apart(x), dy, x);
        return [.. x.Select(input => gradients.GetValueOrDefault(input))];
    }

    public override Node? ForTraining(ReadOnlySpan<Node> x, TrainingForm form) => Apart(x);

    /// <summary>
    /// Hidden units are one axis in the result, in the states and in R's columns, and with a gate's digit in the rows of W, R and B; features are contracted.
    /// </summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], w = y.Inputs[1], r = y.Inputs[2];
        Axis hidden = AxisLinks.Of(y, ^1), gate = links.Digit(Cell.Gates());
        links.Fix(AxisLinks.Of(x, 0), "steps of a sequence");
        links.Mixed(AxisLinks.Of(x, 0));
        links.Fix(AxisLinks.Of(w, 0), "directions");
        links.Fix(gate, "gates");
        links.Same(AxisLinks.Of(y, ^2), AxisLinks.Of(x, 1));
        links.Same(AxisLinks.Of(y, ^3), AxisLinks.Of(w, 0));
        links.Same(AxisLinks.Of(r, 0), AxisLinks.Of(w, 0));
        if (!IsLastCell) links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(x, 0));
        links.Contracted([AxisLinks.Of(w, 2)], [AxisLinks.Of(x, 2)]);
        links.Contracted([AxisLinks.Of(r, 2)], [hidden]);
        links.Same([AxisLinks.Of(w, 1)], [gate, hidden]);
        links.Same([AxisLinks.Of(r, 1)], [gate, hidden]);
        if (y.Inputs.Length > 3)
        {
            Axis both = links.Digit(2);
            links.Fix(both, "biases of x W and of h R");
            links.Same(AxisLinks.Of(y.Inputs[3], 0), AxisLinks.Of(w, 0));
            links.Same([AxisLinks.Of(y.Inputs[3], 1)], [both, gate, hidden]);
        }

        for (int i = 4; i < y.Inputs.Length; i++)
        {
            links.Same(AxisLinks.Of(y.Inputs[i], 0), AxisLinks.Of(w, 0));
            links.Same(AxisLinks.Of(y.Inputs[i], 1), AxisLinks.Of(x, 1));
            links.Same(AxisLinks.Of(y.Inputs[i], 2), hidden);
        }
    }

    public override long Work(Node y)
    {
        Shape x = y.Inputs[0].Shape, r = y.Inputs[2].Shape;
        return 2 * x[0] * x[1] * Directions * r[1] * (x[2] + r[2]);
    }

    private protected string Export(Node y, OnnxExport to, string name, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        List<string> inputs = [.. y.Inputs.Select(input => to[input])];
        if (inputs.Count > 4) inputs.Insert(4, "");
        string[] results = to.Emit(IsLastCell ? 3 : 1, name, inputs.ToArray(),
            [("hidden_size", y.Shape[^1]), ("direction", Direction switch { RecurrentDirection.Forward => "forward", RecurrentDirection.Reverse => "reverse", _ => "bidirectional" }), .. attributes]);
        return results.Length == 1 ? results[0] : to.Emit("Identity", [results[^1]]);
    }

    /// <summary>The layer as a product over all steps, the steps of each direction, and what joins them.</summary>
    private Node Apart(ReadOnlySpan<Node> x)
    {
        Node[] directions = new Node[Directions];
        for (int d = 0; d < directions.Length; d++) directions[d] = OneDirection(x, d);
        return directions.Length == 1 ? directions[0] : Layout.Concat(IsLastCell ? 0 : 1, directions);
    }

    private Node OneDirection(ReadOnlySpan<Node> x, int d)
    {
        Graph g = x[0].Graph;
        bool reverse = Direction == RecurrentDirection.Reverse || d == 1;
        long steps = x[0].Shape[0], hidden = x[2].Shape[2], gates = Cell.Gates() * hidden;
        Node w = Of(x[1], d), r = Of(x[2], d);
        Node input = g.Add(new MatMul(TransposeB: true), x[0], w);
        Node? late = null;
        if (x.Length > 3)
        {
            Node ofX = Of(x[3], d).Slice(0, 0, gates), ofH = Of(x[3], d).Slice(0, gates, 2 * gates);
            if (Cell == RecurrentCell.GruResetAfter)
            {
                late = ofH.Slice(0, 2 * hidden, gates);
                ofH = ofH.Slice(0, 0, 2 * hidden).Pad([0, hidden]);
            }

            input += ofX + ofH;
        }

        List<Node> inputs = [input, r];
        if (Cell == RecurrentCell.GruResetAfter) inputs.Add(late ?? Arguments.Zeros(g, new(hidden)));
        for (int i = 4; i < x.Length; i++) inputs.Add(Of(x[i], d));
        Node y = g.Add(new RecurrentSteps(Cell, reverse), inputs.ToArray());
        if (!IsLastCell) return y.Slice(2, 0, hidden).Unsqueeze(1);
        Node cells = y.Slice(2, hidden, 2 * hidden);
        return reverse ? cells.Slice(0, 0, 1) : cells.Slice(0, steps - 1, steps);
    }

    private Node Of(Node x, int direction) => Directions == 1 ? x.Squeeze(0) : x.Slice(0, direction, direction + 1).Squeeze(0);

    /// <summary>What both biases add to the input's part of the gates; the last of h R stays apart when it is reset.</summary>
    private void Bias(ReadOnlySpan<float> both, Span<float> bias, int hidden)
    {
        bias.Clear();
        int gates = bias.Length, late = Cell == RecurrentCell.GruResetAfter ? gates - hidden : gates;
        for (int i = 0; i < gates && !both.IsEmpty; i++) bias[i] = both[i] + (i < late ? both[gates + i] : 0);
    }

    private static void Expect(string what, Shape found, Shape expected)
    {
        if (found != expected) throw new GraphException($"{what} has shape {found}, expected {expected}");
    }
}

/// <summary>ONNX RNN with tanh.</summary>
/// <param name="Direction">Order of the steps.</param>
public sealed record Rnn(RecurrentDirection Direction = RecurrentDirection.Forward) : Recurrent(Direction)
{
    public override RecurrentCell Cell => RecurrentCell.Rnn;

    public override string Export(Node y, OnnxExport to) => Export(y, to, "RNN");
}

/// <summary>ONNX GRU, gates in the order z, r, n.</summary>
/// <param name="ResetAfter">ONNX's linear_before_reset: the reset gate scales the product with R and not the hidden state before it. PyTorch's GRU is this one.</param>
/// <param name="Direction">Order of the steps.</param>
public sealed record Gru(bool ResetAfter = true, RecurrentDirection Direction = RecurrentDirection.Forward) : Recurrent(Direction)
{
    public override RecurrentCell Cell => ResetAfter ? RecurrentCell.GruResetAfter : RecurrentCell.Gru;

    public override string Export(Node y, OnnxExport to) => Export(y, to, "GRU", ("linear_before_reset", ResetAfter ? 1L : 0L));
}

/// <summary>ONNX LSTM, gates in the order i, o, f, g.</summary>
/// <param name="LastCell">The result is the last cell of each direction, [D,N,H], and not the hidden states.</param>
/// <param name="Direction">Order of the steps.</param>
public sealed record Lstm(bool LastCell = false, RecurrentDirection Direction = RecurrentDirection.Forward) : Recurrent(Direction)
{
    public override RecurrentCell Cell => RecurrentCell.Lstm;

    private protected override bool IsLastCell => LastCell;

    public override string Export(Node y, OnnxExport to) => Export(y, to, "LSTM");
}
