using System.Collections.Immutable;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>Labelled texts as ids, in Hugging Face's names: <c>input_ids</c>, <c>attention_mask</c> and <c>token_type_ids</c> [length], and <c>label</c>.</summary>
public sealed class TextSet : Dataset
{
    private readonly ushort[] _pieces;
    private readonly byte[] _segments;
    private readonly int[] _counts, _labels;
    private readonly int _length;

    /// <param name="name">What the texts are.</param>
    /// <param name="text">The texts.</param>
    /// <param name="vocabulary">Makes ids of them.</param>
    /// <param name="length">Ids of a sample; longer texts are cut, shorter ones padded.</param>
    /// <param name="classes">Names of the classes.</param>
    public TextSet(string name, LabelledText text, Vocabulary vocabulary, int length, ImmutableArray<string> classes)
    {
        (Name, Classes, _length, Vocabulary) = (name, classes, length, vocabulary);
        _labels = [.. text.Labels];
        _pieces = new ushort[checked(Count * length)];
        _segments = new byte[_pieces.Length];
        _counts = new int[Count];
        Parallel.For(0, Count, i =>
        {
            var (pieces, segments) = vocabulary.Encode(text.Texts[i], length);
            _counts[i] = pieces.Length;
            for (int p = 0; p < pieces.Length; p++) (_pieces[i * length + p], _segments[i * length + p]) = ((ushort)pieces[p], (byte)segments[p]);
        });
        Shape shape = new(length);
        Fields = [new("input_ids", shape, DType.I64), new("attention_mask", shape, DType.I64), new("token_type_ids", shape, DType.I64), new("label", default, DType.I64)];
    }

    public override string Name { get; }

    public override int Count => _labels.Length;

    public override ImmutableArray<Field> Fields { get; }

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; }

    /// <summary>What made ids of the texts.</summary>
    public Vocabulary Vocabulary { get; }

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        int from = sample * _length;
        switch (field)
        {
            case 0:
                for (int i = 0; i < y.Length; i++) y[i] = _pieces[from + i];
                break;
            case 1:
                y[.._counts[sample]].Fill(1);
                y[_counts[sample]..].Clear();
                break;
            case 2:
                for (int i = 0; i < y.Length; i++) y[i] = _segments[from + i];
                break;
            default:
                y[0] = _labels[sample];
                break;
        }
    }
}
