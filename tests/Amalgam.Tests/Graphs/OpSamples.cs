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
        .. ProductSamples.All,
        .. ShapeSamples.All,
        .. RecurrentSamples.All,
    ];
}
