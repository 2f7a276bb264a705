using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>
/// Gradient of a convolution by its filters: dw(o, c, a, b) = sum over images and pixels of dy(o, pixel) * x(c, window's tap a, b). Each part has some images and some
/// channels, sums into its own partial gradient, and these are added in their order: which parts there are depends on the sizes alone.
/// </summary>
internal static unsafe class ConvolutionWeights<T> where T : unmanaged, ILanes<T>
{
    /// <summary>Pixels that one sum in registers should run over at least: the final sum of a vector costs as much as some steps.</summary>
    private const int PixelsWanted = 1024;

    private const int ImageFloats = 96 << 10, StagingFloats = 1 << 18, PartialFloats = 1 << 22, Parts = 16;
    private const long WorthSharing = 1 << 19;

    private readonly record struct Plan(int Channels, int ChannelParts, int Images, int ImagesOfChunk, int Chunks, int Rows);

    private readonly struct State(in ConvolutionShape shape, Plan plan, float* x, float* dy, float* sums, float* dw)
    {
        public readonly ConvolutionShape Sizes = shape;
        public readonly Plan Plan = plan;
        public readonly float* X = x, Dy = dy, Sums = sums, Dw = dw;
    }

    public static void Run(in ConvolutionShape s, float* x, float* dy, float* dw)
    {
        Plan plan = Choose(s);
        long count = s.WeightCount;
        State state = new(s, plan, x, dy, plan.Chunks == 1 ? dw : Scratch.Floats(ScratchUse.Partials, count * plan.Chunks), dw);
        int parts = plan.Chunks * s.Groups * plan.ChannelParts;
        if (s.Work < WorthSharing)
        {
            for (int part = 0; part < parts; part++) RunPart(state, part);
        }
        else Cores.For(parts, state, static (s, part) => RunPart(s, part));

        if (plan.Chunks > 1) Cores.ForRange((int)count, Cores.WorthSharing, state, static (s, from, to) => AddChunks(s, from, to));
    }

    /// <summary>The chunks' partial gradients, in their order.</summary>
    private static void AddChunks(in State state, int from, int to)
    {
        Span<float> sum = new(state.Dw + from, to - from);
        new ReadOnlySpan<float>(state.Sums + from, sum.Length).CopyTo(sum);
        for (int chunk = 1; chunk < state.Plan.Chunks; chunk++)
            TensorPrimitives.Add(sum, new ReadOnlySpan<float>(state.Sums + chunk * state.Sizes.WeightCount + from, sum.Length), sum);
    }

    private static Plan Choose(in ConvolutionShape s)
    {
        int pixels = s.OutHeight * s.OutWidth, most = Math.Max(1, StagingFloats / Math.Max(1, s.GroupFilters * pixels));
        int images = Math.Clamp(PixelsWanted / pixels, 1, Math.Min(s.Images, most));
        int pitch = images * s.OutWidth;
        long row = (long)s.KernelWidth * s.Rows.Remainders * pitch;
        int channels = (int)Math.Clamp(ImageFloats / (row * (s.OutHeight + s.Rows.Reach)), 1, s.GroupChannels), rows = s.OutHeight;
        if (channels == 1) rows = (int)Math.Clamp(ImageFloats / row - s.Rows.Reach, 1, s.OutHeight);
        int groups = ConvolutionPlan.Ceiling(s.Images, images);
        int chunks = (int)Math.Clamp(PartialFloats / s.WeightCount, 1, Math.Min(Parts, groups)), groupsOfChunk = ConvolutionPlan.Ceiling(groups, chunks);
        chunks = ConvolutionPlan.Ceiling(groups, groupsOfChunk);
        int channelParts = ConvolutionPlan.Ceiling(s.GroupChannels, channels), wanted = ConvolutionPlan.Ceiling(Parts / 2, Math.Min(Parts, chunks * s.Groups));
        channels = ConvolutionPlan.Ceiling(s.GroupChannels, Math.Min(s.GroupChannels, Math.Max(channelParts, wanted)));
        return new(channels, ConvolutionPlan.Ceiling(s.GroupChannels, channels), images, groupsOfChunk * images, chunks, rows);
    }

    private static void RunPart(in State state, int part)
    {
        ConvolutionShape s = state.Sizes;
        Plan plan = state.Plan;
        (part, int channelPart) = Math.DivRem(part, plan.ChannelParts);
        (int chunk, int group) = Math.DivRem(part, s.Groups);
        int channel = channelPart * plan.Channels, channels = Math.Min(plan.Channels, s.GroupChannels - channel);
        int taps = s.KernelHeight * s.KernelWidth, filters = s.GroupFilters, step = s.GroupChannels * taps;
        float* sums = state.Sums + chunk * s.WeightCount + (nint)group * filters * step + channel * taps;
        for (int o = 0; o < filters; o++) new Span<float>(sums + (nint)o * step, channels * taps).Clear();

        int end = Math.Min(s.Images, (chunk + 1) * plan.ImagesOfChunk);
        for (int image = chunk * plan.ImagesOfChunk; image < end; image += plan.Images)
        {
            for (int row = 0; row < s.OutHeight; row += plan.Rows)
            {
                ConvolutionImage unrolled = new(s.Rows, s.Columns, row, Math.Min(plan.Rows, s.OutHeight - row), Math.Min(plan.Images, end - image));
                AddBand(state, unrolled, image, group, channel, channels, row, sums);
            }
        }
    }

    /// <summary>Adds what a band of some images gives to the gradient of all filters by some channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddBand(in State state, ConvolutionImage unrolled, int image, int group, int channel, int channels, int row, float* sums)
    {
        ConvolutionShape s = state.Sizes;
        int images = unrolled.Pitch / s.OutWidth, pixels = unrolled.Pixels, taps = s.KernelHeight * s.KernelWidth, filters = s.GroupFilters;
        nint plane = (nint)s.Height * s.Width, outPlane = (nint)s.OutHeight * s.OutWidth;
        float* x = state.X + ((nint)image * s.Channels + (nint)group * s.GroupChannels + channel) * plane;
        int* offsets = (int*)Scratch.Floats(ScratchUse.Offsets, 2L * channels * taps), order = offsets + channels * taps;
        bool inPlace = images == 1 && s.Rows.IsIdentity && s.Columns.IsIdentity;
        if (!inPlace) unrolled.Offsets(channels, offsets);
        for (int p = 0; inPlace && p < channels; p++) offsets[p] = p * (int)plane;

        // Rows of the kernel fastest: their taps read one plane, and nearly the same part of it.
        for (int c = 0, p = 0; c < channels * taps; c += taps)
        {
            for (int b = 0; b < s.KernelWidth; b++)
            {
                for (int a = 0; a < s.KernelHeight; a++) order[p++] = c + a * s.KernelWidth + b;
            }
        }

        if (inPlace) x += row * s.Width;
        else
        {
            float* planes = Scratch.Floats(ScratchUse.Image, (long)channels * unrolled.ChannelSize);
            unrolled.Unroll(x, s.Channels * plane, channels, planes, state.X, state.X + (nint)s.InputCount);
            x = planes;
        }

        float* dy = state.Dy + ((nint)image * s.Filters + (nint)group * filters) * outPlane;
        nint dyRow = outPlane;
        if (images == 1) dy += row * s.OutWidth;
        else
        {
            dy = SideBySide(s, dy, images, row, pixels);
            dyRow = pixels;
        }

        for (int o = 0; o < filters;)
        {
            int rows = filters - o >= ConvolutionDots<T>.Rows ? ConvolutionDots<T>.Rows : 1;
            AddRows(rows, pixels, dy + o * dyRow, dyRow, x, offsets, order, channels * taps, sums + (nint)o * s.GroupChannels * taps, s.GroupChannels * taps);
            o += rows;
        }
    }

    /// <summary>Adds the dot products of some rows with all taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRows(int rows, int pixels, float* dy, nint dyRow, float* x, int* offsets, int* order, int taps, float* sums, nint sumsRow)
    {
        const int Step = ConvolutionDots<T>.Taps;
        float* y = stackalloc float[8 * Step];
        for (int p = 0; p < taps; p += Step)
        {
            int valid = Math.Min(Step, taps - p), p1 = p + Math.Min(1, valid - 1), p2 = p + valid - 1;
            float* x0 = x + offsets[order[p]], x1 = x + offsets[order[p1]], x2 = x + offsets[order[p2]];
            if (rows == 1) ConvolutionDots<T>.RunRow(pixels, dy, x0, x1, x2, y);
            else ConvolutionDots<T>.Run(pixels, dy, dyRow, x0, x1, x2, y);
            for (int i = 0; i < rows; i++)
            {
                for (int t = 0; t < valid; t++) sums[i * sumsRow + order[p + t]] += y[i * Step + t];
            }
        }
    }

    /// <summary>Gradients of images side by side, in the order of the unrolled images' pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float* SideBySide(in ConvolutionShape s, float* dy, int images, int row, int pixels)
    {
        float* to = Scratch.Floats(ScratchUse.Staging, (long)s.GroupFilters * pixels), next = to;
        int width = s.OutWidth, rows = pixels / (images * width);
        nint outPlane = (nint)s.OutHeight * width;
        for (int o = 0; o < s.GroupFilters; o++, dy += outPlane)
        {
            for (int i = row; i < row + rows; i++)
            {
                for (int n = 0; n < images; n++, next += width) ConvolutionImage.Copy(dy + n * s.Filters * outPlane + i * width, next, width);
            }
        }

        return to;
    }
}
