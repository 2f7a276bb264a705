using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Zoo.Data;

/// <summary>A glyph in a picture of <see cref="Captions"/>.</summary>
/// <param name="Glyph">Which, by its place in <see cref="GlyphShapes.All"/>.</param>
/// <param name="Colour">Which, by its place in <see cref="CaptionScene.Colours"/>.</param>
/// <param name="IsLarge">Whether it is large, and not small.</param>
/// <param name="IsBold">Whether its strokes are bold, and not thin.</param>
/// <param name="Cell">The quarter of the picture where it is: 0 and 1 at the top, from the left, 2 and 3 below.</param>
internal readonly record struct CaptionThing(int Glyph, int Colour, bool IsLarge, bool IsBold, int Cell)
{
    public int Row => Cell / 2;

    public int Column => Cell % 2;
}

/// <summary>Draws what is in a picture at random, and then the picture: the glyphs in quarters of their own, each moved, turned, slanted and scaled a little, a stray line, and noise.</summary>
internal sealed class CaptionScene
{
    /// <summary>Quarters of a picture, so glyphs at most.</summary>
    public const int Cells = 4;

    private const int Pixels = Captions.Side * Captions.Side, WordsOfScene = 128, MostPoints = 64, ChoicesOfThing = 8;

    /// <summary>Red, green and blue of each colour.</summary>
    public static readonly ImmutableArray<(string Name, float[] Light)> Colours =
        [("red", [1, 0.15f, 0.15f]), ("green", [0.15f, 0.9f, 0.2f]), ("blue", [0.25f, 0.35f, 1]), ("yellow", [1, 0.9f, 0.1f]), ("purple", [0.8f, 0.2f, 0.9f]), ("white", [1, 1, 1])];

    private readonly uint[] _random = new uint[WordsOfScene + Pixels];
    private readonly (float X, float Y)[] _points = new (float, float)[MostPoints];
    private readonly float[] _light = new float[Captions.Channels * Pixels];
    private readonly Ink _ink = new(Captions.Side);
    private int _next;

    /// <summary>The glyphs of a picture.</summary>
    /// <param name="key">The stream of the part.</param>
    /// <param name="index">Number of the picture.</param>
    /// <param name="count">How many glyphs.</param>
    /// <param name="glyphs">How many kinds of glyph there are.</param>
    public CaptionThing[] Choose(ulong key, int index, int count, int glyphs)
    {
        Philox.Fill(key, (long)index * _random.Length, _random);
        int[] cells = [.. Enumerable.Range(0, Cells)];
        CaptionThing[] things = new CaptionThing[count];
        for (int i = 0; i < count; i++)
        {
            _next = i * ChoicesOfThing;
            int swap = i + Below(Cells - i);
            (cells[i], cells[swap]) = (cells[swap], cells[i]);
            things[i] = new(Below(glyphs), Below(Colours.Length), Below(2) == 1, Below(2) == 1, cells[i]);
        }

        return things;
    }

    /// <summary>Draws the picture that was chosen last.</summary>
    /// <param name="things">Its glyphs.</param>
    /// <param name="y">Receives it, plane by plane.</param>
    public void Draw(ReadOnlySpan<CaptionThing> things, Span<byte> y)
    {
        _next = Cells * ChoicesOfThing;
        _light.AsSpan().Clear();
        foreach (CaptionThing thing in things) Draw(thing);
        Stray();
        float scale = Between(0.03f, 0.1f) / Ink.NoiseDeviation;
        for (int i = 0; i < y.Length; i++) y[i] = Ink.Byte(_light[i] + scale * Ink.Noise(_random[WordsOfScene + i % Pixels]));
    }

    private void Draw(CaptionThing thing)
    {
        const float Quarter = Captions.Side / 2;
        float centreX = Quarter * (thing.Column + 0.5f) - 0.5f + Between(-1, 1), centreY = Quarter * (thing.Row + 0.5f) - 0.5f + Between(-1, 1);
        float width = thing.IsLarge ? Between(5.8f, 7) : Between(3.4f, 4.2f), height = width * Between(0.85f, 1.15f), slant = Between(-0.15f, 0.15f);
        float half = thing.IsBold ? Between(1, 1.3f) : Between(0.35f, 0.55f), strength = Between(0.7f, 1);
        var (sin, cos) = MathF.SinCos(Between(-0.25f, 0.25f));
        _ink.Clear();
        foreach ((float X, float Y)[] stroke in GlyphShapes.All[thing.Glyph].Strokes)
        {
            for (int i = 0; i < stroke.Length; i++)
            {
                float x = width * (stroke[i].X + slant * stroke[i].Y), down = height * stroke[i].Y;
                _points[i] = (centreX + cos * x - sin * down, centreY + sin * x + cos * down);
            }

            for (int i = 1; i < stroke.Length; i++) _ink.Line(_points[i - 1], _points[i], half, strength);
        }

        Lay(Colours[thing.Colour].Light);
    }

    /// <summary>A short thin grey line that belongs to no glyph.</summary>
    private void Stray()
    {
        float x = Between(2, Captions.Side - 3), y = Between(2, Captions.Side - 3), length = Between(3, 7), grey = Between(0.2f, 0.5f);
        var (sin, cos) = MathF.SinCos(Between(0, MathF.Tau));
        _ink.Clear();
        _ink.Line((x, y), (x + length * cos, y + length * sin), 0.5f, 1);
        Lay([grey, grey, grey]);
    }

    /// <summary>Ink of a colour covers what is darker.</summary>
    private void Lay(float[] colour)
    {
        for (int c = 0; c < colour.Length; c++)
        {
            for (int i = 0; i < Pixels; i++) _light[c * Pixels + i] = MathF.Max(_light[c * Pixels + i], colour[c] * _ink.Plane[i]);
        }
    }

    private int Below(int count) => Training.Data.Draw.Below(_random[_next++], count);

    private float Between(float low, float high) => low + (high - low) * Training.Data.Draw.Unit(_random[_next++]);
}
