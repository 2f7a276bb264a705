using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Samples of recurrent layers; the references are ONNX's formulas, one number after the other.</summary>
internal static class RecurrentSamples
{
    public static IReadOnlyList<OpSample> All { get; } = [.. Layers(), .. Steps(), .. Backward()];

    private static IEnumerable<OpSample> Layers()
    {
        foreach (RecurrentCell cell in Enum.GetValues<RecurrentCell>())
        {
            foreach (RecurrentDirection direction in Enum.GetValues<RecurrentDirection>())
            {
                yield return Layer(cell, direction, false, 3, 2, 3, 2, states: direction != RecurrentDirection.Forward);
                yield return Layer(cell, direction, false, 1, 1, 1, 5, states: false);
                if (cell == RecurrentCell.Lstm) yield return Layer(cell, direction, true, 3, 2, 3, 2, states: true);
            }

            yield return Layer(cell, RecurrentDirection.Bidirectional, false, 4, 100, 180, 9, states: true);
        }
    }

    private static IEnumerable<OpSample> Steps()
    {
        foreach (RecurrentCell cell in Enum.GetValues<RecurrentCell>())
        {
            foreach (bool reverse in new[] { false, true })
            {
                OpInput[] few = Inputs(cell, 3, 2, 3, states: reverse), many = Inputs(cell, 5, 300, 50, states: !reverse);
                yield return new(new RecurrentSteps(cell, reverse), few, a => Records(cell, reverse, a));
                yield return new(new RecurrentSteps(cell, reverse), many, null);
            }
        }
    }

    /// <summary>The gradient's operator on results that are no run's: it is a formula of its inputs whatever they are, checked through the gradients of the steps, here for the laws.</summary>
    private static IEnumerable<OpSample> Backward()
    {
        foreach (RecurrentCell cell in Enum.GetValues<RecurrentCell>())
        {
            int planes = cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Gru => 4, RecurrentCell.GruResetAfter => 5, _ => 6 };
            Shape record = new(4, 300, 60 * planes), state = new(300, 60);
            OpInput r = OpInput.Still(new(60 * Gates(cell), 60));
            yield return new(new RecurrentStepsGradient(cell, false, false), [OpInput.Still(record), OpInput.Still(record, 0.1, 0.9), r], null);
            OpInput[] states = [.. Enumerable.Repeat(OpInput.Still(state), cell == RecurrentCell.Lstm ? 2 : 1)];
            yield return new(new RecurrentStepsGradient(cell, true, true), [OpInput.Still(new(4, 300, 60)), OpInput.Still(record, 0.1, 0.9), r, .. states], null);
        }

        // h = tanh(a) of one step without a state before it: dy (1 - h h).
        yield return new(new RecurrentStepsGradient(RecurrentCell.Rnn, false, false), [OpInput.Still(new(1, 2, 3)), OpInput.Still(new(1, 2, 3), -0.9, 0.9, 1), OpInput.Still(new(3, 3))],
            a => a[0] * a[1].Map(h => 1 - h * h));
    }

    private static OpSample Layer(RecurrentCell cell, RecurrentDirection direction, bool lastCell, int steps, int rows, int features, int hidden, bool states)
    {
        Amalgam.Graphs.Op op = cell switch
        {
            RecurrentCell.Rnn => new Rnn(direction),
            RecurrentCell.Lstm => new Lstm(lastCell, direction),
            _ => new Gru(cell == RecurrentCell.GruResetAfter, direction),
        };
        int directions = direction == RecurrentDirection.Bidirectional ? 2 : 1, gates = Gates(cell) * hidden;
        List<OpInput> inputs = [OpInput.X(new(steps, rows, features)), OpInput.X(new(directions, gates, features), -1, 1), OpInput.X(new(directions, gates, hidden), -1, 1)];
        if (states || hidden > 2) inputs.Add(OpInput.X(new(directions, 2 * gates), -1, 1));
        if (states) inputs.Add(OpInput.X(new(directions, rows, hidden), -1, 1, seed: 1));
        if (states && cell == RecurrentCell.Lstm) inputs.Add(OpInput.X(new(directions, rows, hidden), -1, 1, seed: 2));
        return new(op, [.. inputs], a =>
        {
            Grid[] records = [.. Enumerable.Range(0, directions).Select(d => Records(cell, IsReverse(d), OneDirection(cell, a, d, hidden)))];
            return lastCell
                ? Grid.Of(new(directions, rows, hidden), at => records[at[0]][IsReverse(at[0]) ? 0 : steps - 1, at[1], hidden + at[2]])
                : Grid.Of(new(steps, directions, rows, hidden), at => records[at[1]][at[0], at[2], at[3]]);
        });

        bool IsReverse(int d) => direction == RecurrentDirection.Reverse || d == 1;
    }

    private static int Gates(RecurrentCell cell) => cell switch { RecurrentCell.Rnn => 1, RecurrentCell.Lstm => 4, _ => 3 };

    private static OpInput[] Inputs(RecurrentCell cell, int steps, int rows, int hidden, bool states)
    {
        List<OpInput> inputs = [OpInput.X(new(steps, rows, Gates(cell) * hidden)), OpInput.X(new(Gates(cell) * hidden, hidden), -1, 1)];
        if (cell == RecurrentCell.GruResetAfter) inputs.Add(OpInput.X(new(hidden)));
        if (states) inputs.Add(OpInput.X(new(rows, hidden), -1, 1, seed: 1));
        if (states && cell == RecurrentCell.Lstm) inputs.Add(OpInput.X(new(rows, hidden), -1, 1, seed: 2));
        return [.. inputs];
    }

    /// <summary>The inputs of the steps of one direction: x W + b, R, the bias that is reset, and the states.</summary>
    private static Grid[] OneDirection(RecurrentCell cell, Grid[] a, int d, int hidden)
    {
        int gates = a[1].Shape.Size(1), late = cell == RecurrentCell.GruResetAfter ? gates - hidden : gates;
        Grid input = Grid.Of(new(a[0].Shape[0], a[0].Shape[1], gates), at =>
        {
            double sum = a.Length > 3 ? a[3][d, at[2]] + (at[2] < late ? a[3][d, gates + at[2]] : 0) : 0;
            for (int k = 0; k < a[0].Shape.Size(2); k++) sum += a[0][at[0], at[1], k] * a[1][d, at[2], k];
            return sum;
        });
        List<Grid> of = [input, Grid.Of(new(gates, hidden), at => a[2][d, at[0], at[1]])];
        if (cell == RecurrentCell.GruResetAfter) of.Add(Grid.Of(new(hidden), at => a.Length > 3 ? a[3][d, gates + late + at[0]] : 0));
        for (int i = 4; i < a.Length; i++)
        {
            Grid state = a[i];
            of.Add(Grid.Of(new(state.Shape[1], hidden), at => state[d, at[0], at[1]]));
        }

        return [.. of];
    }

    /// <summary>What the steps give: the hidden state and, behind it in each row, the cell and the gates.</summary>
    private static Grid Records(RecurrentCell cell, bool reverse, Grid[] a)
    {
        Grid input = a[0], r = a[1];
        int steps = input.Shape.Size(0), rows = input.Shape.Size(1), n = r.Shape.Size(1), first = cell == RecurrentCell.GruResetAfter ? 3 : 2;
        Dictionary<(int, int), double[][]> records = [];
        for (int row = 0; row < rows; row++)
        {
            double[] h = State(first), c = State(first + 1);
            double[] State(int i) => [.. Enumerable.Range(0, n).Select(k => a.Length > i ? a[i][row, k] : 0)];
            for (int step = 0; step < steps; step++)
            {
                int t = reverse ? steps - 1 - step : step;
                double[] X(int gate) => [.. Enumerable.Range(0, n).Select(k => input[t, row, gate * n + k])];
                double[] H(int gate, double[] of) => [.. Enumerable.Range(0, n).Select(k => Enumerable.Range(0, n).Sum(j => of[j] * r[gate * n + k, j]))];
                double[] Gate(int gate, Func<double, double> f) => Each(X(gate), H(gate, h), (x, y) => f(x + y));
                double[][] record;
                if (cell == RecurrentCell.Rnn)
                {
                    record = [h = Gate(0, Math.Tanh)];
                }
                else if (cell == RecurrentCell.Lstm)
                {
                    double[] i = Gate(0, Sigmoid), o = Gate(1, Sigmoid), f = Gate(2, Sigmoid), g = Gate(3, Math.Tanh);
                    c = Each(Each(f, c, (x, y) => x * y), Each(i, g, (x, y) => x * y), (x, y) => x + y);
                    h = Each(o, c, (x, y) => x * Math.Tanh(y));
                    record = [h, c, i, o, f, g];
                }
                else
                {
                    double[] z = Gate(0, Sigmoid), reset = Gate(1, Sigmoid), before = h;
                    double[]? q = cell == RecurrentCell.GruResetAfter ? [.. H(2, h).Select((value, k) => value + a[2][k])] : null;
                    double[] ofH = q is null ? H(2, Each(reset, h, (x, y) => x * y)) : Each(reset, q, (x, y) => x * y);
                    double[] candidate = Each(X(2), ofH, (x, y) => Math.Tanh(x + y));
                    h = [.. Enumerable.Range(0, n).Select(k => (1 - z[k]) * candidate[k] + z[k] * before[k])];
                    record = q is null ? [h, z, reset, candidate] : [h, z, reset, candidate, q];
                }

                records[(t, row)] = record;
            }
        }

        return Grid.Of(new(steps, rows, n * records[(0, 0)].Length), at => records[(at[0], at[1])][at[2] / n][at[2] % n]);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double[] Each(double[] a, double[] b, Func<double, double, double> f) => [.. a.Zip(b, f)];
}
