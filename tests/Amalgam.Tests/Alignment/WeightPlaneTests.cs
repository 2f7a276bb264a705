using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Tests.Alignment;

public class WeightPlaneTests
{
    [Fact]
    public void The_plane_through_three_networks_has_them_in_it() => Property.Holds(gen =>
    {
        var networks = Networks(gen.Random, 3);
        WeightPlane plane = WeightPlane.Of(networks);
        Assert.Equal(1, plane.Explained.First + plane.Explained.Second, 1e-6);
        for (int i = 0; i < 3; i++)
        {
            var (x, y) = plane.Places[i];
            foreach (var (name, tensor) in plane.At(x, y)) Close(networks[i][name], tensor);
            var projected = plane.Project(networks[i]);
            Assert.Equal((x, y), (projected.X, projected.Y), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-4);
            Assert.Equal(0, projected.Distance, 1e-2);
        }
    });

    /// <summary>The components of few weights can be found directly, from the covariance of the weights.</summary>
    [Fact]
    public void Axes_and_shares_are_those_of_the_weights_own_covariance() => Property.Holds(gen =>
    {
        var networks = Networks(gen.Random, gen.Random.Next(4, 9));
        WeightPlane plane = WeightPlane.Of(networks);
        double[][] vectors = [.. networks.Select(Flat)];
        int d = vectors[0].Length, n = vectors.Length;
        double[] mean = [.. Enumerable.Range(0, d).Select(k => vectors.Average(v => v[k]))];
        double[] covariance = new double[d * d];
        for (int a = 0; a < d; a++)
        {
            for (int b = 0; b < d; b++) covariance[a * d + b] = vectors.Sum(v => (v[a] - mean[a]) * (v[b] - mean[b]));
        }

        var direct = Amalgam.Numerics.SymmetricEigen.Of(covariance, d);
        double total = direct.Values.Sum();
        Assert.Equal(direct.Values[0] / total, plane.Explained.First, 1e-6);
        Assert.Equal(direct.Values[1] / total, plane.Explained.Second, 1e-6);

        double[] origin = Flat(plane.At(0, 0)), first = Flat(plane.At(1, 0)), second = Flat(plane.At(0, 1));
        if (direct.Values[0] - direct.Values[1] > 0.05 * total) Assert.Equal(1, Math.Abs(Enumerable.Range(0, d).Sum(k => (first[k] - origin[k]) * direct.Vector(0)[k])), 1e-3);
        Assert.Equal(1, Math.Sqrt(Enumerable.Range(0, d).Sum(k => Square(second[k] - origin[k]))), 1e-4);
        Assert.Equal(0, Enumerable.Range(0, d).Sum(k => (first[k] - origin[k]) * (second[k] - origin[k])), 1e-4);
        for (int i = 0; i < n; i++) Assert.Equal(plane.Project(networks[i]).X, plane.Places[i].X, 1e-3);
    });

    [Fact]
    public void Weights_off_the_plane_follow_by_the_same_combination() => Property.Holds(gen =>
    {
        var networks = Networks(gen.Random, 4);
        foreach (var network in networks) network["w.copy"] = network["w"].Copy();
        WeightPlane plane = WeightPlane.Of(networks, name => name != "w.copy");
        var at = plane.At(0.7, -0.3);
        Close(at["w"], at["w.copy"]);
        Assert.Equal(WeightPlane.Of([.. networks.Select(n => n.Where(p => p.Key != "w.copy").ToDictionary())]).Explained, plane.Explained);
    });

    [Fact]
    public void Networks_without_a_plane_are_refused()
    {
        var a = Networks(new(1), 1)[0];
        var b = Networks(new(2), 1)[0];
        Assert.Contains("three networks or more, found 2", Assert.Throws<GraphException>(() => WeightPlane.Of([a, b])).Message);
        var middle = a.ToDictionary(p => p.Key, p => new Tensor(p.Value.Shape, [.. p.Value.Span.ToArray().Zip(b[p.Key].Span.ToArray(), (x, y) => (x + y) / 2)]));
        Assert.Contains("lie on a line", Assert.Throws<GraphException>(() => WeightPlane.Of([a, middle, b])).Message);
        Assert.Contains("lie on a line", Assert.Throws<GraphException>(() => WeightPlane.Of([a, a, a])).Message);
        Assert.Contains("has no 'b'", Assert.Throws<GraphException>(() => WeightPlane.Of([a, b, a.Where(p => p.Key != "b").ToDictionary()])).Message);
    }

    [Fact]
    public void A_landscape_has_the_networks_losses_where_they_are()
    {
        var networks = Networks(new(5), 3);
        WeightPlane plane = WeightPlane.Of(networks);
        static System.Collections.Immutable.ImmutableArray<double> Losses(IReadOnlyDictionary<string, Tensor> w) => [w["w"].Span[0], w["b"].Span[1]];
        var near = Landscape.Near(plane, networks, [-1, 0, 1], Losses);
        Assert.Equal(27, near.Length);
        for (int i = 0; i < 3; i++)
        {
            LandscapePoint own = near[9 * i + 4];
            Assert.Equal(Losses(networks[i]), own.Losses);
            Assert.Equal(plane.Places[i].X, own.X, 1e-4);
            Assert.Equal((networks[i]["w"].Span[0] + networks[i]["b"].Span[1]) / 2, own.Loss, 1e-6);
        }

        double[] x = [plane.Places[1].X, 0.25], y = [plane.Places[1].Y];
        var on = Landscape.On(plane, x, y, Losses);
        Assert.Equal(networks[1]["w"].Span[0], on[0].Losses[0], 1e-4);
        Assert.Equal((0.25, plane.Places[1].Y), (on[1].X, on[1].Y));
    }

    private static Dictionary<string, Tensor>[] Networks(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => new Dictionary<string, Tensor> { ["w"] = Draw(random, new(2, 3)), ["b"] = Draw(random, new(4)) })];

    private static Tensor Draw(Random random, Shape shape) => new(shape, [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (float)(random.NextDouble() * 4 - 2))]);

    private static double[] Flat(IReadOnlyDictionary<string, Tensor> network) => [.. network.Keys.Order().SelectMany(name => network[name].Span.ToArray()).Select(x => (double)x)];

    private static double Square(double x) => x * x;

    private static void Close(Tensor expected, Tensor actual)
    {
        for (int i = 0; i < expected.Count; i++) Assert.Equal(expected.Span[i], actual.Span[i], 1e-4f);
    }
}
