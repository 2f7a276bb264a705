using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>Labelled pictures of one size, held as bytes: <c>image</c> [channels, height, width] in 0 to 1 (byte / 255) and <c>label</c>.</summary>
public sealed class ImageSet : Dataset
{
    private readonly byte[] _pixels;
    private readonly int[] _labels;

    /// <param name="name">What the pictures are.</param>
    /// <param name="shape">Channels, height and width of a picture.</param>
    /// <param name="pixels">The pictures one after the other, each plane by plane and row by row; shared, not copied.</param>
    /// <param name="labels">Class of each picture, or nothing when they are not known.</param>
    /// <param name="classes">Names of the classes; as many as labels may have values.</param>
    public ImageSet(string name, Shape shape, byte[] pixels, int[] labels, ImmutableArray<string> classes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(shape.Rank, 3, nameof(shape));
        Size = checked((int)shape.Count);
        Count = labels.Length > 0 || Size == 0 ? labels.Length : pixels.Length / Size;
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.LongLength, (long)Count * Size, nameof(pixels));
        foreach (int label in labels) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)label, (uint)classes.Length, nameof(labels));
        (Name, _pixels, _labels, Classes) = (name, pixels, labels, classes);
        Field image = new("image", shape, DType.F32);
        Fields = labels.Length > 0 ? [image, new("label", default, DType.I64)] : [image];
    }

    public override string Name { get; }

    public override int Count { get; }

    public override ImmutableArray<Field> Fields { get; }

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; }

    /// <summary>Bytes of a picture.</summary>
    public int Size { get; }

    /// <summary>The bytes of one picture.</summary>
    public ReadOnlySpan<byte> this[int sample] => _pixels.AsSpan(sample * Size, Size);

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        if (field == 1)
        {
            y[0] = _labels[sample];
            return;
        }

        TensorPrimitives.ConvertTruncating(this[sample], y);
        TensorPrimitives.Divide(y, 255f, y);
    }
}
