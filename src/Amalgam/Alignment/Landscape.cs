using System.Collections.Immutable;

namespace Amalgam.Alignment;

/// <summary>A point of a landscape.</summary>
/// <param name="X">Along the first axis.</param>
/// <param name="Y">Along the second.</param>
/// <param name="Losses">What the weights there, or near there, cost; one loss for each task.</param>
public sealed record LandscapePoint(double X, double Y, ImmutableArray<double> Losses)
{
    /// <summary>The mean over the tasks.</summary>
    public double Loss => Losses.Average();
}

/// <summary>What the weights in and near a plane cost.</summary>
public static class Landscape
{
    /// <summary>Losses on the plane itself, at the points of a grid, row by row from the least y on.</summary>
    /// <param name="plane">The plane.</param>
    /// <param name="x">The grid along the first axis.</param>
    /// <param name="y">The grid along the second.</param>
    /// <param name="losses">What weights cost, for each task.</param>
    /// <param name="progress">Hears how many points are done.</param>
    /// <param name="cancel">Stops between points.</param>
    public static ImmutableArray<LandscapePoint> On(
        WeightPlane plane, IReadOnlyList<double> x, IReadOnlyList<double> y, Func<IReadOnlyDictionary<string, Tensor>, ImmutableArray<double>> losses, IProgress<int>? progress = null, CancellationToken cancel = default) =>
        Run([.. y.SelectMany(b => x.Select(a => (a, b)))], i => plane.At(x[i % x.Count], y[i / x.Count]), losses, progress, cancel);

    /// <summary>
    /// Losses as MuDSC's authors sampled them: of networks themselves and moved by fixed steps along the axes, each at its place in the plane. So what is shown is near the plane,
    /// not on it: the networks do not lie in it.
    /// </summary>
    /// <param name="plane">The plane.</param>
    /// <param name="networks">The networks.</param>
    /// <param name="steps">Steps along each axis, such as -1, 0 and 1.</param>
    /// <param name="losses">What weights cost, for each task.</param>
    /// <param name="progress">Hears how many points are done.</param>
    /// <param name="cancel">Stops between points.</param>
    public static ImmutableArray<LandscapePoint> Near(
        WeightPlane plane, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> networks, IReadOnlyList<double> steps, Func<IReadOnlyDictionary<string, Tensor>, ImmutableArray<double>> losses, IProgress<int>? progress = null,
        CancellationToken cancel = default)
    {
        var moves = (from network in networks let place = plane.Project(network) from dy in steps from dx in steps select (network, place, dx, dy)).ToArray();
        return Run([.. moves.Select(m => (m.place.X + m.dx, m.place.Y + m.dy))], i => plane.Near(moves[i].network, moves[i].dx, moves[i].dy), losses, progress, cancel);
    }

    /// <summary>Evenly spaced values around places, with a margin of a share of their extent on both sides.</summary>
    /// <param name="places">Values along one axis.</param>
    /// <param name="count">Number of values.</param>
    /// <param name="margin">Share of the extent.</param>
    public static ImmutableArray<double> Around(IEnumerable<double> places, int count, double margin)
    {
        double[] all = [.. places];
        double low = all.Min(), high = all.Max(), room = margin * (high - low);
        return [.. Enumerable.Range(0, count).Select(i => low - room + i * (high - low + 2 * room) / Math.Max(1, count - 1))];
    }

    private static ImmutableArray<LandscapePoint> Run(
        (double X, double Y)[] places, Func<int, IReadOnlyDictionary<string, Tensor>> weights, Func<IReadOnlyDictionary<string, Tensor>, ImmutableArray<double>> losses, IProgress<int>? progress, CancellationToken cancel)
    {
        var points = ImmutableArray.CreateBuilder<LandscapePoint>(places.Length);
        for (int i = 0; i < places.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            points.Add(new(places[i].X, places[i].Y, losses(weights(i))));
            progress?.Report(i + 1);
        }

        return points.MoveToImmutable();
    }
}
