using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Pictures 28 x 28 of drawn signs, made on the spot: the data that needs no download. Strokes are moved, turned, scaled, slanted and bent at random, drawn in
/// one of many widths, crossed by a stray line and covered with noise. Picture i is a function of (seed, split, i) alone; its class is i modulo the classes.
/// </summary>
public static class Glyphs
{
    /// <summary>Rows and columns of a picture.</summary>
    public const int Side = 28;

    /// <summary>Classes when nothing else is said.</summary>
    public const int UsualClasses = 10;

    private const int Pixels = Side * Side, WordsPerGlyph = 1024, WordsOfPose = 64, MostPoints = 64;

    /// <summary>Number of glyphs that there are to draw.</summary>
    public static int MostClasses => GlyphShapes.All.Length;

    /// <summary>Draws pictures.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">All depends on it.</param>
    /// <param name="split">Training and test pictures have nothing in common.</param>
    /// <param name="classes">How many kinds of glyph, from 2 to <see cref="MostClasses"/>.</param>
    public static ImageSet Create(int count, long seed = 0, Split split = Split.Train, int classes = UsualClasses)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, MostClasses);
        byte[] pixels = new byte[checked(count * Pixels)];
        ulong key = Philox.Key(seed, split == Split.Train ? "glyphs.train" : "glyphs.test", 0);
        Cores.ForRange(count, 64, (pixels, key, classes), static (s, from, to) =>
        {
            GlyphCanvas canvas = new();
            for (int i = from; i < to; i++) canvas.Draw(GlyphShapes.All[i % s.classes], s.key, i, s.pixels.AsSpan(i * Pixels, Pixels));
        });
        ImmutableArray<string> names = [.. GlyphShapes.All.Take(classes).Select(g => g.Name)];
        return new($"glyphs, {(split == Split.Train ? "training" : "test")}", new(1, Side, Side), pixels, [.. Enumerable.Range(0, count).Select(i => i % classes)], names);
    }

    /// <summary>What drawing one picture after the other needs.</summary>
    private sealed class GlyphCanvas
    {
        private readonly uint[] _random = new uint[WordsPerGlyph];
        private readonly Ink _ink = new(Side);
        private readonly (float X, float Y)[] _points = new (float, float)[MostPoints];
        private int _next;

        public void Draw(Glyph glyph, ulong key, int index, Span<byte> y)
        {
            Philox.Fill(key, (long)index * WordsPerGlyph, _random);
            _next = 0;
            _ink.Clear();
            Pose pose = new(Next);
            float width = Between(0.7f, 1.7f);
            foreach ((float X, float Y)[] stroke in glyph.Strokes)
            {
                for (int i = 0; i < stroke.Length; i++) _points[i] = pose.Place(stroke[i].X, stroke[i].Y);
                for (int i = 1; i < stroke.Length; i++) _ink.Line(_points[i - 1], _points[i], width, 1);
            }

            Stray();
            Develop(_random.AsSpan(WordsOfPose, Pixels), Between(0.55f, 1), Between(0.04f, 0.14f), y);
        }

        /// <summary>A short thin line that belongs to no glyph.</summary>
        private void Stray()
        {
            float x = Between(2, Side - 3), y = Between(2, Side - 3), length = Between(3, 9);
            var (sin, cos) = MathF.SinCos(Between(0, MathF.Tau));
            _ink.Line((x, y), (x + length * cos, y + length * sin), Between(0.5f, 0.9f), Between(0.4f, 0.9f));
        }

        /// <summary>Ink and noise of a given deviation as bytes.</summary>
        private void Develop(ReadOnlySpan<uint> random, float contrast, float noise, Span<byte> y)
        {
            float scale = noise / Ink.NoiseDeviation;
            for (int i = 0; i < y.Length; i++) y[i] = Ink.Byte(contrast * _ink.Plane[i] + scale * Ink.Noise(random[i]));
        }

        private float Next() => (_random[_next++] >> 8) * (1f / (1 << 24));

        private float Between(float low, float high) => low + (high - low) * Next();
    }

    /// <summary>Where the points of a glyph come to lie: an affine map into the picture after a bend, two waves in each direction.</summary>
    private readonly struct Pose
    {
        private const float Bend = 0.1f;

        private readonly float _xx, _xy, _yx, _yy, _x, _y;
        private readonly Wave _first, _second, _third, _fourth;

        public Pose(Func<float> next)
        {
            float Between(float low, float high) => low + (high - low) * next();
            var (sin, cos) = MathF.SinCos(Between(-0.38f, 0.38f));
            float width = Between(7, 10.5f), height = width * Between(0.8f, 1.25f), slant = Between(-0.25f, 0.25f);
            (_xx, _xy, _yx, _yy) = (width * cos, width * slant * cos - height * sin, width * sin, width * slant * sin + height * cos);
            (_x, _y) = (13.5f + Between(-2.5f, 2.5f), 13.5f + Between(-2.5f, 2.5f));
            Wave Some() => new(Bend * Between(-1, 1), Between(-2.5f, 2.5f), Between(-2.5f, 2.5f), Between(0, MathF.Tau));
            (_first, _second, _third, _fourth) = (Some(), Some(), Some(), Some());
        }

        public (float X, float Y) Place(float x, float y)
        {
            float bentX = x + _first.At(x, y) + _second.At(x, y), bentY = y + _third.At(x, y) + _fourth.At(x, y);
            return (_x + _xx * bentX + _xy * bentY, _y + _yx * bentX + _yy * bentY);
        }
    }

    private readonly record struct Wave(float Height, float X, float Y, float Phase)
    {
        public float At(float x, float y) => Height * MathF.Sin(X * x + Y * y + Phase);
    }
}
