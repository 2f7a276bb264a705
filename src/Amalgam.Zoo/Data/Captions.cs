using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Coloured pictures 32 x 32 of drawn glyphs with sentences that say what is in them, made on the spot: <c>image</c> [3,32,32], <c>input_ids</c> and <c>attention_mask</c> [length],
/// and <c>picture</c>, the number of the picture, which samples with several sentences share. Picture i and its sentences are a function of (seed, split, i) alone.
/// </summary>
public sealed class Captions : Dataset
{
    /// <summary>Rows and columns of a picture.</summary>
    public const int Side = 32;

    /// <summary>Red, green and blue.</summary>
    public const int Channels = 3;

    /// <summary>Sentences of a picture at most.</summary>
    public const int MostSentences = 16;

    /// <summary>Pictures of a part at most.</summary>
    public const int MostPictures = 500_000;

    /// <summary>Glyphs in a picture when nothing else is said.</summary>
    public const int UsualThings = 2;

    private const int Size = Channels * Side * Side;

    private readonly int _sentences, _length;
    private readonly byte[] _pixels, _ids;
    private readonly int[] _counts;
    private readonly CaptionThing[][] _things;

    /// <param name="pictures">How many pictures.</param>
    /// <param name="seed">All depends on it.</param>
    /// <param name="split">Pictures of two parts have nothing in common.</param>
    /// <param name="things">Glyphs in a picture, 1 to 4.</param>
    /// <param name="sentences">Sentences of a picture, each a sample.</param>
    /// <param name="glyphs">Kinds of glyph, 2 to 20.</param>
    public Captions(int pictures, long seed = 0, Split split = Split.Train, int things = UsualThings, int sentences = 1, int glyphs = 20)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pictures);
        ArgumentOutOfRangeException.ThrowIfLessThan(things, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(things, MostThings);
        ArgumentOutOfRangeException.ThrowIfLessThan(sentences, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sentences, MostSentences);
        ArgumentOutOfRangeException.ThrowIfLessThan(glyphs, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(glyphs, Glyphs.MostClasses);
        string part = split switch { Split.Train => "training", Split.Validation => "validation", _ => "test" };
        (Name, _sentences, _length, Count) = ($"captions, {part}", sentences, LengthOf(things), checked(pictures * sentences));
        (_pixels, _ids) = (new byte[checked(pictures * Size)], new byte[checked(Count * _length)]);
        (_counts, _things) = (new int[Count], new CaptionThing[pictures][]);
        Fields =
        [
            new("image", new(Channels, Side, Side), DType.F32), new("input_ids", new(_length), DType.I64) { Ids = CaptionGrammar.Words.Length },
            new("attention_mask", new(_length), DType.I64), new("picture", default, DType.I64),
        ];
        ulong ofScenes = Philox.Key(seed, $"captions.scene.{part}", 0), ofSentences = Philox.Key(seed, $"captions.sentence.{part}", 0);
        Cores.ForRange(pictures, 64, (This: this, ofScenes, ofSentences, things, glyphs), static (s, from, to) =>
        {
            CaptionScene scene = new();
            CaptionGrammar grammar = new();
            for (int i = from; i < to; i++)
            {
                CaptionThing[] own = s.This._things[i] = scene.Choose(s.ofScenes, i, s.things, s.glyphs);
                scene.Draw(own, s.This._pixels.AsSpan(i * Size, Size));
                for (int k = 0; k < s.This._sentences; k++)
                {
                    int sample = i * s.This._sentences + k;
                    s.This._counts[sample] = grammar.Write(own, s.ofSentences, (long)i * MostSentences + k, s.This._ids.AsSpan(sample * s.This._length, s.This._length));
                }
            }
        });
    }

    /// <summary>Glyphs in a picture at most.</summary>
    public static int MostThings => CaptionScene.Cells;

    /// <summary>Number of ids: the words of the sentences, with what pads, begins and ends them.</summary>
    public static int Vocabulary => CaptionGrammar.Words.Length;

    public override string Name { get; }

    public override int Count { get; }

    public override ImmutableArray<Field> Fields { get; }

    /// <summary>Ids of a sample of pictures with so many glyphs.</summary>
    public static int LengthOf(int things) => CaptionGrammar.MostAround + CaptionGrammar.MostOfThing * things;

    /// <summary>The sentence of a sample.</summary>
    public string Sentence(int sample) => string.Join(' ', _ids.AsSpan(sample * _length + 1, _counts[sample] - 2).ToArray().Select(id => CaptionGrammar.Words[id]));

    /// <summary>The glyphs in a sample's picture.</summary>
    internal ReadOnlySpan<CaptionThing> Things(int sample) => _things[sample / _sentences];

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        switch (field)
        {
            case 0:
                TensorPrimitives.ConvertTruncating<byte, float>(_pixels.AsSpan(sample / _sentences * Size, Size), y);
                TensorPrimitives.Divide(y, 255f, y);
                break;
            case 1:
                TensorPrimitives.ConvertTruncating<byte, float>(_ids.AsSpan(sample * _length, _length), y);
                break;
            case 2:
                y[.._counts[sample]].Fill(1);
                y[_counts[sample]..].Clear();
                break;
            default:
                y[0] = sample / _sentences;
                break;
        }
    }
}
