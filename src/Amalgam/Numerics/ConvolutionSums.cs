namespace Amalgam.Numerics;

/// <summary>
/// Sums of weighted windows: target(o, i, j) = sum over c, a, b of weight(o, c, a, b) * source(c, window i tap a, window j tap b), for each image and group. A convolution
/// is one of these, and its gradient by the input is one for each phase of the stride.
/// </summary>
internal unsafe struct ConvolutionSums
{
    public int Images, Groups;

    /// <summary>Channels of a group, in and out.</summary>
    public int Inputs, Outputs;

    public ConvolutionAxis Rows, Columns;

    /// <summary>[Images, Groups * Inputs, Rows.Source, Columns.Source].</summary>
    public float* Source;

    /// <summary>[Images, Groups * Outputs, TargetHeight, TargetWidth], of which every Row-/ColumnStride-th from the firsts is written.</summary>
    public float* Target;

    public int TargetHeight, TargetWidth, FirstRow, FirstColumn, RowStride, ColumnStride;

    /// <summary>The weight of the first group's first tap, and the distances of the others.</summary>
    public float* Weights;

    public nint WeightGroup, WeightOutput, WeightInput, WeightRow, WeightColumn;

    /// <summary>One number for each output channel, or null.</summary>
    public float* Bias;

    /// <summary>Negative results become zero.</summary>
    public bool Relu;

    public readonly int Taps => Rows.Taps * Columns.Taps;

    public readonly int Pixels => Rows.Out * Columns.Out;

    public readonly int SourcePlane => Rows.Source * Columns.Source;

    public readonly nint SourceCount => (nint)Images * Groups * Inputs * SourcePlane;

    public readonly int TargetPlane => TargetHeight * TargetWidth;

    public readonly long Work => (long)Images * Groups * Outputs * Pixels * Inputs * Taps;

    /// <summary>The target's pixels follow one another as the windows do.</summary>
    public readonly bool Dense => RowStride == 1 && ColumnStride == 1 && TargetWidth == Columns.Out;

    public readonly bool Depthwise => Inputs == 1 && Outputs == 1;

    /// <summary>The forward pass.</summary>
    public static ConvolutionSums Forward(in ConvolutionShape s, float* x, float* w, float* bias, float* y, bool relu) => new()
    {
        Images = s.Images,
        Groups = s.Groups,
        Inputs = s.GroupChannels,
        Outputs = s.GroupFilters,
        Rows = s.Rows,
        Columns = s.Columns,
        Source = x,
        Target = y,
        TargetHeight = s.OutHeight,
        TargetWidth = s.OutWidth,
        RowStride = 1,
        ColumnStride = 1,
        Weights = w,
        WeightGroup = (nint)s.GroupFilters * s.GroupChannels * s.KernelHeight * s.KernelWidth,
        WeightOutput = (nint)s.GroupChannels * s.KernelHeight * s.KernelWidth,
        WeightInput = s.KernelHeight * s.KernelWidth,
        WeightRow = s.KernelWidth,
        WeightColumn = 1,
        Bias = bias,
        Relu = relu,
    };

    /// <summary>One phase of the gradient by the input: what the inputs get whose padded row and column leave these remainders by the strides.</summary>
    public static ConvolutionSums InputGradient(in ConvolutionShape s, int row, int column, float* dy, float* w, float* dx)
    {
        ConvolutionPhase rows = ConvolutionPhase.Of(row, s.Height, s.OutHeight, s.KernelHeight, s.StrideHeight, s.DilationHeight, s.PadTop);
        ConvolutionPhase columns = ConvolutionPhase.Of(column, s.Width, s.OutWidth, s.KernelWidth, s.StrideWidth, s.DilationWidth, s.PadLeft);
        return new()
        {
            Images = s.Images,
            Groups = s.Groups,
            Inputs = s.GroupFilters,
            Outputs = s.GroupChannels,
            Rows = rows.Axis,
            Columns = columns.Axis,
            Source = dy,
            Target = dx,
            TargetHeight = s.Height,
            TargetWidth = s.Width,
            FirstRow = rows.FirstInput,
            FirstColumn = columns.FirstInput,
            RowStride = s.StrideHeight,
            ColumnStride = s.StrideWidth,
            Weights = w + rows.FirstTap * s.KernelWidth + columns.FirstTap,
            WeightGroup = (nint)s.GroupFilters * s.GroupChannels * s.KernelHeight * s.KernelWidth,
            WeightOutput = s.KernelHeight * s.KernelWidth,
            WeightInput = (nint)s.GroupChannels * s.KernelHeight * s.KernelWidth,
            WeightRow = rows.TapStep * s.KernelWidth,
            WeightColumn = columns.TapStep,
        };
    }
}
