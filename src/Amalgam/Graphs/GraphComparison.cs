namespace Amalgam.Graphs;

/// <summary>Compares networks as such, whatever their weights are.</summary>
public static class GraphComparison
{
    /// <summary>
    /// Where two graphs differ: in their inputs and outputs, or in the operators, constants, shapes and names of inputs and parameters that outputs are computed by. Values of parameters may differ.
    /// </summary>
    /// <returns>A clause that names the first difference, of the first graph and of the other; null where there is none.</returns>
    public static string? Difference(Graph a, Graph b)
    {
        if (!a.Inputs.Keys.SequenceEqual(b.Inputs.Keys)) return $"inputs are {Names(a.Inputs.Keys)} in one and {Names(b.Inputs.Keys)} in the other";
        if (!a.Outputs.Keys.SequenceEqual(b.Outputs.Keys)) return $"outputs are {Names(a.Outputs.Keys)} in one and {Names(b.Outputs.Keys)} in the other";
        Dictionary<Node, Node> pairs = [];
        string? first = null;
        int earliest = int.MaxValue;
        Stack<(Node A, Node B)> open = new(a.Outputs.Values.Zip(b.Outputs.Values));
        while (open.TryPop(out var pair))
        {
            bool isKnown = pairs.TryGetValue(pair.A, out Node? known);
            if (isKnown && known == pair.B) continue;
            string? difference = isKnown ? $"{pair.A} takes the place of both {known} and {pair.B}" : Difference(pair.A, pair.B);
            // A constant says less than what is computed with it, such as the shape that it stands for.
            int order = pair.A.Op is Constant ? int.MaxValue - 1 : pair.A.Id;
            if (difference is not null && order < earliest) (first, earliest) = (difference, order);
            if (isKnown) continue;
            pairs.Add(pair.A, pair.B);
            if (!pair.A.Op.Equals(pair.B.Op) && (pair.A.Inputs.Length != 1 || pair.B.Inputs.Length != 1)) continue;
            foreach (var inputs in pair.A.Inputs.Zip(pair.B.Inputs)) open.Push(inputs);
        }

        return first;
    }

    private static string? Difference(Node a, Node b)
    {
        if (a.Op is Parameter or Input && b.Op is Parameter or Input && a.Name != b.Name) return $"{a} is in one where {b} is in the other";
        if (!a.Op.Equals(b.Op)) return a.Op.Name == b.Op.Name ? $"{a} is {a.Op} in one and {b.Op} in the other" : $"{a} is in one where {b} is in the other";
        if (a.Shape != b.Shape) return $"{a} is {a.Shape} in one and {b.Shape} in the other";
        if (a.Inputs.Length != b.Inputs.Length) return $"{a} has {a.Inputs.Length} inputs in one and {b.Inputs.Length} in the other";
        return a.Op is Constant && !a.Value!.Span.SequenceEqual(b.Value!.Span) ? $"the constant {a} has other values in one than in the other" : null;
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
}
