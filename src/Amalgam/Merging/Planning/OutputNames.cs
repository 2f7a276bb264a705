using System.Collections.Immutable;

namespace Amalgam.Merging.Planning;

/// <summary>Which tensors the output has, from the models' tensor names: whole models name by name, slices layer by layer.</summary>
internal static class OutputNames
{
    /// <summary>Every tensor that any of the models has; its place in gradients is the rank of its layer within its stack.</summary>
    /// <param name="slice">The models.</param>
    /// <param name="covers">The names that belong to the part of the model that is planned.</param>
    public static IEnumerable<OutputTensor> OfWhole(ResolvedSlice slice, Func<string, bool> covers)
    {
        string[] names = [.. slice.All.SelectMany(s => s.Model.Checkpoint.Tensors).Select(t => t.Name).Where(covers).Distinct(StringComparer.Ordinal)];
        var stacks = names.Select(LayerName.Parse).OfType<LayerName>().GroupBy(l => l.Stack, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Select(l => l.Layer).Distinct().Order().ToArray(), StringComparer.Ordinal);
        foreach (string name in names)
        {
            double t = LayerName.Parse(name) is { } layer ? PositionOf(Array.BinarySearch(stacks[layer.Stack], layer.Layer), stacks[layer.Stack].Length) : 0;
            yield return new(name, t, slice, _ => name);
        }
    }

    /// <summary>
    /// The layers of all slices, numbered on; what stands before the layers comes from the first slice's models, what stands after them from the last's.
    /// </summary>
    /// <param name="slices">The slices in order.</param>
    /// <param name="covers">The names that belong to the part of the model that is planned.</param>
    /// <exception cref="MergeException">The models have no common stack of layers, more than one, or too few layers.</exception>
    public static IEnumerable<OutputTensor> OfSlices(ImmutableArray<ResolvedSlice> slices, Func<string, bool> covers)
    {
        string stack = StackOf(slices, covers);
        int number = 0;
        foreach (ResolvedSlice slice in slices)
        {
            foreach (SliceSource source in slice.All) CheckLayers(source, stack, slice.Layers);
            for (int i = 0; i < slice.Layers; i++, number++)
            {
                int offset = i;
                double t = PositionOf(i, slice.Layers);
                var rests = slice.All.SelectMany(s => LayersOf(s, stack).Where(l => l.Layer == s.FirstLayer + offset).Select(l => l.Rest)).Distinct(StringComparer.Ordinal);
                foreach (string rest in rests) yield return new($"{stack}{number}{rest}", t, slice, s => $"{stack}{s.FirstLayer + offset}{rest}");
            }
        }

        foreach (OutputTensor tensor in Outside(slices[0], stack, covers, before: true)) yield return tensor;
        foreach (OutputTensor tensor in Outside(slices[^1], stack, covers, before: false)) yield return tensor;
    }

    /// <summary>i/(n-1); the only layer of a slice stands at 1.</summary>
    internal static double PositionOf(int layer, int layers) => layers == 1 ? 1 : layer / (layers - 1.0);

    private static IEnumerable<OutputTensor> Outside(ResolvedSlice slice, string stack, Func<string, bool> covers, bool before)
    {
        var names = slice.All.SelectMany(s => s.Model.Checkpoint.Tensors).Select(t => t.Name)
            .Where(n => covers(n) && LayerName.Parse(n)?.Stack != stack && TensorNames.IsBeforeLayers(n) == before);
        return names.Distinct(StringComparer.Ordinal).Select(name => new OutputTensor(name, 0, slice, _ => name));
    }

    private static IEnumerable<LayerName> LayersOf(SliceSource source, string stack) =>
        source.Model.Checkpoint.Tensors.Select(t => LayerName.Parse(t.Name)).OfType<LayerName>().Where(l => l.Stack == stack);

    /// <summary>The stack that slices cut: the one that all models have; of several the one with the most layers, if that is clear.</summary>
    private static string StackOf(ImmutableArray<ResolvedSlice> slices, Func<string, bool> covers)
    {
        var stacks = slices.SelectMany(s => s.All).Select(s => s.Model).Distinct()
            .Select(m => m.Checkpoint.Tensors.Where(t => covers(t.Name)).Select(t => LayerName.Parse(t.Name)).OfType<LayerName>()
                .GroupBy(l => l.Stack, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Select(l => l.Layer).Distinct().Count(), StringComparer.Ordinal))
            .ToArray();
        var common = stacks[0].Keys.Where(k => stacks.All(s => s.ContainsKey(k))).Select(k => (Stack: k, Layers: stacks.Max(s => s[k]))).OrderByDescending(s => s.Layers).ToArray();
        if (common.Length == 0) throw new MergeException("slices need layers, and the models have no common tensor names with a layer number (a part that is a number, as in 'model.layers.3.mlp')");
        if (common.Length == 1 || common[0].Layers > 2 * common[1].Layers) return common[0].Stack;
        throw new MergeException($"slices need to know which layers they cut, and the models have several stacks: {string.Join(", ", common.Take(6).Select(c => $"'{c.Stack}' ({c.Layers})"))}; plan each with modules, whose names are name prefixes");
    }

    private static void CheckLayers(SliceSource source, string stack, int layers)
    {
        HashSet<int> present = [.. LayersOf(source, stack).Select(l => l.Layer)];
        for (int layer = source.FirstLayer; layer < source.FirstLayer + layers; layer++)
        {
            if (present.Contains(layer)) continue;
            throw new MergeException($"a slice asks for layers {source.FirstLayer} to {source.FirstLayer + layers - 1} of {source.Model.Label}, which has {present.Count} ('{stack}0' to '{stack}{present.Max()}'); the end of layer_range is exclusive");
        }
    }
}
