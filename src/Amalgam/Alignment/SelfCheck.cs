using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>What a self-check found.</summary>
/// <param name="Groups">The units that can be trusted: those given, or, where some changed the outputs, found anew with these pinned.</param>
/// <param name="Error">Largest change of an output under random permutations of all trusted units, relative to that output's largest number.</param>
/// <param name="Culprits">Names of classes that changed the outputs and are pinned now; empty when all is well.</param>
public sealed record SelfCheckResult(UnitGroups Groups, double Error, IReadOnlyList<string> Culprits);

/// <summary>
/// Does what discovery promises: random permutations of all units are applied to the weights, and the outputs on random inputs must stay. It is the safety net under
/// operations, and files, that are not what they seem; so it runs before every merge.
/// </summary>
public static class SelfCheck
{
    /// <summary>Largest relative change that rounding explains: sums in another order, through deep networks with normalisations.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>Checks units, and pins those that do not keep the promise.</summary>
    /// <param name="groups">The units.</param>
    /// <param name="options">The options that they were found with.</param>
    /// <param name="seed">Draws permutations and inputs.</param>
    /// <param name="cancel">Looked at between runs.</param>
    /// <exception cref="GraphException">The network cannot be run on random inputs, its outputs are not finite, or they change although nothing is moved.</exception>
    public static SelfCheckResult Run(UnitGroups groups, UnitOptions? options = null, int seed = 0, CancellationToken cancel = default)
    {
        List<string> culprits = [];
        HashSet<int> pinned = [];
        for (; ; )
        {
            Probe probe = new(groups, seed);
            UnitMaps maps = UnitMaps.Random(groups, 1, seed);
            double error = probe.Change(maps, cancel);
            if (error <= Tolerance) return new(groups, error, culprits);
            UnitClass[] free = [.. groups.Classes.Where(units => units.Pinned is null)];
            if (free.Length == 0) throw new GraphException("the network's outputs on the same inputs change from run to run, so it cannot be checked that moving its units leaves them alone");
            UnitClass[] found = [.. free.Where(units => probe.Change(Only(maps, units), cancel) > Tolerance)];
            // Permutations that change outputs only together cannot be told apart: then all go.
            if (found.Length == 0) found = free;
            culprits.AddRange(found.Select(units => units.Name));
            pinned.UnionWith(found.Select(units => units.Index));
            groups = UnitGroups.Of(groups.Graph, options ?? new(), pinned);
        }
    }

    private static UnitMaps Only(UnitMaps maps, UnitClass units)
    {
        UnitMaps only = UnitMaps.Identity(maps.Groups, 1);
        only.Set(units, [maps.To(units, 0).ToArray()]);
        return only;
    }

    /// <summary>A network on random inputs, with its own weights and with moved ones.</summary>
    private sealed class Probe
    {
        private readonly UnitGroups _groups;
        private readonly int _seed;
        private readonly float[][] _expected;
        private readonly double[] _largest;

        public Probe(UnitGroups groups, int seed)
        {
            (_groups, _seed) = (groups, seed);
            _expected = Outputs(Siblings.WeightsOf(groups.Graph), default);
            _largest = [.. _expected.Select(of => (double)of.Select(Math.Abs).DefaultIfEmpty().Max())];
            if (!_expected.All(of => of.All(float.IsFinite))) throw new GraphException("the network's outputs on random inputs are not finite, so it cannot be checked that moving its units leaves them alone");
        }

        public double Change(UnitMaps maps, CancellationToken cancel)
        {
            float[][] moved = Outputs(Rearrangement.Apply(maps, 0, Siblings.WeightsOf(_groups.Graph)), cancel);
            return moved.Select((of, i) => Change(_expected[i], of) / (_largest[i] > 0 ? _largest[i] : 1)).DefaultIfEmpty().Max();
        }

        private static double Change(float[] expected, float[] moved)
        {
            double change = 0;
            for (int i = 0; i < expected.Length; i++) change = Math.Max(change, float.IsNaN(moved[i]) ? double.PositiveInfinity : Math.Abs((double)moved[i] - expected[i]));
            return change;
        }

        private float[][] Outputs(IReadOnlyDictionary<string, Tensor> weights, CancellationToken cancel)
        {
            Graph graph = new Siblings(_groups, [weights]).With(0).Graph;
            Executor executor = new(graph, new ExecutorOptions(Rewrites: false));
            Random random = new(_seed + 1);
            foreach (Node input in graph.Inputs.Values) RandomInput.Fill(graph, input, executor[input], random);
            executor.Run(cancel);
            return [.. graph.Outputs.Values.Select(node => executor[node].Span.ToArray())];
        }
    }
}
