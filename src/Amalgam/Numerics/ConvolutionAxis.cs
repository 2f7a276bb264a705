namespace Amalgam.Numerics;

/// <summary>One axis of a sliding window: output i takes through tap a the source's element i * Stride + First + a * Step, or zero where there is none.</summary>
internal readonly record struct ConvolutionAxis(int Source, int Out, int First, int Step, int Taps, int Stride)
{
    /// <summary>Least number of strides that a tap is away from the first.</summary>
    public int Nearest => Math.Min(0, Quotient(Taps - 1));

    /// <summary>Strides that the taps span.</summary>
    public int Reach => Math.Abs(Quotient(Taps - 1));

    /// <summary>A tap's distance from the first in whole strides, rounded down.</summary>
    public int Quotient(int tap) => (tap * Step - Modulo(tap * Step)) / Stride;

    /// <summary>What remains of that distance, from 0 to Stride - 1.</summary>
    public int Remainder(int tap) => Modulo(tap * Step);

    private int Modulo(int distance) => (distance % Stride + Stride) % Stride;

    /// <summary>Remainders that occur: taps repeat them in their order.</summary>
    public int Remainders => Math.Min(Taps, Stride / ConvolutionPhase.CommonDivisor(Stride, Math.Abs(Step)));

    /// <summary>Whether output i is source i, tap by tap.</summary>
    public bool IsIdentity => Taps == 1 && First == 0 && Stride == 1 && Source == Out;
}

/// <summary>
/// One axis of a convolution's transpose. Input h gets what output q and tap t send where q * stride + t * dilation - pad = h; inputs whose h + pad leaves the same
/// remainder by the stride get it from the same taps, and these inputs' windows slide over the outputs one by one.
/// </summary>
/// <param name="Axis">The window over the outputs; its source is the convolution's output.</param>
/// <param name="FirstInput">The first of these inputs; the others follow by strides.</param>
/// <param name="FirstTap">The kernel's tap that the window's first is.</param>
/// <param name="TapStep">Distance of the window's taps in the kernel.</param>
internal readonly record struct ConvolutionPhase(ConvolutionAxis Axis, int FirstInput, int FirstTap, int TapStep)
{
    /// <summary>The phase of inputs with one remainder.</summary>
    public static ConvolutionPhase Of(int remainder, int input, int output, int kernel, int stride, int dilation, int pad)
    {
        int first = ((remainder - pad) % stride + stride) % stride;
        int count = first >= input ? 0 : (input - first + stride - 1) / stride;
        int tap = 0;
        while (tap < stride && (tap * dilation - remainder) % stride != 0) tap++;
        int step = stride / CommonDivisor(stride, dilation);
        int taps = tap >= Math.Min(kernel, stride) ? 0 : (kernel - tap + step - 1) / step;
        int firstOutput = (first + pad - tap * dilation) / stride;
        return new(new(output, count, firstOutput, -(step * dilation / stride), taps, 1), first, tap, step);
    }

    internal static int CommonDivisor(int a, int b) => b == 0 ? a : CommonDivisor(b, a % b);
}
