using System.Collections.Immutable;

namespace Amalgam.Zoo.Data;

/// <summary>The glyphs as strokes: lines of points in a square from (-1, -1), the upper left, to (1, 1).</summary>
internal static class GlyphShapes
{
    /// <summary>Longest piece of a stroke, so that distortions bend straight lines.</summary>
    private const float Piece = 0.26f;

    /// <summary>Every glyph, by class.</summary>
    public static readonly ImmutableArray<Glyph> All =
    [
        new("ring", [Arc(0, 0, 0.85f, 0, 360)]),
        new("triangle", [Line(0, -0.85f, 0.85f, 0.7f, -0.85f, 0.7f, 0, -0.85f)]),
        new("square", [Line(-0.75f, -0.75f, 0.75f, -0.75f, 0.75f, 0.75f, -0.75f, 0.75f, -0.75f, -0.75f)]),
        new("hook", [Line(-0.1f, -0.9f, -0.1f, 0.3f), Arc(0.3f, 0.3f, 0.4f, 180, 0)]),
        new("tee", [Line(-0.8f, -0.75f, 0.8f, -0.75f), Line(0, -0.75f, 0, 0.9f)]),
        new("fork", [Line(-0.7f, -0.9f, 0, 0, 0.7f, -0.9f), Line(0, 0, 0, 0.9f)]),
        new("zed", [Line(-0.7f, -0.8f, 0.7f, -0.8f, -0.7f, 0.8f, 0.7f, 0.8f)]),
        new("cup", [Line(-0.7f, -0.85f, -0.7f, 0.1f), Arc(0, 0.1f, 0.7f, 180, 0), Line(0.7f, 0.1f, 0.7f, -0.85f)]),
        new("plus", [Line(0, -0.85f, 0, 0.85f), Line(-0.85f, 0, 0.85f, 0)]),
        new("spiral", [Spiral()]),
        new("corner", [Line(-0.6f, -0.85f, -0.6f, 0.75f, 0.75f, 0.75f)]),
        new("ladder", [Line(-0.6f, -0.85f, -0.6f, 0.85f), Line(0.6f, -0.85f, 0.6f, 0.85f), Line(-0.6f, 0, 0.6f, 0)]),
        new("arrow", [Line(0, 0.9f, 0, -0.9f), Line(-0.6f, -0.3f, 0, -0.9f, 0.6f, -0.3f)]),
        new("comb", [Line(0.6f, -0.8f, -0.6f, -0.8f, -0.6f, 0.8f, 0.6f, 0.8f), Line(-0.6f, 0, 0.5f, 0)]),
        new("eight", [Arc(0, -0.42f, 0.42f, 90, 450), Arc(0, 0.45f, 0.47f, -90, 270)]),
        new("hourglass", [Line(-0.7f, -0.8f, 0.7f, -0.8f, -0.7f, 0.8f, 0.7f, 0.8f, -0.7f, -0.8f)]),
        new("flag", [Line(-0.5f, 0.9f, -0.5f, -0.85f, 0.6f, -0.45f, -0.5f, -0.05f)]),
        new("wave", [Line(-0.9f, 0.5f, -0.45f, -0.5f, 0, 0.5f, 0.45f, -0.5f, 0.9f, 0.5f)]),
        new("theta", [Arc(0, 0, 0.85f, 0, 360), Line(-0.85f, 0, 0.85f, 0)]),
        new("half", [Arc(-0.2f, 0, 0.85f, -90, 90), Line(-0.2f, -0.85f, -0.2f, 0.85f)]),
    ];

    /// <summary>A line through points given as x, y, x, y, ..., cut into short pieces.</summary>
    private static (float X, float Y)[] Line(params ReadOnlySpan<float> points)
    {
        List<(float, float)> line = [(points[0], points[1])];
        for (int i = 2; i < points.Length; i += 2)
        {
            float dx = points[i] - points[i - 2], dy = points[i + 1] - points[i - 1];
            int pieces = (int)MathF.Ceiling(MathF.Sqrt(dx * dx + dy * dy) / Piece);
            for (int p = 1; p <= pieces; p++) line.Add((points[i - 2] + dx * p / pieces, points[i - 1] + dy * p / pieces));
        }

        return [.. line];
    }

    /// <summary>Part of a circle between two angles in degrees, clockwise from the right; an arc from a larger angle to a smaller one goes through the bottom.</summary>
    private static (float X, float Y)[] Arc(float x, float y, float radius, float from, float to)
    {
        int pieces = (int)MathF.Ceiling(MathF.Abs(to - from) * (MathF.PI / 180) * radius / Piece);
        return [.. Enumerable.Range(0, pieces + 1).Select(p =>
        {
            var (sin, cos) = MathF.SinCos((from + (to - from) * p / pieces) * (MathF.PI / 180));
            return (x + radius * cos, y + radius * sin);
        })];
    }

    private static (float X, float Y)[] Spiral() => [.. Enumerable.Range(0, 26).Select(p =>
    {
        var (sin, cos) = MathF.SinCos(p * 0.42f);
        float radius = 0.1f + 0.032f * p;
        return (radius * cos, radius * sin);
    })];
}

/// <summary>A glyph as strokes.</summary>
/// <param name="Name">Name of its class.</param>
/// <param name="Strokes">The points of each stroke.</param>
internal sealed record Glyph(string Name, (float X, float Y)[][] Strokes);
