using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

    /// <summary>Where the window elements of one tap begin.</summary>
    public int Offset(int channel, int row, int column) =>
        checked(channel * ChannelSize + ((column * rows.Remainders + row % rows.Remainders) * PlaneRows + rows.Quotient(row) - rows.Nearest) * Pitch);

    /// <summary>Unrolls channels.</summary>
    /// <param name="source">The first channel of the first image.</param>
    /// <param name="imageSize">Elements from one image to the next.</param>
    /// <param name="channels">Number of channels, dense.</param>
    /// <param name="to">Room for as many times <see cref="ChannelSize"/>.</param>
    public void Unroll(float* source, nint imageSize, int channels, float* to)
    {
        int remainders = rows.Remainders;
        bool flat = images == 1 && rows.Stride == 1 && columns.Stride == 1 && columns.Out == columns.Source;
        for (int channel = 0; channel < channels; channel++, source += (nint)rows.Source * columns.Source)
        {
            for (int b = 0; b < columns.Taps; b++)
            {
                int shift = columns.First + b * columns.Step;
                for (int i = 0; i < remainders; i++, to += PlaneRows * Pitch)
                {
                    if (flat) CopyFlat(source, shift, to);
                    else CopyRows(source, imageSize, shift, rows.Remainder(i), to);
                }
            }
        }
    }

    /// <summary>Output columns are source columns: a plane is one run of memory, and the columns that came from beside a row are cleared.</summary>
    private void CopyFlat(float* source, int shift, float* to)
    {
        int width = columns.Source, top = first + rows.First + rows.Nearest, from = Math.Clamp(-top, 0, PlaneRows), end = Math.Clamp(rows.Source - top, from, PlaneRows);
        int left = Math.Clamp(-shift, 0, width), right = Math.Clamp(shift, 0, width);
        Clear(to, from * width);
        if (end > from && left < width && right < width) Copy(source + (nint)(top + from) * width + left + shift, to + from * width + left, (end - from) * width - left - right);
        for (int row = from; row < end; row++)
        {
            for (int j = 0; j < left; j++) to[row * width + j] = 0;
            for (int j = width - right; j < width; j++) to[row * width + j] = 0;
        }

        Clear(to + end * width, (PlaneRows - end) * width);
    }

    private void CopyRows(float* source, nint imageSize, int shift, int remainder, float* to)
    {
        int width = columns.Out, stride = columns.Stride;
        int from = Math.Clamp((-shift + stride - 1) / stride, 0, width), end = Math.Clamp((columns.Source - shift + stride - 1) / stride, from, width);
        for (int q = 0; q < PlaneRows; q++)
        {
            int row = (first + q + rows.Nearest) * rows.Stride + rows.First + remainder;
            if ((uint)row >= (uint)rows.Source)
            {
                Clear(to, Pitch);
                to += Pitch;
                continue;
            }

            float* line = source + (nint)row * columns.Source + shift;
            for (int image = 0; image < images; image++, line += imageSize, to += width)
            {
                for (int j = 0; j < from; j++) to[j] = 0;
                if (stride == 1) Copy(line + from, to + from, end - from);
                else
                {
                    for (int j = from; j < end; j++) to[j] = line[j * stride];
                }

                for (int j = end; j < width; j++) to[j] = 0;
            }
        }
    }

    private static void Clear(float* to, int count) => new Span<float>(to, count).Clear();

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
