using System.Buffers;
using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>A class of units with the places where its activations are observed, and what they sum up to.</summary>
internal sealed class TappedClass
{
    private readonly Siblings _models;
    private readonly int? _positions;
    private readonly ulong _key;
    private readonly Dictionary<(UnitPlace Tap, Shape Shape), UnitColumns> _columns = [];

    public TappedClass(Siblings models, UnitClass units, AlignmentOptions options)
    {
        (_models, Units, _positions) = (models, units, options.Positions);
        Taps = TapsOf(models.Groups, units, options);
        Sums = new(models.Count, units.Units, options.Matching == UnitMatching.Zip);
        _key = Philox.Key(options.Seed, units.Name, 0);
    }

    /// <summary>Where a class is observed; empty where that is nowhere.</summary>
    public static ImmutableArray<UnitPlace> TapsOf(UnitGroups groups, UnitClass units, AlignmentOptions options) =>
        units.Pinned is not null ? [] : [.. (options.AllTaps && !units.Taps.IsEmpty ? units.Taps : units.LastTaps).Where(place => UnitColumns.IsOwn(groups, place))];

    public UnitClass Units { get; }

    public ImmutableArray<UnitPlace> Taps { get; }

    public UnitSums Sums { get; }

    /// <summary>Adds the activations of a batch.</summary>
    /// <param name="nodes">What is observed, in the order of the batch's values.</param>
    /// <param name="batch">The values; all models have the same shapes, and the same columns are taken from each.</param>
    public void Add(Node[] nodes, ObservedBatch batch)
    {
        for (int tap = 0; tap < Taps.Length; tap++)
        {
            int value = Array.IndexOf(nodes, Taps[tap].Node);
            Shape shape = batch.Values[0][value].Shape;
            if (!_columns.TryGetValue((Taps[tap], shape), out UnitColumns? columns)) _columns[(Taps[tap], shape)] = columns = UnitColumns.Of(_models.Groups, Taps[tap], shape);
            int wanted = _positions is { } positions ? (int)Math.Min(columns.Count, (long)batch.Count * positions) : columns.Count;
            int[] drawn = columns.Draw(wanted, _key + (ulong)tap, (long)batch.First * (_positions ?? 0));
            Add(columns, drawn, [.. batch.Values.Select(values => values[value])]);
        }
    }

    private void Add(UnitColumns columns, int[] drawn, Tensor[] values)
    {
        float[] panel = ArrayPool<float>.Shared.Rent(Sums.Rows * UnitSums.MostColumns), products = ArrayPool<float>.Shared.Rent(Math.Max(1, Sums.Room));
        for (int from = 0; from < drawn.Length; from += UnitSums.MostColumns)
        {
            int count = Math.Min(UnitSums.MostColumns, drawn.Length - from), size = Units.Units * count;
            Cores.ForRange(values.Length, 1, (columns, drawn, values, panel, from, count, size), static (s, first, end) =>
            {
                for (int model = first; model < end; model++) s.columns.Take(s.values[model].Span, s.drawn.AsSpan(s.from, s.count), s.panel.AsSpan(model * s.size, s.size));
            });
            Sums.Add(panel.AsSpan(0, values.Length * size), count, products);
        }

        ArrayPool<float>.Shared.Return(panel);
        ArrayPool<float>.Shared.Return(products);
    }

    /// <summary>Refuses activations that are infinite or no numbers.</summary>
    public void CheckFinite(ImmutableArray<string> names)
    {
        for (int row = 0; row < Sums.Rows; row++)
        {
            if (double.IsFinite(Sums.Variance(row))) continue;
            throw new GraphException($"unit {row % Units.Units} of {Units} in {names[row / Units.Units]} has activations that are not finite, so it cannot be compared; the network or its input is damaged");
        }
    }
}
