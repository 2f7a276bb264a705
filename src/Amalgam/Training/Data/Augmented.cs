using System.Collections.Immutable;

namespace Amalgam.Training.Data;

/// <summary>Images as an augmentation changes them.</summary>
public sealed class Augmented : Dataset
{
    private readonly Dataset _data;
    private readonly Augmentation _how;
    private readonly int _field;

    /// <param name="data">The images.</param>
    /// <param name="how">What is done to them.</param>
    /// <param name="field">The field that holds an image <c>[channels, height, width]</c>.</param>
    /// <exception cref="ArgumentException">The field is no image, or the channels' means or deviations are not as many as it has channels.</exception>
    public Augmented(Dataset data, Augmentation how, string field = "image")
    {
        (_data, _how, _field) = (data, how, data.IndexOf(field));
        Shape shape = data.Fields[_field].Shape;
        if (shape.Rank != 3) throw new ArgumentException($"{data.Name}'s field '{field}' {shape} is no image [channels, height, width]", nameof(field));
        if (how.Pad < 0 || how.Rotation < 0 || !float.IsFinite(how.Rotation)) throw new ArgumentException("padding and rotation must be 0 or more", nameof(how));
        if (how.Deviation.Any(d => !(d > 0))) throw new ArgumentException("deviations must be above 0", nameof(how));
        foreach (ImmutableArray<float> values in (ImmutableArray<float>[])[how.Mean, how.Deviation])
        {
            if (!values.IsEmpty && values.Length != shape[0]) throw new ArgumentException($"{values.Length} values for the normalisation of images with {shape[0]} channels", nameof(how));
        }
    }

    public override string Name => _data.Name;

    public override int Count => _data.Count;

    public override ImmutableArray<Field> Fields => _data.Fields;

    public override ReadOnlySpan<int> Labels => _data.Labels;

    public override ImmutableArray<string> Classes => _data.Classes;

    public override bool KnowsClasses => _data.KnowsClasses;

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        _data.Read(field, sample, draw, y);
        if (field != _field) return;
        Shape shape = Fields[field].Shape;
        _how.Apply(y, shape.Size(0), shape.Size(1), shape.Size(2), sample, draw);
    }
}
