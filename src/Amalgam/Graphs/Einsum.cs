using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>
/// Einstein's sums as nodes: diagonals of repeated letters, sums over letters that only one operand has, and then, operand by operand, one matrix product over
/// the letters that two of them share. An ellipsis stands for axes that broadcast.
/// </summary>
internal static class Einsum
{
    /// <summary>A value with a letter for each axis.</summary>
    private readonly record struct Term(Node Node, string Axes)
    {
        public long Size(char axis) => Node.Shape[Axes.IndexOf(axis)];
    }

    /// <summary>The first of the letters that stand for the axes of an ellipsis, the innermost one.</summary>
    private const char Ellipsis = '\u0100';

    public static Node Of(string equation, ReadOnlySpan<Node> operands)
    {
        string[] sides = equation.Replace(" ", "").Split("->");
        string[] inputs = sides[0].Split(',');
        if (sides.Length > 2 || inputs.Length != operands.Length) throw new GraphException($"the equation '{equation}' is for {inputs.Length} operands, found {operands.Length}");
        Term[] terms = new Term[inputs.Length];
        int broadcast = 0;
        for (int i = 0; i < terms.Length; i++)
        {
            int more = operands[i].Shape.Rank - inputs[i].Replace("...", "").Length;
            string axes = Expand(inputs[i], more, equation);
            if (axes.Length != operands[i].Shape.Rank) throw new GraphException($"'{inputs[i]}' of the equation '{equation}' does not fit an operand {operands[i].Shape}");
            if (inputs[i].Contains("...")) broadcast = Math.Max(broadcast, more);
            terms[i] = Diagonal(new(operands[i], axes));
        }

        string result = sides.Length == 2 ? Expand(sides[1], broadcast, equation) : Implied(terms, broadcast);
        if (result.Distinct().Count() != result.Length || result.Any(axis => terms.All(term => !term.Axes.Contains(axis)))) throw new GraphException($"the result of the equation '{equation}' must have letters of the operands, each once");
        Term sum = Reduce(terms[0], OthersOf(0));
        for (int i = 1; i < terms.Length; i++)
        {
            string kept = OthersOf(i);
            sum = Product(sum, Reduce(terms[i], kept + sum.Axes), kept, equation);
        }

        sum = Reduce(sum, result);
        int[] order = [.. result.Select(axis => sum.Axes.IndexOf(axis))];
        return order.SequenceEqual(order.Order()) ? sum.Node : sum.Node.Transpose(order);

        string OthersOf(int i) => result + string.Concat(terms[(i + 1)..].Select(term => term.Axes));
    }

    private static string Expand(string axes, int broadcast, string equation)
    {
        if (axes.Replace("...", "").Any(axis => !char.IsAsciiLetter(axis))) throw new GraphException($"'{axes}' of the equation '{equation}' does not name the axes of its operand by letters");
        return axes.Replace("...", string.Concat(Enumerable.Range(0, Math.Max(0, broadcast)).Select(i => (char)(Ellipsis + broadcast - 1 - i))));
    }

    private static string Implied(Term[] terms, int broadcast)
    {
        var letters = terms.SelectMany(term => term.Axes.Where(char.IsAsciiLetter)).GroupBy(axis => axis).Where(group => group.Count() == 1).Select(group => group.Key).Order();
        return string.Concat(Enumerable.Range(0, broadcast).Select(i => (char)(Ellipsis + broadcast - 1 - i))) + string.Concat(letters);
    }

    /// <summary>Repeated letters become one axis: the elements at equal positions.</summary>
    private static Term Diagonal(Term x)
    {
        while (x.Axes.GroupBy(axis => axis).FirstOrDefault(group => group.Count() > 1)?.Key is { } axis)
        {
            int first = x.Axes.IndexOf(axis), second = x.Axes.IndexOf(axis, first + 1);
            long size = x.Node.Shape[first];
            if (x.Node.Shape[second] != size) throw new GraphException($"the letter {axis} stands for {size} and for {x.Node.Shape[second]} positions");
            int[] rest = [.. Enumerable.Range(0, x.Axes.Length).Where(i => i != first && i != second)];
            Node last = x.Node.Transpose([.. rest, first, second]);
            Node flat = last.Reshape([.. rest.Select(_ => 0L), size * size]);
            x = new(flat.Slice(rest.Length, 0, long.MaxValue, size + 1), string.Concat(rest.Select(i => x.Axes[i])) + axis);
        }

        return x;
    }

    /// <summary>Sums over the axes that nobody else has.</summary>
    private static Term Reduce(Term x, string kept)
    {
        int[] gone = [.. Enumerable.Range(0, x.Axes.Length).Where(i => !kept.Contains(x.Axes[i]))];
        return gone.Length == 0 ? x : new(x.Node.Graph.Add(new ReduceSum([.. gone], KeepDims: false), x.Node), string.Concat(x.Axes.Where(kept.Contains)));
    }

    /// <summary>The product of two terms, summed over the axes that both have and nobody wants.</summary>
    private static Term Product(Term a, Term b, string kept, string equation)
    {
        foreach (char axis in a.Axes.Where(axis => b.Axes.Contains(axis) && a.Size(axis) != b.Size(axis)))
        {
            if (!kept.Contains(axis) || (a.Size(axis) != 1 && b.Size(axis) != 1)) throw new GraphException($"a letter of the equation '{equation}' stands for {a.Size(axis)} and for {b.Size(axis)} positions");
        }

        string batch = string.Concat(a.Axes.Where(axis => b.Axes.Contains(axis) && kept.Contains(axis)));
        string inner = string.Concat(a.Axes.Where(axis => b.Axes.Contains(axis) && !kept.Contains(axis)));
        string rows = string.Concat(a.Axes.Where(axis => !b.Axes.Contains(axis))), columns = string.Concat(b.Axes.Where(axis => !a.Axes.Contains(axis)));
        if (inner.Length == 0)
        {
            Node left = In(a, batch + rows), right = In(b, batch + columns);
            if (columns.Length > 0) left = left.Unsqueeze([.. Enumerable.Range(left.Shape.Rank, columns.Length)]);
            if (rows.Length > 0) right = right.Unsqueeze([.. Enumerable.Range(batch.Length, rows.Length)]);
            return new(left * right, batch + rows + columns);
        }

        bool transposeA = rows.Length == 1 && inner.Length == 1 && a.Axes == batch + inner + rows, transposeB = columns.Length == 1 && inner.Length == 1 && b.Axes == batch + columns + inner;
        long[] same = [.. batch.Select(_ => 0L)];
        long all = inner.Aggregate(1L, (product, axis) => product * a.Size(axis)), across = columns.Aggregate(1L, (product, axis) => product * b.Size(axis));
        Node x = transposeA ? a.Node : In(a, batch + rows + inner), y = transposeB ? b.Node : In(b, batch + inner + columns);
        if (rows.Length != 1 || inner.Length != 1) x = x.Reshape([.. same, rows.Length == 0 ? 1 : -1, all]);
        if (columns.Length != 1 || inner.Length != 1) y = y.Reshape([.. same, all, across]);
        Node product = x.Graph.Add(new MatMul(transposeA, transposeB), x, y);
        if (rows.Length != 1 || columns.Length != 1) product = product.Reshape([.. same, .. rows.Select((axis, i) => i == 0 ? -1 : a.Size(axis)), .. columns.Select(b.Size)]);
        return new(product, batch + rows + columns);
    }

    private static Node In(Term x, string order)
    {
        Term from = x;
        return x.Axes == order ? x.Node : x.Node.Transpose([.. order.Select(axis => from.Axes.IndexOf(axis))]);
    }
}
