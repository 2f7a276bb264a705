using System.Collections.Immutable;

namespace Amalgam.Numerics;

/// <summary>Delaunay's triangulation of points in the plane, one point after the other (Bowyer 1981, Watson 1981), and linear interpolation between them.</summary>
public sealed class Triangulation
{
    private readonly (double X, double Y)[] _points;
    private readonly int _count;

    private Triangulation((double X, double Y)[] points, int count, ImmutableArray<(int A, int B, int C)> triangles) => (_points, _count, Triangles) = (points, count, triangles);

    /// <summary>The triangles, by the indices of their corners.</summary>
    public ImmutableArray<(int A, int B, int C)> Triangles { get; }

    /// <summary>Triangulates.</summary>
    /// <param name="points">The points; of several at one place the first counts.</param>
    public static Triangulation Of(IReadOnlyList<(double X, double Y)> points)
    {
        int n = points.Count;
        double left = points.Min(p => p.X), low = points.Min(p => p.Y);
        double size = Math.Max(1e-300, Math.Max(points.Max(p => p.X) - left, points.Max(p => p.Y) - low));
        (double X, double Y)[] scaled = [.. points.Select(p => ((p.X - left) / size, (p.Y - low) / size)), (-1e4, -1e4), (1e4, -1e4), (0, 2e4)];
        List<(int A, int B, int C)> triangles = [(n, n + 1, n + 2)];
        HashSet<(double, double)> seen = [];
        for (int i = 0; i < n; i++)
        {
            if (seen.Add(scaled[i])) Insert(triangles, scaled, i);
        }

        (double, double)[] corners = [.. points];
        return new(corners, n, [.. triangles.Where(t => t.A < n && t.B < n && t.C < n)]);
    }

    /// <summary>The value at a place, linear within each triangle; NaN outside of all.</summary>
    /// <param name="values">A value for each point.</param>
    /// <param name="x">The place.</param>
    /// <param name="y">The place.</param>
    public double Interpolate(IReadOnlyList<double> values, double x, double y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Count, _count, nameof(values));
        foreach (var (a, b, c) in Triangles)
        {
            var ((ax, ay), (bx, by), (cx, cy)) = (_points[a], _points[b], _points[c]);
            double area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
            double u = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area, v = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area;
            if (u >= -1e-9 && v >= -1e-9 && u + v <= 1 + 1e-9) return u * values[a] + v * values[b] + (1 - u - v) * values[c];
        }

        return double.NaN;
    }

    /// <summary>Takes out the triangles in whose circumcircle the point lies, and joins it with the edges of the hole.</summary>
    private static void Insert(List<(int A, int B, int C)> triangles, (double X, double Y)[] points, int i)
    {
        HashSet<(int From, int To)> edges = [];
        for (int t = triangles.Count - 1; t >= 0; t--)
        {
            var (a, b, c) = triangles[t];
            if (!InCircle(points[a], points[b], points[c], points[i])) continue;
            triangles.RemoveAt(t);
            foreach (var edge in (ReadOnlySpan<(int From, int To)>)[(a, b), (b, c), (c, a)])
            {
                if (!edges.Remove((edge.To, edge.From))) edges.Add(edge);
            }
        }

        foreach (var (from, to) in edges)
        {
            if (Area(points[from], points[to], points[i]) != 0) triangles.Add((from, to, i));
        }
    }

    private static double Area((double X, double Y) a, (double X, double Y) b, (double X, double Y) c) => (b.X - a.X) * (c.Y - a.Y) - (c.X - a.X) * (b.Y - a.Y);

    /// <summary>Whether a point lies within the circle through three others, which stand counter-clockwise.</summary>
    private static bool InCircle((double X, double Y) a, (double X, double Y) b, (double X, double Y) c, (double X, double Y) p)
    {
        double ax = a.X - p.X, ay = a.Y - p.Y, bx = b.X - p.X, by = b.Y - p.Y, cx = c.X - p.X, cy = c.Y - p.Y;
        double aa = ax * ax + ay * ay, bb = bx * bx + by * by, cc = cx * cx + cy * cy;
        return ax * (by * cc - bb * cy) - ay * (bx * cc - bb * cx) + aa * (bx * cy - by * cx) > 0;
    }
}
