using System.Runtime.Intrinsics;

namespace Amalgam.Numerics;

/// <summary>Two-dimensional convolutions of float images [N, C, H, W] and their gradients, on all cores, with the same bits whatever their number. Warmed up, no call allocates.</summary>
public static unsafe class Convolution
{
    /// <summary>y[n,o,i,j] = bias[o] + sum over c, a, b of w[o,c,a,b] * x[n,c,i * stride + a * dilation - pad, ...] (ONNX Conv).</summary>
    /// <param name="s">The sizes.</param>
    /// <param name="x">[Images, Channels, Height, Width].</param>
    /// <param name="w">[Filters, Channels / Groups, KernelHeight, KernelWidth].</param>
    /// <param name="bias">[Filters], or empty.</param>
    /// <param name="y">[Images, Filters, OutHeight, OutWidth].</param>
    /// <param name="relu">Negative results become zero.</param>
    /// <exception cref="ArgumentException">The sizes are impossible, or a span is not as long as they say.</exception>
    public static void Forward(in ConvolutionShape s, ReadOnlySpan<float> x, ReadOnlySpan<float> w, ReadOnlySpan<float> bias, Span<float> y, bool relu = false)
    {
        Check(s, x.Length, w.Length, y.Length);
        if (!bias.IsEmpty) ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, s.Filters, nameof(bias));
        if (y.IsEmpty) return;
        fixed (float* px = x, pw = w, pb = bias, py = y) Run(ConvolutionSums.Forward(s, px, pw, pb, py, relu));
    }

    /// <summary>dx from dy: the gradient by the input, which is also the transposed convolution (ONNX ConvTranspose, whose input is dy here).</summary>
    /// <param name="s">The sizes of the convolution.</param>
    /// <param name="dy">[Images, Filters, OutHeight, OutWidth].</param>
    /// <param name="w">[Filters, Channels / Groups, KernelHeight, KernelWidth].</param>
    /// <param name="dx">[Images, Channels, Height, Width].</param>
    /// <exception cref="ArgumentException">The sizes are impossible, or a span is not as long as they say.</exception>
    public static void InputGradient(in ConvolutionShape s, ReadOnlySpan<float> dy, ReadOnlySpan<float> w, Span<float> dx)
    {
        Check(s, dx.Length, w.Length, dy.Length);
        if (dx.IsEmpty) return;
        if (s.OutputCount == 0 || Skips(s.KernelHeight, s.StrideHeight, s.DilationHeight) || Skips(s.KernelWidth, s.StrideWidth, s.DilationWidth)) dx.Clear();
        if (s.OutputCount == 0) return;
        fixed (float* pdy = dy, pw = w, pdx = dx)
        {
            for (int row = 0; row < s.StrideHeight; row++)
            {
                for (int column = 0; column < s.StrideWidth; column++)
                {
                    ConvolutionSums phase = ConvolutionSums.InputGradient(s, row, column, pdy, pw, pdx);
                    if (phase.Taps > 0 && phase.Pixels > 0) Run(phase);
                }
            }
        }
    }

    /// <summary>dw from x and dy: the gradient by the filters.</summary>
    /// <param name="s">The sizes.</param>
    /// <param name="x">[Images, Channels, Height, Width].</param>
    /// <param name="dy">[Images, Filters, OutHeight, OutWidth].</param>
    /// <param name="dw">[Filters, Channels / Groups, KernelHeight, KernelWidth].</param>
    /// <exception cref="ArgumentException">The sizes are impossible, or a span is not as long as they say.</exception>
    public static void WeightGradient(in ConvolutionShape s, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dw)
    {
        Check(s, x.Length, dw.Length, dy.Length);
        if (s.OutputCount == 0)
        {
            dw.Clear();
            return;
        }

        fixed (float* px = x, pdy = dy, pdw = dw)
        {
            if (Vector512.IsHardwareAccelerated) ConvolutionWeights<Lanes512>.Run(s, px, pdy, pdw);
            else if (Vector256.IsHardwareAccelerated) ConvolutionWeights<Lanes256>.Run(s, px, pdy, pdw);
            else ConvolutionWeights<Lanes128>.Run(s, px, pdy, pdw);
        }
    }

    /// <summary>Windows may leave elements of the input untouched.</summary>
    private static bool Skips(int kernel, int stride, int dilation) => stride > 1 && (kernel < stride || dilation > 1);

    private static void Run(in ConvolutionSums sums)
    {
        if (Vector512.IsHardwareAccelerated) ConvolutionTiles<Lanes512>.Run(sums);
        else if (Vector256.IsHardwareAccelerated) ConvolutionTiles<Lanes256>.Run(sums);
        else ConvolutionTiles<Lanes128>.Run(sums);
    }

    private static void Check(in ConvolutionShape s, int x, int w, int y)
    {
        s.Check();
        ArgumentOutOfRangeException.ThrowIfNotEqual(x, s.InputCount, nameof(x));
        ArgumentOutOfRangeException.ThrowIfNotEqual(w, s.WeightCount, nameof(w));
        ArgumentOutOfRangeException.ThrowIfNotEqual(y, s.OutputCount, nameof(y));
    }
}
