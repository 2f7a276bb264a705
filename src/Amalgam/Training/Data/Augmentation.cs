using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Training.Data;

/// <summary>
/// What is done to an image <c>[channels, height, width]</c> before a network sees it: rotation, crop, flip, normalisation, in this order, each if asked for.
/// Random choices depend on (seed, epoch, sample) alone.
/// </summary>
public sealed record Augmentation
{
    private const uint Purpose = 0xA06;

    [ThreadStatic]
    private static float[]? _scratch;

    /// <summary>Whether half of the images are mirrored, left to right.</summary>
    public bool Flip { get; init; }

    /// <summary>Pixels of zero put around the image, out of which a part of the image's own size is cut at a random place.</summary>
    public int Pad { get; init; }

    /// <summary>The largest angle, in degrees, by which the image is turned about its middle, either way; between pixels it is bilinear, outside zero.</summary>
    public float Rotation { get; init; }

    /// <summary>For each channel what is subtracted; empty for nothing.</summary>
    public ImmutableArray<float> Mean { get; init; } = [];

    /// <summary>For each channel what the difference is divided by; empty for nothing.</summary>
    public ImmutableArray<float> Deviation { get; init; } = [];

    /// <summary>The same without what is random: for evaluation.</summary>
    public Augmentation Fixed => this with { Flip = false, Pad = 0, Rotation = 0 };

    /// <summary>Whether it changes anything.</summary>
    public bool IsNothing => !Flip && Pad == 0 && Rotation == 0 && Mean.IsEmpty && Deviation.IsEmpty;

    /// <summary>Changes an image in place.</summary>
    /// <param name="image">Channels, rows, columns.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="sample">Index of the sample.</param>
    /// <param name="draw">What the random choices depend on.</param>
    public void Apply(Span<float> image, int channels, int height, int width, int sample, Draw draw)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(image.Length, channels * height * width);
        Span<uint> random = stackalloc uint[4];
        draw.Fill(Purpose, sample, random);
        if (Rotation > 0) Turn(image, height, width, (2 * Draw.Unit(random[0]) - 1) * Rotation * (MathF.PI / 180));
        if (Pad > 0) Shift(image, height, width, Draw.Below(random[1], 2 * Pad + 1) - Pad, Draw.Below(random[2], 2 * Pad + 1) - Pad);
        if (Flip && random[3] >> 31 == 1)
        {
            for (int row = 0; row < image.Length; row += width) image.Slice(row, width).Reverse();
        }

        int plane = height * width;
        for (int c = 0; c < channels; c++)
        {
            var values = image.Slice(c * plane, plane);
            if (!Mean.IsEmpty) TensorPrimitives.Subtract(values, Mean[c], values);
            if (!Deviation.IsEmpty) TensorPrimitives.Divide(values, Deviation[c], values);
        }
    }

    /// <summary>Moves the image by whole pixels; what comes in is zero.</summary>
    private static void Shift(Span<float> image, int height, int width, int down, int right)
    {
        var from = Copy(image);
        image.Clear();
        int columns = width - Math.Abs(right), plane = height * width;
        if (columns <= 0) return;
        for (int c = 0; c < image.Length; c += plane)
        {
            for (int y = Math.Max(0, down); y < Math.Min(height, height + down); y++)
                from.Slice(c + (y - down) * width + Math.Max(0, -right), columns).CopyTo(image[(c + y * width + Math.Max(0, right))..]);
        }
    }

    private static void Turn(Span<float> image, int height, int width, float angle)
    {
        var from = Copy(image);
        var (sin, cos) = MathF.SinCos(angle);
        float middleX = (width - 1) / 2f, middleY = (height - 1) / 2f;
        int plane = height * width;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                float sourceX = cos * (x - middleX) + sin * (y - middleY) + middleX, sourceY = cos * (y - middleY) - sin * (x - middleX) + middleY;
                int left = (int)MathF.Floor(sourceX), top = (int)MathF.Floor(sourceY);
                float a = sourceX - left, b = sourceY - top;
                for (int c = 0; c < image.Length; c += plane)
                {
                    var one = from.Slice(c, plane);
                    image[c + y * width + x] = (1 - b) * ((1 - a) * At(one, top, left) + a * At(one, top, left + 1)) + b * ((1 - a) * At(one, top + 1, left) + a * At(one, top + 1, left + 1));
                }
            }
        }

        float At(ReadOnlySpan<float> one, int row, int column) => (uint)row < (uint)height && (uint)column < (uint)width ? one[row * width + column] : 0;
    }

    private static ReadOnlySpan<float> Copy(Span<float> image)
    {
        if (_scratch is null || _scratch.Length < image.Length) _scratch = new float[image.Length];
        image.CopyTo(_scratch);
        return _scratch.AsSpan(0, image.Length);
    }
}
