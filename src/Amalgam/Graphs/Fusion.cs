using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>
/// Joins element-wise operations of which each feeds only the next, over tensors of one size and single numbers, to one that goes through memory once.
/// </summary>
internal static class Fusion
{
    /// <summary>Smaller values stay in the cache between operations anyway.</summary>
    private const int WorthFusing = 2048;

    /// <summary>A longer chain needs more temporaries than the first-level cache holds.</summary>
    private const int MostSteps = 12;

    public static GraphCopy Apply(Graph graph, IReadOnlyList<Node> wanted)
    {
        int[] users = Users(graph, wanted);
        Dictionary<Node, List<Node>> chains = [];
        HashSet<Node> inner = [];
        foreach (Node node in graph.Nodes.Where(Fusable))
        {
            List<Node> chain = [];
            foreach (Node input in node.Inputs.Distinct())
            {
                if (users[input.Id] != node.Inputs.Count(i => i == input) || input.Shape != node.Shape || !chains.TryGetValue(input, out List<Node>? before)) continue;
                if (chain.Count + before.Count >= MostSteps) continue;
                chain.AddRange(before);
                chains.Remove(input);
                inner.Add(input);
            }

            chain.Add(node);
            chains[node] = chain;
        }

        // An inner node is not run by itself; what stands for it until its chain is complete does not matter, and is pruned.
        Dictionary<Node, Node> of = [];
        GraphCopy copy = Rewrite.Apply(graph, (to, node, inputs) =>
        {
            for (int i = 0; i < inputs.Length; i++) of[node.Inputs[i]] = inputs[i];
            if (!chains.TryGetValue(node, out List<Node>? chain) || chain.Count < 2) return null;
            return Join(to, chain, of);
        });
        return Rewrite.Then(copy, g => Rewrite.Prune(g, wanted.Select(node => copy.Map[node])));
    }

    /// <summary>How often each node is read; a wanted one counts as read by two more, since nothing may take it in.</summary>
    internal static int[] Users(Graph graph, IReadOnlyList<Node> wanted)
    {
        int[] users = new int[graph.Nodes.Count];
        foreach (Node input in graph.Nodes.SelectMany(node => node.Inputs)) users[input.Id]++;
        foreach (Node node in wanted) users[node.Id] += 2;
        return users;
    }

    private static bool Fusable(Node node) =>
        node.Known is null && node.Op is Unary or Binary && node.Shape.Count >= WorthFusing && node.Inputs.All(input => input.Shape == node.Shape || input.Shape.Count == 1);

    private static Node Join(Graph to, List<Node> chain, Dictionary<Node, Node> of)
    {
        List<Node> outside = [.. chain.SelectMany(node => node.Inputs).Except(chain).Distinct()];
        Dictionary<Node, int> register = [];
        foreach (Node node in outside) register[node] = register.Count;
        List<FusedStep> steps = [];
        foreach (Node node in chain)
        {
            steps.Add(new(node.Op, register[node.Inputs[0]], node.Inputs.Length > 1 ? register[node.Inputs[1]] : -1));
            register[node] = register.Count;
        }

        Node last = chain[^1];
        return to.Add(new Fused([.. steps], outside.Count), last.Name, [.. outside.Select(node => of[node])]);
    }
}
