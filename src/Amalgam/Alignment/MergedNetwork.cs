using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>The network that matched networks become.</summary>
public static class MergedNetwork
{
    /// <summary>The mean of networks after their units were moved, with its statistics reset as the options say.</summary>
    /// <param name="models">The networks.</param>
    /// <param name="maps">Which of their units belong together.</param>
    /// <param name="options">Of these the reset, and how many samples it takes.</param>
    /// <param name="calibration">Samples for the reset; not needed where none is asked for.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">A reset is asked for and there is no calibration data, or it does not fit.</exception>
    public static Graph Of(Siblings models, UnitMaps maps, AlignmentOptions options, Dataset? calibration = null, CancellationToken cancel = default)
    {
        Graph merged = models.With(Rearrangement.Merge(maps, models)).Graph;
        bool hasNormalisations = merged.Nodes.Any(node => node.Op is BatchNormalization);
        StatisticsReset reset = options.Reset == StatisticsReset.Auto ? hasNormalisations ? StatisticsReset.BatchNorm : StatisticsReset.Repair : options.Reset;
        if (reset == StatisticsReset.None) return merged;
        if (calibration is null) throw new GraphException("to reset the merged network's statistics calibration data is needed; name some, or ask for no reset");
        Dataset samples = ActivationStatistics.Calibration(calibration, options);
        if (reset == StatisticsReset.Repair) return Repair.Run(merged, models, maps, samples, options.Batch, cancel: cancel).Network;
        BatchNormReset.Run(merged, samples, options.Batch, cancel);
        return merged;
    }
}
