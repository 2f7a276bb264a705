namespace Amalgam.Tests.Graphs;

/// <summary>The samples of all operators, a file for each family.</summary>
internal static class OpSamples
{
    public static IReadOnlyList<OpSample> All { get; } =
    [
        .. ActivationSamples.All,
        .. ArithmeticSamples.All,
        .. ReductionSamples.All,
        .. NormalizationSamples.All,
        .. PoolingSamples.All,
        .. LossSamples.All,
        .. EngineSamples.All,
        .. ShapeSamples.All,
        .. RecurrentSamples.All,
    ];

    /// <summary>Operators whose samples are being written. This list must become empty.</summary>
    public static IReadOnlyList<string> Awaited { get; } =
    [
        "Conv", "ConvTranspose", "ConvWeightGradient", "MatMul",
    ];
}
