using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>
/// What the units of several networks do on the same data: means, variances and products of their activations, from one pass over the data that keeps no activations
/// (Stoica et al., ZipIt!, ICLR 2024, section 4.1; Xu et al., Training-Free Pretrained Model Merging, CVPR 2024, equation 5).
/// </summary>
/// <remarks>
/// A unit's activations are those at its class's <see cref="UnitClass.LastTaps"/>, or at all <see cref="UnitClass.Taps"/> one after the other; every sample and position counts alike.
/// Products of a panel of columns are float, from values shifted by the first panel's mean, and panels are added in double: a correlation is within
/// 2e-6 of two passes in double, and usually 1e-7.
/// </remarks>
public sealed class ActivationStatistics
{
    private readonly UnitSums?[] _sums;
    private readonly AlignmentOptions _options;
    private readonly int _models;

    private ActivationStatistics(UnitSums?[] sums, int models, AlignmentOptions options) => (_sums, _models, _options) = (sums, models, options);

    /// <summary>Number of samples that were run.</summary>
    public int Samples { get; private init; }

    /// <summary>The samples that are looked at: as many as the options say, drawn by their seed, in the data's order; all where there are no more.</summary>
    public static Dataset Calibration(Dataset data, AlignmentOptions options) =>
        options.Samples is { } samples && samples < data.Count ? Subset.Split(data, samples, options.Seed).Second : data;

    /// <summary>Runs all networks over the data.</summary>
    /// <param name="models">The networks.</param>
    /// <param name="data">Samples that they take; of them <see cref="Calibration"/>.</param>
    /// <param name="options">Samples, batch, positions, taps and seed; whether units are zipped, which takes products within the models too; how similarities are measured.</param>
    /// <param name="progress">Hears how many samples are done.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The data does not fit the networks, or an activation is not finite.</exception>
    public static ActivationStatistics Collect(Siblings models, Dataset data, AlignmentOptions options, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        data = Calibration(data, options);
        TappedClass[] tapped = [.. models.Groups.Classes.Where(units => !TappedClass.TapsOf(models.Groups, units, options).IsEmpty).Select(units => new TappedClass(models, units, options))];
        UnitSums?[] sums = new UnitSums?[models.Groups.Classes.Length];
        foreach (TappedClass one in tapped) sums[one.Units.Index] = one.Sums;
        Node[] taps = [.. tapped.SelectMany(one => one.Taps).Select(tap => tap.Node).Distinct()];
        if (taps.Length == 0) return new(sums, models.Count, options);

        Observation observation = new([.. Enumerable.Range(0, models.Count).Select(model => Observed(models.With(model), taps))], data, options.Batch);
        foreach (ObservedBatch batch in observation.Run(cancel))
        {
            Add(tapped, taps, batch, cancel);
            progress?.Report(batch.First + batch.Count);
        }

        foreach (TappedClass one in tapped) one.CheckFinite(models.Names);
        return new(sums, models.Count, options) { Samples = observation.Samples };
    }

    /// <summary>How alike units are by the options' measure.</summary>
    /// <param name="units">The class.</param>
    /// <returns>All rows where units are zipped; else the first model's, whose products with itself are not taken and are zero. Null where the class is pinned or observed nowhere, or only where it carries others that depend on it.</returns>
    public UnitSimilarity? Similarity(UnitClass units) => _sums[units.Index] is { } sums
        ? new(_models, units.Units, ActivationSimilarity.Of(sums, _models, units, _options.ActivationMeasure, _options.PairDead))
        : null;

    /// <summary>Number of units, of all models, whose activations do not vary.</summary>
    public int Dead(UnitClass units) => _sums[units.Index] is { } sums ? Enumerable.Range(0, sums.Rows).Count(row => DeadUnits.IsDead(sums, row)) : 0;

    /// <summary>The mean activation of each unit of a model; empty where it is not observed.</summary>
    public ReadOnlySpan<double> Means(UnitClass units, int model) => Of(units, model, (sums, row) => sums.Mean(row));

    /// <summary>The population variance of each unit of a model; empty where it is not observed.</summary>
    public ReadOnlySpan<double> Variances(UnitClass units, int model) => Of(units, model, (sums, row) => sums.Variance(row));

    private double[] Of(UnitClass units, int model, Func<UnitSums, int, double> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)model, (uint)_models, nameof(model));
        return _sums[units.Index] is { } sums ? [.. Enumerable.Range(model * units.Units, units.Units).Select(row => value(sums, row))] : [];
    }

    private static (Graph Network, Node[] Observed) Observed(GraphCopy model, Node[] taps) => (model.Graph, [.. taps.Select(tap => model.Map[tap])]);

    /// <summary>Small classes are shared out over the cores, large ones share each product; what a class sums up is the same either way.</summary>
    private static void Add(TappedClass[] tapped, Node[] taps, ObservedBatch batch, CancellationToken cancel)
    {
        const int Large = 1 << 16;
        foreach (TappedClass one in tapped.Where(one => one.Sums.Work >= Large))
        {
            cancel.ThrowIfCancellationRequested();
            one.Add(taps, batch);
        }

        TappedClass[] small = [.. tapped.Where(one => one.Sums.Work < Large)];
        Cores.For(small.Length, (small, taps, batch), static (s, i) => s.small[i].Add(s.taps, s.batch));
        cancel.ThrowIfCancellationRequested();
    }
}
