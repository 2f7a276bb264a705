using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Numerics;

namespace Amalgam.Zoo.Report;

/// <summary>The pictures of a loss landscape.</summary>
public static class LandscapeParts
{
    private const int FineCells = 61;

    /// <summary>The loss on the plane, the losses of the tasks, and, where it was sampled so, near the plane.</summary>
    /// <param name="plane">The plane.</param>
    /// <param name="x">The grid on the plane along the first axis.</param>
    /// <param name="y">The grid along the second.</param>
    /// <param name="on">Losses on the plane, row by row from the least y on.</param>
    /// <param name="near">Losses near the plane; empty for none.</param>
    /// <param name="marks">Places with a name.</param>
    /// <param name="tasks">Names of the tasks; of one task it does not matter.</param>
    public static ImmutableArray<ReportPart> Of(
        WeightPlane plane, ImmutableArray<double> x, ImmutableArray<double> y, ImmutableArray<LandscapePoint> on, ImmutableArray<LandscapePoint> near, IReadOnlyList<LandscapeMark> marks, IReadOnlyList<string> tasks)
    {
        double[] losses = [.. on.Select(p => p.Loss).Order()];
        double high = losses[0] + 3 * (losses[losses.Length / 2] - losses[0]) + 1e-9;
        ContourMap Map(string title, Func<LandscapePoint, double> height, double? most) => new(title, x, y, [.. on.Select(height)])
        {
            XName = "first component",
            YName = "second component",
            Marks = [.. marks],
            High = most,
            Format = "0.00",
        };
        List<ReportPart> parts = [
            new Heading("The loss around the networks"),
            new Paragraph(FormattableString.Invariant(
                $"The plane nearest to the networks' weights: its axes hold {plane.Explained.First:0.0%} and {plane.Explained.Second:0.0%} of their squared distances from the mean. Networks are marked at their nearest point of the plane."), Quiet: true),
            Map(tasks.Count > 1 ? "Mean loss of the tasks, on the plane" : "Loss on the plane", p => p.Loss, high),
        ];
        if (tasks.Count > 1) parts.Add(new SideBySide([.. tasks.Select((task, t) => Map($"Loss of {task}", p => p.Losses[t], null) with { High = high })]));
        if (!near.IsEmpty) parts.AddRange(Near(x, y, near, marks, high));
        return [.. parts];
    }

    /// <summary>As MuDSC's authors drew it: losses of networks near the plane at their places, and between them by Delaunay's triangles.</summary>
    private static IEnumerable<ReportPart> Near(ImmutableArray<double> x, ImmutableArray<double> y, ImmutableArray<LandscapePoint> near, IReadOnlyList<LandscapeMark> marks, double high)
    {
        Triangulation triangles = Triangulation.Of([.. near.Select(p => (p.X, p.Y))]);
        double[] heights = [.. near.Select(p => p.Loss)];
        ImmutableArray<double> fineX = Landscape.Around([x[0], x[^1]], FineCells, 0), fineY = Landscape.Around([y[0], y[^1]], FineCells, 0);
        ImmutableArray<double> values = [.. fineY.SelectMany(b => fineX.Select(a => triangles.Interpolate(heights, a, b)))];
        yield return new ContourMap("Mean loss of networks near the plane, each at its place in it", fineX, fineY, values)
        {
            XName = "first component",
            YName = "second component",
            Marks = [.. marks],
            High = high,
            Format = "0.00",
        };
        yield return new Paragraph("What stands at a place here is the loss of a network whose nearest point of the plane it is, and between such networks an interpolation: where they lie off the plane the two pictures differ.", Quiet: true);
    }
}
