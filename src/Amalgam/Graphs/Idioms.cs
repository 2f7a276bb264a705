using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>
/// Operations that exporters write out in parts, as PyTorch does for old operator sets: Gelu, HardSwish, LayerNormalization, Silu. The operation takes the place of its
/// parts where nothing else reads them. Results agree within rounding.
/// </summary>
internal static class Idioms
{
    private const float Tolerance = 1e-5f;

    /// <summary>An operation that does what some nodes do together.</summary>
    /// <param name="Op">The operation.</param>
    /// <param name="Inputs">What it is applied to.</param>
    /// <param name="Parts">The nodes that it makes needless, the last one not among them.</param>
    private sealed record Match(Op Op, Node[] Inputs, Node[] Parts);

    /// <summary>The part of a graph that some nodes need, with whole operations.</summary>
    public static GraphCopy Apply(Graph graph, IReadOnlyList<Node> wanted)
    {
        ILookup<Node, Node> users = graph.Users();
        HashSet<Node> kept = [.. wanted];
        Dictionary<Node, Node> map = [];
        GraphCopy copy = Rewrite.Apply(graph, (to, node, inputs) =>
        {
            for (int i = 0; i < inputs.Length; i++) map[node.Inputs[i]] = inputs[i];
            if ((Silu(node) ?? HardSwish(node) ?? Gelu(node) ?? LayerNormalization(node)) is not { } match) return null;
            HashSet<Node> parts = [.. match.Parts, node];
            bool isAlone = match.Parts.All(part => !kept.Contains(part) && users[part].All(parts.Contains));
            return isAlone ? to.Add(match.Op, node.Name, [.. match.Inputs.Select(input => map[input])]) : null;
        });
        return Rewrite.Then(copy, g => Rewrite.Prune(g, wanted.Select(node => copy.Map[node])));
    }

    /// <summary>x sigmoid(x).</summary>
    private static Match? Silu(Node y)
    {
        if (y.Op is not Mul) return null;
        foreach (var (x, gate) in Either(y))
        {
            if (gate.Op is Sigmoid && gate.Inputs[0] == x) return new(new Silu(), [x], [gate]);
        }

        return null;
    }

    /// <summary>x limit(x / 6 + 1/2, 0, 1).</summary>
    private static Match? HardSwish(Node y)
    {
        if (y.Op is not Mul) return null;
        foreach (var (x, gate) in Either(y))
        {
            if (gate.Op is HardSigmoid { Beta: 0.5f } slope && gate.Inputs[0] == x && Math.Abs(slope.Alpha - 1 / 6f) <= Tolerance) return new(new HardSwish(), [x], [gate]);
        }

        return null;
    }

    /// <summary>x (1 + erf(x / sqrt(2))) / 2, the factors in any order.</summary>
    private static Match? Gelu(Node y)
    {
        if (y.Op is not Mul) return null;
        foreach (var (outer, product) in Either(y))
        {
            if (product.Op is not Mul) continue;
            Node[] factors = [outer, .. product.Inputs];
            if (factors.FirstOrDefault(f => Is(f, 0.5f)) is not { } half) continue;
            foreach (Node gate in factors.Where(f => f.Op is Add && f != half))
            {
                if (factors.FirstOrDefault(f => f != half && f != gate) is not { } x || Gate(gate, x) is not { } parts) continue;
                return new(new Gelu(), [x], [product, gate, .. parts]);
            }
        }

        return null;
    }

    /// <summary>The parts of 1 + erf(x / sqrt(2)).</summary>
    private static Node[]? Gate(Node gate, Node x)
    {
        foreach (var (erf, one) in Either(gate))
        {
            if (erf.Op is not Erf || !Is(one, 1)) continue;
            Node u = erf.Inputs[0];
            bool isScaled = u.Op is Div ? u.Inputs[0] == x && Is(u.Inputs[1], MathF.Sqrt(2)) : u.Op is Mul && Either(u).Any(p => p.First == x && Is(p.Second, MathF.Sqrt(0.5f)));
            if (isScaled) return [erf, u];
        }

        return null;
    }

    /// <summary>(x - mean) / sqrt(mean of (x - mean)^2 + epsilon) scale + bias, over the last axis.</summary>
    private static Match? LayerNormalization(Node y)
    {
        if (y.Op is not Add) return null;
        foreach (var (scaled, bias) in Either(y))
        {
            if (scaled.Op is not Mul || !IsOfLastAxis(bias, y)) continue;
            foreach (var (quotient, scale) in Either(scaled))
            {
                if (quotient.Op is not Div || !IsOfLastAxis(scale, y)) continue;
                Node centred = quotient.Inputs[0], deviation = quotient.Inputs[1];
                if (centred.Op is not Sub || deviation.Op is not Sqrt || deviation.Inputs[0] is not { Op: Add } sum) continue;
                Node x = centred.Inputs[0], mean = centred.Inputs[1];
                if (!IsMeanOverLastAxis(mean) || mean.Inputs[0] != x) continue;
                foreach (var (variance, epsilon) in Either(sum))
                {
                    if (!IsMeanOverLastAxis(variance) || epsilon.Known is not { Count: 1 } value || Squared(variance.Inputs[0]) is not { } root || !IsSame(root, centred)) continue;
                    return new(new LayerNormalization(-1, value.Span[0]), [x, scale, bias], [scaled, quotient, centred, deviation, sum, variance, variance.Inputs[0], root, mean]);
                }
            }
        }

        return null;
    }

    /// <summary>What a square is of.</summary>
    private static Node? Squared(Node y) =>
        (y.Op is Pow && Is(y.Inputs[1], 2)) || (y.Op is Mul && y.Inputs[0] == y.Inputs[1]) ? y.Inputs[0] : null;

    /// <summary>The same difference; some exporters write it twice.</summary>
    private static bool IsSame(Node a, Node b) => a == b || (a.Op == b.Op && a.Inputs.SequenceEqual(b.Inputs));

    private static bool IsMeanOverLastAxis(Node y) => y.Op is ReduceMean { KeepDims: true, Axes: [var axis] } && (axis == -1 || axis == y.Shape.Rank - 1);

    private static bool IsOfLastAxis(Node weight, Node y) => weight.Shape.Rank == 1 && y.Shape.Rank > 0 && weight.Shape[0] == y.Shape[^1];

    private static bool Is(Node node, float value) => node.Known is { Count: 1 } known && Math.Abs(known.Span[0] - value) <= Tolerance * value;

    /// <summary>The two inputs in either order.</summary>
    private static IEnumerable<(Node First, Node Second)> Either(Node y) => [(y.Inputs[0], y.Inputs[1]), (y.Inputs[1], y.Inputs[0])];
}
