using System.Collections.Immutable;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Images at half their height and width: each pixel is the mean of four.</summary>
internal sealed class HalfImages : Dataset
{
    private readonly Dataset _data;
    private readonly int _field, _channels, _height, _width;

    /// <param name="data">Data with a field <c>image</c> [channels, height, width] of even sizes.</param>
    public HalfImages(Dataset data)
    {
        (_data, _field) = (data, data.IndexOf("image"));
        Shape shape = data.Fields[_field].Shape;
        if (shape.Rank != 3 || shape[1] % 2 != 0 || shape[2] % 2 != 0) throw new ArgumentException($"{data.Name}'s images {shape} cannot be halved", nameof(data));
        (_channels, _height, _width) = (shape.Size(0), shape.Size(1), shape.Size(2));
        Fields = data.Fields.SetItem(_field, data.Fields[_field] with { Shape = new(_channels, _height / 2, _width / 2) });
    }

    public override string Name => _data.Name;

    public override int Count => _data.Count;

    public override ImmutableArray<Field> Fields { get; }

    public override ReadOnlySpan<int> Labels => _data.Labels;

    public override ImmutableArray<string> Classes => _data.Classes;

    public override bool KnowsClasses => _data.KnowsClasses;

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        if (field != _field)
        {
            _data.Read(field, sample, draw, y);
            return;
        }

        Span<float> whole = stackalloc float[_channels * _height * _width];
        _data.Read(field, sample, draw, whole);
        for (int row = 0, to = 0; row < _channels * _height; row += 2)
        {
            ReadOnlySpan<float> above = whole.Slice(row * _width, _width), below = whole.Slice((row + 1) * _width, _width);
            for (int x = 0; x < _width; x += 2) y[to++] = (above[x] + above[x + 1] + below[x] + below[x + 1]) / 4;
        }
    }
}
