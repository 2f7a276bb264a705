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
    ];

    /// <summary>Operators whose samples are being written. This list must become empty.</summary>
    public static IReadOnlyList<string> Awaited { get; } =
    [
        "Cast", "Concat", "ConstantOfShape", "Dropout", "DropoutMask",
        "Expand", "EyeLike", "Flatten", "Gather", "GatherElements", "GatherND", "GatherNDGradient", "Gru", "Identity", "Lstm",
        "OneHot", "Pad", "PadGradient", "RecurrentSteps", "RecurrentStepsGradient", "Reshape", "Rnn",
        "ScatterAdd", "ScatterElements", "ScatterND", "Sequence", "ShapeOf", "SizeOf", "Slice", "SliceGradient", "Squeeze",
        "Tile", "TopKIndices", "TopKValues", "Transpose", "Trilu", "Unsqueeze",
    ];
}
