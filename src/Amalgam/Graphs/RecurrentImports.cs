using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>ONNX RNN, GRU and LSTM as nodes: one for the hidden states of all steps, slices of it for the last ones, and one for the last cells.</summary>
internal static class RecurrentImports
{
    public static Node[] Rnn(OnnxCall c) => Layer(c, ["Tanh"], direction => new Rnn(direction));

    public static Node[] Gru(OnnxCall c)
    {
        bool after = c.Int("linear_before_reset", 0) != 0;
        return Layer(c, ["Sigmoid", "Tanh"], direction => new Gru(after, direction));
    }

    public static Node[] Lstm(OnnxCall c)
    {
        if (c.Int("input_forget", 0) != 0) throw new GraphException("coupled input and forget gates (input_forget) are not computed");
        if (c.Optional(7) is not null) throw new GraphException("peephole weights (input P) are not computed");
        return Layer(c, ["Sigmoid", "Tanh", "Tanh"], direction => new Lstm(false, direction));
    }

    private static Node[] Layer(OnnxCall c, string[] activations, Func<RecurrentDirection, Recurrent> make)
    {
        RecurrentDirection direction = c.Text("direction", "forward") switch
        {
            "forward" => RecurrentDirection.Forward,
            "reverse" => RecurrentDirection.Reverse,
            "bidirectional" => RecurrentDirection.Bidirectional,
            var other => throw new GraphException($"the direction '{other}' is unknown; expected forward, reverse or bidirectional"),
        };
        CheckPlain(c, activations, direction);
        bool batchFirst = c.Int("layout", 0) != 0;
        Node sequence = batchFirst ? c[0].Transpose(1, 0, 2) : c[0];
        if (c.Optional(4) is { } lengths && (lengths.Known is null || lengths.Integers("sequence_lens").Any(n => n != sequence.Shape[0])))
        {
            throw new GraphException($"sequences of different lengths (sequence_lens) are not computed; expected all of {sequence.Shape[0]} steps");
        }

        List<Node> inputs = [sequence, c[1], c[2]];
        Node? h = c.Optional(5), cell = c.Type == "LSTM" ? c.Optional(6) : null, b = c.Optional(3);
        if (h is not null || cell is not null) b ??= c.Graph.Constant(new Tensor(new Shape(c[2].Shape[0], 2 * c[2].Shape[1])));
        if (b is not null) inputs.Add(b);
        if (h is not null || cell is not null)
        {
            inputs.Add(State(h ?? cell! * 0));
            if (c.Type == "LSTM") inputs.Add(State(cell ?? h! * 0));
        }

        Recurrent layer = make(direction);
        if (c.Has("hidden_size") && c.Int("hidden_size") != c[2].Shape[^1]) throw new GraphException($"hidden_size is {c.Int("hidden_size")}, R {c[2].Shape} has {c[2].Shape[^1]}");
        Node y = c.Add(layer, inputs.ToArray());
        List<Node> results = [batchFirst ? y.Transpose(2, 0, 1, 3) : y];
        if (c.Outputs > 1) results.Add(State(LastOf(y, direction)));
        if (c.Outputs > 2 && layer is Lstm lstm) results.Add(State(c.Add(lstm with { LastCell = true }, inputs.ToArray())));
        return [.. results];

        Node State(Node state) => batchFirst ? state.Transpose(1, 0, 2) : state;
    }

    /// <summary>The hidden state after all steps of each direction.</summary>
    private static Node LastOf(Node y, RecurrentDirection direction)
    {
        Node last = y.Slice(0, -1).Squeeze(0), first = y.Slice(0, 0, 1).Squeeze(0);
        return direction switch
        {
            RecurrentDirection.Forward => last,
            RecurrentDirection.Reverse => first,
            _ => Layout.Concat(0, last.Slice(0, 0, 1), first.Slice(0, 1, 2)),
        };
    }

    private static void CheckPlain(OnnxCall c, string[] activations, RecurrentDirection direction)
    {
        c.Ignore("output_sequence");
        if (c.Has("clip")) throw new GraphException("clipped gates (clip) are not computed");
        if (c.Floats("activation_alpha") is { Length: > 0 } || c.Floats("activation_beta") is { Length: > 0 }) throw new GraphException("activations with parameters are not computed");
        string[] expected = direction == RecurrentDirection.Bidirectional ? [.. activations, .. activations] : activations;
        if (c.Texts("activations") is { } found && !found.SequenceEqual(expected, StringComparer.OrdinalIgnoreCase))
        {
            throw new GraphException($"{c.Type} with the activations {string.Join(", ", found)} is not computed; expected {string.Join(", ", expected)}");
        }
    }
}
