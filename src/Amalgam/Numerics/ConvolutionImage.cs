using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Amalgam.Numerics;

/// <summary>
/// A band of some images, unrolled along its width only (after Cho and Brand 2017): one plane for each channel and kernel column, moved by that column and padded.
/// In a plane the windows' elements lie in the order of the output's pixels, whatever padding, stride and dilation are; a kernel row moves them by whole rows. So
/// tap after tap a tile reads its pixels side by side, and a kernel of 3 x 3 costs three copies of the image, not nine. Images of a group lie side by side.
/// </summary>
/// <param name="rows">Windows along the height.</param>
/// <param name="columns">Windows along the width.</param>
/// <param name="first">First output row of the band.</param>
/// <param name="count">Output rows of the band.</param>
/// <param name="images">Images side by side.</param>
internal readonly unsafe struct ConvolutionImage(ConvolutionAxis rows, ConvolutionAxis columns, int first, int count, int images)
{
    /// <summary>Pixels from one row of windows to the next.</summary>
    public int Pitch => images * columns.Out;

    /// <summary>Pixels of the band's output.</summary>
    public int Pixels => count * Pitch;

    /// <summary>Elements that one channel takes.</summary>
    public int ChannelSize => checked(columns.Taps * rows.Remainders * PlaneRows * Pitch);

    private int PlaneRows => count + rows.Reach;

    /// <summary>Where the window elements of each tap begin, channel after channel.</summary>
    public void Offsets(int channels, int* to)
    {
        int size = ChannelSize, remainders = rows.Remainders, taps = rows.Taps * columns.Taps;
        for (int a = 0, p = 0; a < rows.Taps; a++)
        {
            int inPlane = (rows.Quotient(a) - rows.Nearest) * Pitch;
            for (int b = 0; b < columns.Taps; b++) to[p++] = (b * remainders + a % remainders) * PlaneRows * Pitch + inPlane;
        }

        for (int p = taps; p < channels * taps; p++) to[p] = checked(to[p - taps] + size);
    }

    /// <summary>Unrolls channels.</summary>
    /// <param name="source">The first channel of the first image.</param>
    /// <param name="imageSize">Elements from one image to the next.</param>
    /// <param name="channels">Number of channels, dense.</param>
    /// <param name="to">Room for as many times <see cref="ChannelSize"/>.</param>
    /// <param name="begin">Where readable memory begins.</param>
    /// <param name="end">Where it ends.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Unroll(float* source, nint imageSize, int channels, float* to, float* begin, float* end)
    {
        bool vectors = columns.Stride == 1 && columns.Out % 8 == 0 || columns.Stride == 2 && columns.Out % 4 == 0;
        uint* masks = vectors ? Masks() : null;
        int remainders = rows.Remainders, pitch = Pitch, planeRows = PlaneRows, taps = columns.Taps, width = columns.Out, stride = columns.Stride;
        int* tops = stackalloc int[3 * remainders];
        for (int i = 0; i < remainders; i++)
        {
            int top = (first + rows.Nearest) * rows.Stride + rows.First + rows.Remainder(i);
            int from = top >= 0 ? 0 : Math.Min((-top + rows.Stride - 1) / rows.Stride, planeRows);
            int until = rows.Source <= top ? from : Math.Clamp((rows.Source - top + rows.Stride - 1) / rows.Stride, from, planeRows);
            (tops[3 * i], tops[3 * i + 1], tops[3 * i + 2]) = (top, from, until);
        }

        nint step = (nint)rows.Stride * columns.Source, plane = (nint)rows.Source * columns.Source;
        for (int channel = 0; channel < channels; channel++, source += plane)
        {
            for (int b = 0, shift = columns.First; b < taps; b++, shift += columns.Step)
            {
                for (int i = 0; i < remainders; i++, to += planeRows * pitch)
                {
                    int from = tops[3 * i + 1], until = tops[3 * i + 2];
                    Clear(to, from * pitch);
                    Clear(to + until * pitch, (planeRows - until) * pitch);
                    if (until == from) continue;

                    // Vectors read beside their rows, but not beside the tensor.
                    float* line = source + (nint)(tops[3 * i] + from * rows.Stride) * columns.Source + shift, target = to + from * pitch;
                    bool inside = line >= begin && line + (images - 1) * imageSize + (until - from - 1) * step + stride * width <= end;
                    if (!vectors || !inside) CopyRows(line, imageSize, step, shift, target, until - from);
                    else if (stride == 2) CopyEverySecond(line, imageSize, step, masks + b * width, target, until - from);
                    else if (width % 16 == 0 && Vector512.IsHardwareAccelerated) CopyWideVectors(line, imageSize, step, masks + b * width, target, until - from);
                    else CopyVectors(line, imageSize, step, masks + b * width, target, until - from);
                }
            }
        }
    }

    /// <summary>For each kernel column a row of bits: all of an element that a window sees within the image, none of others.</summary>
    private uint* Masks()
    {
        uint* masks = (uint*)Scratch.Floats(ScratchUse.Masks, (long)columns.Taps * columns.Out);
        for (int b = 0; b < columns.Taps; b++)
        {
            for (int j = 0; j < columns.Out; j++)
                masks[b * columns.Out + j] = (uint)(j * columns.Stride + columns.First + b * columns.Step) < (uint)columns.Source ? uint.MaxValue : 0;
        }

        return masks;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyVectors(float* line, nint imageSize, nint step, uint* mask, float* to, int count)
    {
        int pitch = Pitch;
        for (int image = 0; image < images; image++, line += imageSize, to += columns.Out)
        {
            for (int j = 0; j < columns.Out; j += 8)
            {
                Vector256<float> seen = Vector256.Load(mask + j).AsSingle();
                float* from = line + j, at = to + j;
                for (int q = 0; q < count; q++, from += step, at += pitch) (Vector256.Load(from) & seen).Store(at);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyWideVectors(float* line, nint imageSize, nint step, uint* mask, float* to, int count)
    {
        int pitch = Pitch;
        for (int image = 0; image < images; image++, line += imageSize, to += columns.Out)
        {
            for (int j = 0; j < columns.Out; j += 16)
            {
                Vector512<float> seen = Vector512.Load(mask + j).AsSingle();
                float* from = line + j, at = to + j;
                for (int q = 0; q < count; q++, from += step, at += pitch) (Vector512.Load(from) & seen).Store(at);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyEverySecond(float* line, nint imageSize, nint step, uint* mask, float* to, int count)
    {
        int pitch = Pitch;
        for (int image = 0; image < images; image++, line += imageSize, to += columns.Out)
        {
            for (int j = 0; j < columns.Out; j += 4)
            {
                Vector128<float> seen = Vector128.Load(mask + j).AsSingle();
                float* from = line + 2 * j, at = to + j;
                for (int q = 0; q < count; q++, from += step, at += pitch) (Even(Vector128.Load(from), Vector128.Load(from + 4)) & seen).Store(at);
            }
        }
    }

    /// <summary>a0 a2 b0 b2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Even(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.Shuffle(a, b, 0x88) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.UnzipEven(a, b) : Vector128.Create(a[0], a[2], b[0], b[2]);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyRows(float* line, nint imageSize, nint step, int shift, float* to, int count)
    {
        int width = columns.Out, stride = columns.Stride;
        int from = Math.Clamp((-shift + stride - 1) / stride, 0, width), end = Math.Clamp((columns.Source - shift + stride - 1) / stride, from, width);
        for (int q = 0; q < count; q++, line += step)
        {
            float* next = line;
            for (int image = 0; image < images; image++, next += imageSize, to += width)
            {
                for (int j = 0; j < from; j++) to[j] = 0;
                if (stride == 1) Copy(next + from, to + from, end - from);
                else
                {
                    for (int j = from; j < end; j++) to[j] = next[(nint)j * stride];
                }

                for (int j = end; j < width; j++) to[j] = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(float* to, int count)
    {
        if (count > 256)
        {
            new Span<float>(to, count).Clear();
            return;
        }

        int i = 0;
        for (; i <= count - 8; i += 8) Vector256<float>.Zero.Store(to + i);
        for (; i < count; i++) to[i] = 0;
    }

    /// <summary>Copies runs that are too short for a call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Copy(float* from, float* to, int count)
    {
        if (count > 128)
        {
            new Span<float>(from, count).CopyTo(new(to, count));
            return;
        }

        int i = 0;
        for (; i <= count - 8; i += 8) Vector256.Load(from + i).Store(to + i);
        if (i <= count - 4)
        {
            Vector128.Load(from + i).Store(to + i);
            i += 4;
        }

        for (; i < count; i++) to[i] = from[i];
    }
}
