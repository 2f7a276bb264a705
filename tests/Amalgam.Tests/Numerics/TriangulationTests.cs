using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class TriangulationTests
{
    [Fact]
    public void Circles_through_corners_hold_no_other_point() => Property.Holds(gen =>
    {
        (double X, double Y)[] points = Points(gen.Random, gen.Random.Next(3, 40));
        foreach (var (a, b, c) in Triangulation.Of(points).Triangles)
        {
            var (x, y, radius) = Circle(points[a], points[b], points[c]);
            for (int i = 0; i < points.Length; i++) Assert.True(Math.Sqrt(Square(points[i].X - x) + Square(points[i].Y - y)) >= radius * (1 - 1e-7));
        }
    });

    [Fact]
    public void Triangles_cover_what_lies_between_the_points() => Property.Holds(gen =>
    {
        (double X, double Y)[] points = [(0, 0), (4, 0), (4, 3), (0, 3), .. Points(gen.Random, gen.Random.Next(0, 40)).Select(p => (p.X * 4, p.Y * 3))];
        double area = Triangulation.Of(points).Triangles.Sum(t => Math.Abs(Area(points[t.A], points[t.B], points[t.C])));
        Assert.Equal(12, area, 1e-6);
    });

    [Fact]
    public void Points_of_a_grid_and_points_at_one_place_are_no_obstacle()
    {
        (double X, double Y)[] points = [.. from y in Enumerable.Range(0, 7) from x in Enumerable.Range(0, 9) select ((double)x, (double)y), (3, 3), (3, 3)];
        double area = Triangulation.Of(points).Triangles.Sum(t => Math.Abs(Area(points[t.A], points[t.B], points[t.C])));
        Assert.Equal(48, area, 1e-9);
    }

    [Fact]
    public void A_linear_function_is_interpolated_exactly_and_nothing_outside() => Property.Holds(gen =>
    {
        (double X, double Y)[] points = [(0, 0), (1, 0), (1, 1), (0, 1), .. Points(gen.Random, gen.Random.Next(0, 30))];
        Triangulation triangles = Triangulation.Of(points);
        double[] values = [.. points.Select(p => 3 - 2 * p.X + 5 * p.Y)];
        double x = gen.Random.NextDouble(), y = gen.Random.NextDouble();
        Assert.Equal(3 - 2 * x + 5 * y, triangles.Interpolate(values, x, y), 1e-6);
        Assert.True(double.IsNaN(triangles.Interpolate(values, x, 1.1 + y)));
    });

    private static (double X, double Y)[] Points(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextDouble(), random.NextDouble()))];

    private static double Square(double x) => x * x;

    private static double Area((double X, double Y) a, (double X, double Y) b, (double X, double Y) c) => 0.5 * ((b.X - a.X) * (c.Y - a.Y) - (c.X - a.X) * (b.Y - a.Y));

    private static (double X, double Y, double Radius) Circle((double X, double Y) a, (double X, double Y) b, (double X, double Y) c)
    {
        double bx = b.X - a.X, by = b.Y - a.Y, cx = c.X - a.X, cy = c.Y - a.Y, d = 2 * (bx * cy - by * cx);
        double x = (cy * (bx * bx + by * by) - by * (cx * cx + cy * cy)) / d, y = (bx * (cx * cx + cy * cy) - cx * (bx * bx + by * by)) / d;
        return (a.X + x, a.Y + y, Math.Sqrt(x * x + y * y));
    }
}
