using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>Finds which layers of two networks belong together (CLAFusion, section 3): group by group, the increasing map of the least cost.</summary>
public static class LayerAlignment
{
    /// <summary>Compares the layers of each group and takes the increasing map of the least cost.</summary>
    /// <param name="a">The first network.</param>
    /// <param name="b">The second.</param>
    /// <param name="options">What makes layers unlike, and which are pinned: in a group with fewer layers than that, the first ones come before the last.</param>
    /// <param name="data">Samples that both networks take; needed by the measures that look at activations.</param>
    /// <param name="progress">Hears how many samples are done.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The groups of the two do not correspond, the layers that belong together are not of one kind, or the data does not fit.</exception>
    public static LayerMapping Run(
        NetworkLayers a, NetworkLayers b, LayerOptions? options = null, Dataset? data = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        options ??= new();
        Check(a, b);
        Func<NetworkLayer, NetworkLayer, double> cost = Costs(a, b, options, data, progress, cancel);
        LayerMapping mapping = new(a, b, [.. a.Groups.Zip(b.Groups, (one, other) => Map((a, one), (b, other), cost, options))]);
        return mapping with { Notes = [.. mapping.Notes, .. mapping.Groups.Select(group => TooManyPinned(group, options)).OfType<string>()] };
    }

    /// <summary>A mapping that is given: for each group, the layer of the larger one for each of the smaller.</summary>
    /// <exception cref="GraphException">The groups do not correspond, a map is not increasing or leads out of its group, or the layers are not of one kind.</exception>
    public static LayerMapping Given(NetworkLayers a, NetworkLayers b, IReadOnlyList<int[]> maps)
    {
        Check(a, b);
        if (maps.Count != a.Groups.Length) throw new GraphException($"the networks have {a.Groups.Length} groups of layers, {maps.Count} maps are given");
        return new(a, b, [.. maps.Select((map, i) => Given((a, a.Groups[i]), (b, b.Groups[i]), map))]);
    }

    /// <summary>The first layers of the larger group for all of the smaller: the baseline that CLAFusion calls naive.</summary>
    public static LayerMapping Chain(NetworkLayers a, NetworkLayers b)
    {
        Check(a, b);
        return Given(a, b, [.. a.Groups.Zip(b.Groups, (one, other) => Enumerable.Range(0, Math.Min(one.Count, other.Count)).ToArray())]);
    }

    /// <summary>Pinned first layers, and then layers of the larger group at random, in order: CLAFusion's random baseline, which pins no last layer.</summary>
    /// <param name="a">The first network.</param>
    /// <param name="b">The second.</param>
    /// <param name="seed">Draws the layers.</param>
    /// <param name="pinnedFirst">So many first layers belong to the first ones.</param>
    public static LayerMapping Random(NetworkLayers a, NetworkLayers b, long seed, int pinnedFirst = 1)
    {
        Check(a, b);
        Random random = new((int)(seed ^ (seed >> 32)));
        return Given(a, b, [.. a.Groups.Zip(b.Groups, (one, other) => Draw(Math.Max(one.Count, other.Count), Math.Min(one.Count, other.Count), pinnedFirst, random))]);
    }

    private static int[] Draw(int deep, int shallow, int pinnedFirst, Random random)
    {
        int pinned = Math.Min(pinnedFirst, shallow);
        int[] free = [.. Enumerable.Range(pinned, deep - pinned)];
        random.Shuffle(free);
        return [.. Enumerable.Range(0, pinned), .. free.Take(shallow - pinned).Order()];
    }

    private static void Check(NetworkLayers a, NetworkLayers b)
    {
        if (!a.Groups.Select(group => group.Kind).SequenceEqual(b.Groups.Select(group => group.Kind))) throw LayerDifference.OfGroups(a, b);
        if (a.Outside.Length != b.Outside.Length) throw LayerDifference.OfOutside(a, b);
    }

    private static Func<NetworkLayer, NetworkLayer, double> Costs(
        NetworkLayers a, NetworkLayers b, LayerOptions options, Dataset? data, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        if (options.Measure == LayerMeasure.Width) return (one, other) => ((double)one.Width - other.Width) * ((double)one.Width - other.Width);
        if (data is null) throw new GraphException($"layers are compared by {(options.Measure == LayerMeasure.Cka ? "CKA" : "the Wasserstein distance")} of what they compute, which takes data; by width they can be compared without any");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Samples, 1);
        data = options.Samples < data.Count ? Subset.Split(data, options.Samples, options.Seed).Second : data;
        data = TakenByBoth(a, b, data, options.Batch);
        if (options.Measure == LayerMeasure.Cka && data.Count < 2) throw new GraphException("layers are compared by CKA, which looks at how samples differ and takes two or more of them: name a larger number of samples");
        if (options.Measure == LayerMeasure.Wasserstein)
        {
            var costs = LayerDistances.Costs(a, b, data, options.Batch, (done, all) => progress?.Report(new("both networks", done, all)), cancel);
            return (one, other) => costs[(one.Index, other.Index)];
        }

        SampleProducts[] ofA = LayerActivations.Collect(a, data, options.Batch, (done, all) => progress?.Report(new("the first network", done, all)), cancel: cancel);
        SampleProducts[] ofB = LayerActivations.Collect(b, data, options.Batch, (done, all) => progress?.Report(new("the second network", done, all)), cancel: cancel);
        return (one, other) => 1 - ofA[one.Index].Cka(ofB[other.Index]);
    }

    /// <summary>The samples without those at the end that do not fill a batch of a network that takes a fixed number.</summary>
    private static Dataset TakenByBoth(NetworkLayers a, NetworkLayers b, Dataset data, int batch)
    {
        while (true)
        {
            int samples = Math.Min(new Observation([(a.Graph, [])], data, batch).Samples, new Observation([(b.Graph, [])], data, batch).Samples);
            if (samples == data.Count) return data;
            data = new Subset(data, Enumerable.Range(0, samples));
        }
    }

    private static GroupMapping Map((NetworkLayers Network, LayerGroup Group) ofA, (NetworkLayers Network, LayerGroup Group) ofB, Func<NetworkLayer, NetworkLayer, double> cost, LayerOptions options)
    {
        (LayerGroup a, LayerGroup b) = (ofA.Group, ofB.Group);
        double[] costs = [.. a.Layers.SelectMany(one => b.Layers.Select(other => one.Signature == other.Signature ? cost(one, other) : double.NaN))];
        // Layers of different kinds cost more than all others together, so they are matched only where there is no other way.
        double most = 1 + (2 * costs.Where(double.IsFinite).Sum(Math.Abs));
        bool transposed = b.Count > a.Count;
        int deep = Math.Max(a.Count, b.Count), shallow = Math.Min(a.Count, b.Count);
        double[] solved = [.. Enumerable.Range(0, deep * shallow).Select(i => transposed ? costs[(i % shallow * deep) + (i / shallow)] : costs[i]).Select(value => double.IsNaN(value) ? most : value)];
        var (first, last) = Pinned(options, shallow);
        return Checked(ofA.Network, ofB.Network, new(a, b, costs, CrossLayerAlignment.Solve(solved, deep, shallow, first, last)));
    }

    /// <summary>How many layers are pinned of a group with fewer than that.</summary>
    private static (int First, int Last) Pinned(LayerOptions options, int shallow)
    {
        int first = Math.Min(options.PinnedFirst, shallow);
        return (first, Math.Min(options.PinnedLast, shallow - first));
    }

    /// <summary>Says that fewer layers are pinned than was asked for; null where all are, and where a group has one layer, which cannot be the first and the last one.</summary>
    private static string? TooManyPinned(GroupMapping group, LayerOptions options)
    {
        int shallow = group.Map.Length;
        var (first, last) = Pinned(options, shallow);
        bool isUsual = options.PinnedFirst <= 1 && options.PinnedLast <= 1;
        if (isUsual || shallow == 0 || (first == options.PinnedFirst && last == options.PinnedLast)) return null;
        string name = group.A.Count <= group.B.Count ? group.A.Name : group.B.Name;
        return $"'{name}' has {shallow} {(shallow == 1 ? "layer" : "layers")} in the shallower network, fewer than the {options.PinnedFirst} first and {options.PinnedLast} last ones that are to be pinned: {first} first and {last} last ones are";
    }

    private static GroupMapping Given((NetworkLayers Network, LayerGroup Group) ofA, (NetworkLayers Network, LayerGroup Group) ofB, int[] map)
    {
        (LayerGroup a, LayerGroup b) = (ofA.Group, ofB.Group);
        int deep = Math.Max(a.Count, b.Count), shallow = Math.Min(a.Count, b.Count);
        bool isIncreasing = map.Zip(map.Skip(1)).All(pair => pair.First < pair.Second);
        if (map.Length != shallow || !isIncreasing || (shallow > 0 && (map[0] < 0 || map[^1] >= deep)))
            throw new GraphException($"a map of the groups '{a.Name}' must name {shallow} of {deep} layers in order, from 0, found {string.Join(", ", map)}");
        return Checked(ofA.Network, ofB.Network, new(a, b, [], map));
    }

    /// <summary>Refuses layers that are matched and are not of one kind.</summary>
    private static GroupMapping Checked(NetworkLayers a, NetworkLayers b, GroupMapping mapping)
    {
        foreach (var (one, other) in mapping.Pairs)
        {
            if (one.Signature != other.Signature) throw LayerDifference.OfLayers(a, one, b, other);
        }

        return mapping;
    }
}
