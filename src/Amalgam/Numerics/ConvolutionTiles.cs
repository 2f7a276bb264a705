using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>Sums of windows as products of matrices, whose right factor is never made: the tiles read the pixels of every tap from an unrolled band.</summary>
internal static unsafe class ConvolutionTiles<T> where T : unmanaged, ILanes<T>
{
    /// <summary>Multiplications below which a second thread does not pay.</summary>
    private const long WorthSharing = 1 << 19;

    /// <summary>Channels that a part has where nothing is shared between them.</summary>
    private const int ChannelsOfPart = 16;

    private readonly struct State(in ConvolutionSums sums, ConvolutionPlan plan, float* weights)
    {
        public readonly ConvolutionSums Sums = sums;
        public readonly ConvolutionPlan Plan = plan;
        public readonly float* Weights = weights;
    }

    public static void Run(in ConvolutionSums sums)
    {
        ConvolutionPlan plan = ConvolutionPlan.Of(sums, T.Rows, GemmTile<T>.Columns);
        float* weights = null;
        int parts = plan.ImageGroups * plan.Bands * (sums.Depthwise ? ConvolutionPlan.Ceiling(sums.Groups, ChannelsOfPart) : sums.Groups);
        if (!sums.Depthwise)
        {
            parts *= plan.PanelParts;
        }

        if (!sums.Depthwise && !RowsAsTheyAre(sums))
        {
            weights = Scratch.Floats(ScratchUse.Weights, sums.Groups * WeightsOfGroup(sums));
            int panels = ConvolutionPlan.Ceiling(sums.Outputs, T.Rows), few = Math.Max(1, Cores.WorthSharing / (T.Rows * sums.Inputs * sums.Taps));
            Cores.ForRange(sums.Groups * panels, few, new State(sums, plan, weights), static (s, from, to) =>
            {
                for (int panel = from; panel < to; panel++) PackWeights(s, panel);
            });
        }

        State state = new(sums, plan, weights);
        if (sums.Work < WorthSharing)
        {
            for (int part = 0; part < parts; part++) RunPart(state, part);
        }
        else
        {
            int grain = (int)Math.Max(1, WorthSharing / 4 / (sums.Work / parts + 1));
            Cores.ForRange(parts, grain, state, static (s, from, to) =>
            {
                for (int part = from; part < to; part++) RunPart(s, part);
            });
        }
    }

    /// <summary>Few pixels do not pay for packing weights whose steps lie side by side.</summary>
    private static bool RowsAsTheyAre(in ConvolutionSums s) => Contiguous(s) && s.Outputs % T.Rows == 0 && (long)s.Images * s.Pixels <= 2048;

    private static bool Contiguous(in ConvolutionSums s) => s.WeightColumn == 1 && s.WeightRow == s.Columns.Taps && s.WeightInput == s.Taps;

    private static nint WeightsOfGroup(in ConvolutionSums s) => (nint)RoundUp(s.Outputs) * s.Inputs * s.Taps;

    /// <summary>One panel of output channels, in each block of input channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackWeights(in State state, int panel)
    {
        ConvolutionSums s = state.Sums;
        (int group, panel) = Math.DivRem(panel, ConvolutionPlan.Ceiling(s.Outputs, T.Rows));
        int o = panel * T.Rows, valid = Math.Min(T.Rows, s.Outputs - o), taps = s.Taps, inputs = state.Plan.Inputs;
        float* from = s.Weights + group * s.WeightGroup + o * s.WeightOutput, to = state.Weights + group * WeightsOfGroup(s);
        int* tap = (int*)Scratch.Floats(ScratchUse.Offsets, taps);
        for (int p = 0; p < taps; p++) tap[p] = (int)(p / s.Columns.Taps * s.WeightRow + p % s.Columns.Taps * s.WeightColumn);
        for (int c0 = 0; c0 < s.Inputs; c0 += inputs)
        {
            int count = Math.Min(inputs, s.Inputs - c0);
            float* block = to + (nint)RoundUp(s.Outputs) * c0 * taps + (nint)o * count * taps;
            if (Contiguous(s))
            {
                GemmPanel.Pack(T.Rows, valid, count * taps, from + c0 * s.WeightInput, s.WeightOutput, 1, block);
                continue;
            }

            if (valid < T.Rows) new Span<float>(block, T.Rows * count * taps).Clear();
            for (int c = 0; c < count; c++, block += T.Rows * taps)
            {
                for (int i = 0; i < valid; i++)
                {
                    float* w = from + (c0 + c) * s.WeightInput + i * s.WeightOutput;
                    for (int p = 0; p < taps; p++) block[p * T.Rows + i] = w[tap[p]];
                }
            }
        }
    }

    private static void RunPart(in State state, int part)
    {
        ConvolutionPlan plan = state.Plan;
        int panelPart = 0;
        if (!state.Sums.Depthwise) (part, panelPart) = Math.DivRem(part, plan.PanelParts);
        (part, int band) = Math.DivRem(part, plan.Bands);
        (int imageGroup, int group) = Math.DivRem(part, state.Sums.Depthwise ? ConvolutionPlan.Ceiling(state.Sums.Groups, ChannelsOfPart) : state.Sums.Groups);
        int image = imageGroup * plan.Images, row = band * plan.Rows;
        ConvolutionImage unrolled = new(state.Sums.Rows, state.Sums.Columns, row, Math.Min(plan.Rows, state.Sums.Rows.Out - row), Math.Min(plan.Images, state.Sums.Images - image));
        if (state.Sums.Depthwise) Depthwise(state.Sums, unrolled, image, group * ChannelsOfPart, row);
        else RunPart(state, unrolled, image, group, row, panelPart);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPart(in State state, ConvolutionImage unrolled, int image, int group, int row, int panelPart)
    {
        ConvolutionSums s = state.Sums;
        ConvolutionPlan plan = state.Plan;
        int images = unrolled.Pitch / s.Columns.Out, width = GemmTile<T>.Columns, pixels = unrolled.Pixels;
        int first = panelPart * plan.Panels * T.Rows, end = Math.Min(s.Outputs, first + plan.Panels * T.Rows);
        bool direct = images == 1 && s.Dense, inPlace = images == 1 && s.Rows.IsIdentity && s.Columns.IsIdentity && s.Pixels % width == 0 && plan.Rows * s.Columns.Out % width == 0;
        float* target = direct ? s.Target + (((nint)image * s.Groups + group) * s.Outputs + first) * s.TargetPlane + row * s.TargetWidth
            : Scratch.Floats(ScratchUse.Staging, (long)(end - first) * pixels);
        nint targetRow = direct ? s.TargetPlane : pixels, imageSize = (nint)s.Groups * s.Inputs * s.SourcePlane;
        int* offsets = (int*)Scratch.Floats(ScratchUse.Offsets, plan.Inputs * s.Taps);
        if (!inPlace) unrolled.Offsets(plan.Inputs, offsets);
        for (int c = 0; inPlace && c < plan.Inputs; c++) offsets[c] = c * s.SourcePlane;

        for (int c = 0; c < s.Inputs; c += plan.Inputs)
        {
            int count = Math.Min(plan.Inputs, s.Inputs - c), k = count * s.Taps;
            float* source = s.Source + image * imageSize + ((nint)group * s.Inputs + c) * s.SourcePlane;
            float* pixel = source + row * s.Columns.Source;
            if (!inPlace)
            {
                // A tile's last pixels may lie past the end: they are read, and dropped.
                pixel = Scratch.Floats(ScratchUse.Image, (long)plan.Inputs * unrolled.ChannelSize + width);
                unrolled.Unroll(source, imageSize, count, pixel, s.Source, s.Source + s.SourceCount);
            }

            float* packed = state.Weights + group * WeightsOfGroup(s) + (nint)RoundUp(s.Outputs) * c * s.Taps;
            float* weights = s.Weights + group * s.WeightGroup + c * s.WeightInput;
            for (int j = 0; j < pixels; j += width)
            {
                int columns = Math.Min(width, pixels - j);
                for (int o = first; o < end; o += T.Rows)
                {
                    float* a = packed + (nint)o * k, y = target + (o - first) * targetRow + j;
                    if (state.Weights is null) Strided(columns, k, weights + o * s.WeightOutput, s.WeightOutput, pixel + j, offsets, y, targetRow, c > 0);
                    else if (columns == width && end - o >= T.Rows) GemmTile<T>.Run<OffsetColumns>(k, a, 1, T.Rows, pixel + j, 0, offsets, y, targetRow, c > 0);
                    else GemmTile<T>.RunPart<OffsetColumns>(Math.Min(T.Rows, end - o), columns, k, a, 1, T.Rows, pixel + j, 0, offsets, y, targetRow, c > 0);
                }
            }
        }

        for (int o = first; o < end; o++) Finish(s, new(target + (o - first) * targetRow, pixels), group * s.Outputs + o);
        if (direct) return;
        for (int o = first; o < end; o++) Scatter(s, target + (nint)(o - first) * pixels, image, images, group * s.Outputs + o, row, pixels);
    }

    private static void Strided(int columns, int k, float* a, nint aRow, float* pixel, int* offsets, float* y, nint yRow, bool add)
    {
        if (columns == GemmTile<T>.Columns) GemmTile<T>.Run<StridedRowsOffsetColumns>(k, a, aRow, 1, pixel, 0, offsets, y, yRow, add);
        else GemmTile<T>.RunPart<StridedRowsOffsetColumns>(T.Rows, columns, k, a, aRow, 1, pixel, 0, offsets, y, yRow, add);
    }

    private static void Finish(in ConvolutionSums s, Span<float> y, int output)
    {
        if (s.Bias is not null) TensorPrimitives.Add(y, s.Bias[output], y);
        if (s.Relu) TensorPrimitives.Max(y, 0, y);
    }

    /// <summary>Pixels of images side by side go to their places in the target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scatter(in ConvolutionSums s, float* from, int image, int images, int output, int row, int pixels)
    {
        int width = s.Columns.Out, rows = pixels / (images * width);
        for (int i = 0; i < rows; i++)
        {
            float* to = s.Target + ((nint)image * s.Groups * s.Outputs + output) * s.TargetPlane + (s.FirstRow + (row + i) * s.RowStride) * s.TargetWidth + s.FirstColumn;
            for (int n = 0; n < images; n++, from += width, to += (nint)s.Groups * s.Outputs * s.TargetPlane)
            {
                if (s.ColumnStride == 1) ConvolutionImage.Copy(from, to, width);
                else
                {
                    for (int j = 0; j < width; j++) to[j * s.ColumnStride] = from[j];
                }
            }
        }
    }

    /// <summary>One channel in, one out: nothing is shared between channels, so pixels are summed four vectors at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Depthwise(in ConvolutionSums sums, ConvolutionImage unrolled, int image, int first, int row)
    {
        ConvolutionSums s = sums;
        int pixels = unrolled.Pixels, taps = s.Taps, channels = Math.Min(ChannelsOfPart, s.Groups - first), size = unrolled.ChannelSize, width = 4 * T.Count;
        float* planes = Scratch.Floats(ScratchUse.Image, (long)channels * size + width);
        int* offsets = (int*)Scratch.Floats(ScratchUse.Offsets, 2L * taps);
        float* weights = (float*)(offsets + taps), whole = stackalloc float[width];
        bool dense = s.Dense;
        float* staging = dense ? null : Scratch.Floats(ScratchUse.Staging, pixels);
        unrolled.Offsets(1, offsets);
        nint plane = (nint)image * s.Groups + first;
        unrolled.Unroll(s.Source + plane * s.SourcePlane, 0, channels, planes, s.Source, s.Source + s.SourceCount);
        for (int channel = first; channel < first + channels; channel++, plane++, planes += size)
        {
            float* w = s.Weights + channel * s.WeightGroup;
            for (int a = 0, p = 0; a < s.Rows.Taps; a++)
            {
                for (int b = 0; b < s.Columns.Taps; b++) weights[p++] = w[a * s.WeightRow + b * s.WeightColumn];
            }

            float* target = dense ? s.Target + plane * s.TargetPlane + row * s.TargetWidth : staging;
            for (int j = 0; j < pixels; j += width)
            {
                int count = Math.Min(width, pixels - j);
                WeightedSum(taps, planes + j, offsets, weights, count == width ? target + j : whole);
                if (count < width) ConvolutionImage.Copy(whole, target + j, count);
            }

            if (s.Bias is not null || s.Relu) Finish(s, new(target, pixels), channel);
            if (!dense) Scatter(s, target, image, 1, channel, row, pixels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum(int taps, float* x, int* offsets, float* weights, float* y)
    {
        T y0 = default, y1 = default, y2 = default, y3 = default;
        for (int p = 0; p < taps; p++)
        {
            T w = T.Broadcast(weights[p]);
            float* at = x + offsets[p];
            y0 = T.MultiplyAdd(w, T.Load(at), y0);
            y1 = T.MultiplyAdd(w, T.Load(at + T.Count), y1);
            y2 = T.MultiplyAdd(w, T.Load(at + 2 * T.Count), y2);
            y3 = T.MultiplyAdd(w, T.Load(at + 3 * T.Count), y3);
        }

        y0.Store(y);
        y1.Store(y + T.Count);
        y2.Store(y + 2 * T.Count);
        y3.Store(y + 3 * T.Count);
    }

    private static int RoundUp(int rows) => ConvolutionPlan.Ceiling(rows, T.Rows) * T.Rows;
}
