using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment;

/// <summary>Inputs that a network can be run on when there is no data: numbers, and ids that its tables have rows for.</summary>
internal static class RandomInput
{
    /// <summary>Fills an input.</summary>
    public static void Fill(Graph graph, Node input, Tensor value, Random random)
    {
        bool isNumber = input.Type.IsFloat;
        int? rows = RowsOf(graph, input);
        foreach (ref float element in value.Span) element = rows is { } ids ? random.Next(ids) : isNumber ? (float)(2 * random.NextDouble() - 1) : 1;
    }

    /// <summary>The fewest rows of the tables that are read by an input, through operations that only reshape it; null where none is.</summary>
    private static int? RowsOf(Graph graph, Node input)
    {
        HashSet<Node> ids = [input];
        int? least = null;
        foreach (Node node in graph.Nodes)
        {
            if (node.Op is View or Cast or Transpose or Slice && ids.Contains(node.Inputs[0])) ids.Add(node);
            if (node.Op is Gather gather && ids.Contains(node.Inputs[1]))
            {
                int rows = node.Inputs[0].Shape.Size(Arguments.Axis(gather.Axis, node.Inputs[0].Shape.Rank));
                least = Math.Min(least ?? rows, rows);
            }
        }

        return least;
    }
}
