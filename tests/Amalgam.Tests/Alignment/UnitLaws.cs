using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Alignment;

/// <summary>What must be true of the units that are found in a network.</summary>
internal static class UnitLaws
{
    /// <summary>Every parameter at random: matrices of the size that keeps activations, running variances above 0, and scales of normalisations too, so that no unit is dead in a deep network.</summary>
    public static Graph Randomise(this Graph graph, int seed = 0)
    {
        Random random = new(seed);
        HashSet<Node> positive = [.. graph.Nodes.Where(node => node.Op is BatchNormalization).Select(node => node.Inputs[4])];
        positive.UnionWith(graph.Nodes.Where(node => node.Op is BatchNormalization or ChannelNormalization or RowNormalization).Select(node => node.Inputs[1]));
        foreach (Node parameter in graph.Parameters.Values)
        {
            Tensor value = parameter.Value!;
            double size = value.Shape.Rank < 2 ? 0.5 : Math.Sqrt(3.0 * value.Shape[0] / value.Count), mean = positive.Contains(parameter) ? 1 : 0;
            foreach (ref float element in value.Span) element = (float)(mean + size * (2 * random.NextDouble() - 1));
        }

        return graph;
    }

    /// <summary>Every parameter of small integers, with which sums are exact in any order.</summary>
    public static Graph WithIntegers(this Graph graph, int seed = 0)
    {
        Random random = new(seed);
        foreach (Tensor value in graph.Parameters.Values.Select(p => p.Value!))
        {
            foreach (ref float element in value.Span) element = random.Next(-1, 2);
        }

        return graph;
    }

    /// <summary>Finds the units of a network, and checks that random permutations of all of them leave the outputs alone; to the bit where the tolerance is 0.</summary>
    public static UnitGroups Preserved(Graph graph, double tolerance = 1e-4, UnitOptions? options = null, int seeds = 2)
    {
        UnitGroups groups = UnitGroups.Of(graph, options);
        for (int seed = 0; seed < seeds; seed++)
        {
            var weights = Siblings.WeightsOf(graph);
            float[][] expected = Outputs(groups, weights, seed, tolerance == 0), found = Outputs(groups, Rearrangement.Apply(UnitMaps.Random(groups, 1, seed), 0, weights), seed, tolerance == 0);
            for (int i = 0; i < expected.Length; i++) Assert.True(Change(expected[i], found[i]) <= tolerance, $"output {i} changes by {Change(expected[i], found[i])} under seed {seed}");
        }

        return groups;
    }

    /// <summary>
    /// Permuting one matrix alone, where the units are in others too, changes the outputs: what is found to move together must. Vectors are left out, as one that is added to keys has no say in
    /// a softmax.
    /// </summary>
    public static void NoPlaceAlone(UnitGroups groups, params string[] except)
    {
        var weights = Siblings.WeightsOf(groups.Graph);
        float[][] expected = Outputs(groups, weights, 0, false);
        foreach (UnitClass units in groups.Classes.Where(units => units.Pinned is null && units.Parameters.DistinctBy(p => p.Node).Count() > 1))
        {
            UnitMaps maps = UnitMaps.Identity(groups, 1);
            maps.Set(units, [[.. Enumerable.Range(0, units.Units).Select(i => (i + 1) % units.Size)]]);
            foreach (Node parameter in units.Parameters.Where(p => p.Node.Shape.Rank > 1).Select(p => p.Node).Distinct().Where(p => !except.Contains(p.Name)))
            {
                Dictionary<string, Tensor> moved = new(weights) { [parameter.Name!] = Rearrangement.Apply(maps, 0, parameter, parameter.Value!) };
                float[][] found = Outputs(groups, moved, 0, false);
                Assert.True(Enumerable.Range(0, found.Length).Any(i => Change(expected[i], found[i]) > 1e-5), $"'{parameter.Name}' alone may be permuted by {units}: the outputs change by {Enumerable.Range(0, found.Length).Max(i => Change(expected[i], found[i]))}");
            }
        }
    }

    /// <summary>
    /// Zips two copies of a network in which two units of a class are made alike: those of both copies become one, which leaves room for a third unit to stay apart from its copy. Merged units have
    /// one, two and four members, and the result must be the network.
    /// </summary>
    public static void ZipOfCopiesIsTheNetwork(UnitGroups groups, string place)
    {
        UnitClass units = groups.With(place);
        Dictionary<string, Tensor> weights = Siblings.WeightsOf(groups.Graph).ToDictionary(w => w.Key, w => new Tensor(w.Value.Shape, w.Value.Span.ToArray()));
        foreach (UnitPlace made in units.Parameters.Where(p => p.Side == UnitSide.Out)) Repeat(made, weights[made.Node.Name!]);
        int[] first = [.. Enumerable.Range(0, units.Size)], second = [.. first];
        (first[1], first[2], second[1]) = (0, 1, 0);
        UnitMaps maps = UnitMaps.Identity(groups, 2);
        maps.Set(units, [first, second]);

        float[][] expected = Outputs(groups, weights, 0, false), found = Outputs(groups, Rearrangement.Merge(maps, new(groups, [weights, weights])), 0, false);
        for (int i = 0; i < expected.Length; i++) Assert.True(Change(expected[i], found[i]) <= 1e-5, $"zipping {units} changes output {i} by {Change(expected[i], found[i])}");
    }

    /// <summary>Gives unit 1 what unit 0 has.</summary>
    private static void Repeat(UnitPlace place, Tensor value)
    {
        int inner = 1;
        for (int axis = place.Axis + 1; axis < value.Shape.Rank; axis++) inner *= value.Shape.Size(axis);
        UnitDigit digit = place.Part.Digits[place.Part.IndexOf(place.Units)];
        for (int i = 0; i < value.Count; i++)
        {
            int position = i / inner % value.Shape.Size(place.Axis) - place.Part.Offset;
            if (position >= 0 && position < place.Part.Count && position / digit.Stride % digit.Size == 1) value.Span[i] = value.Span[i - digit.Stride * inner];
        }
    }

    /// <summary>The places of a class in parameters, as texts in order: <c>fc1.weight.0</c>, with offset and count where it is a part of an axis, and &lt; where the network is summed over it.</summary>
    public static string Text(this UnitClass units) => string.Join(' ', units.Parameters.Select(Text).Distinct().Order(StringComparer.Ordinal));

    /// <summary>The classes that may be permuted, each by the places that it has in parameters.</summary>
    public static string[] Texts(this UnitGroups groups) => [.. groups.Classes.Where(units => units.Pinned is null).Select(Text).Order(StringComparer.Ordinal)];

    /// <summary>The class that has a place.</summary>
    public static UnitClass With(this UnitGroups groups, string place) => groups.Classes.First(units => units.Parameters.Any(p => Text(p) == place));

    private static string Text(UnitPlace place) =>
        $"{place.Node.Name}.{place.Axis}{(place.Part.Count < place.Node.Shape[place.Axis] ? $"[{place.Part.Offset}+{place.Part.Count}]" : "")}{(place.Side == UnitSide.In ? "<" : "")}";

    private static float[][] Outputs(UnitGroups groups, IReadOnlyDictionary<string, Tensor> weights, int seed, bool integers)
    {
        Graph graph = new Siblings(groups, [weights]).With(0).Graph;
        Executor executor = new(graph);
        Random random = new(seed);
        foreach (Node input in graph.Inputs.Values)
        {
            RandomInput.Fill(graph, input, executor[input], random);
            foreach (ref float element in executor[input].Span) element = integers ? MathF.Round(3 * element) : element;
        }

        executor.Run();
        return [.. graph.Outputs.Values.Select(node => executor[node].Span.ToArray())];
    }

    /// <summary>The largest change, relative to the largest number.</summary>
    private static double Change(float[] expected, float[] found)
    {
        double change = 0, largest = 1e-30;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(expected[i]), "an output is not finite, which shows nothing");
            change = Math.Max(change, double.IsNaN(found[i]) ? double.PositiveInfinity : Math.Abs((double)expected[i] - found[i]));
            largest = Math.Max(largest, Math.Abs(expected[i]));
        }

        return change / largest;
    }
}
