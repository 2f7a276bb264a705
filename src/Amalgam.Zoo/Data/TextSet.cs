using System.Collections.Immutable;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Zoo.Data;

/// <summary>Labelled texts as ids, in Hugging Face's names: <c>input_ids</c>, <c>attention_mask</c> and <c>token_type_ids</c> [length], and <c>label</c>.</summary>
public sealed class TextSet : Dataset
{
    private readonly int[] _ids;
    private readonly byte[] _segments;
    private readonly int[] _counts, _labels;
    private readonly int _length;

    /// <param name="name">What the texts are.</param>
    /// <param name="text">The texts.</param>
    /// <param name="tokenizer">Makes ids of them.</param>
    /// <param name="length">Ids of a sample; longer texts are cut, shorter ones padded.</param>
    /// <param name="classes">Names of the classes.</param>
    /// <exception cref="InvalidDataException">The length has no room for the ids that stand around texts.</exception>
    public TextSet(string name, LabelledText text, Tokenizer tokenizer, int length, ImmutableArray<string> classes)
    {
        (Name, Classes, _length, Tokenizer) = (name, classes, length, tokenizer);
        _labels = [.. text.Labels];
        int texts = Count == 0 ? 1 : text.Texts[0].Length, specials = tokenizer.Template.SpecialsOf(texts);
        if (length <= specials) throw new InvalidDataException($"{name}: a length of {length} ids has no room for texts beside the {specials} ids that stand around them");
        _ids = new int[checked(Count * length)];
        Array.Fill(_ids, tokenizer.Template.Padding);
        _segments = new byte[_ids.Length];
        _counts = new int[Count];
        Parallel.For(0, Count, i =>
        {
            var (ids, segments) = tokenizer.Encode(text.Texts[i], length);
            _counts[i] = ids.Length;
            ids.CopyTo(_ids, i * length);
            for (int p = 0; p < segments.Length; p++) _segments[i * length + p] = (byte)segments[p];
        });
        Shape shape = new(length);
        Fields = [new("input_ids", shape, DType.I64) { Ids = tokenizer.Count }, new("attention_mask", shape, DType.I64), new("token_type_ids", shape, DType.I64), new("label", default, DType.I64)];
    }

    public override string Name { get; }

    public override int Count => _labels.Length;

    public override ImmutableArray<Field> Fields { get; }

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; }

    /// <summary>What made ids of the texts.</summary>
    public Tokenizer Tokenizer { get; }

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        int from = sample * _length;
        switch (field)
        {
            case 0:
                for (int i = 0; i < y.Length; i++) y[i] = _ids[from + i];
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
