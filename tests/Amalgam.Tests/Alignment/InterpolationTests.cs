using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Tests.Alignment;

public class InterpolationTests
{
    /// <summary>A linear network's squared error is a parabola along a line: with d the difference of the two results it lies lambda (1 - lambda) mean d^2 below the line between its ends.</summary>
    [Fact]
    public void A_linear_network_has_the_barrier_of_a_parabola()
    {
        Samples data = new("x", new(4), 60, 2);
        Siblings models = Siblings.Of([Linear(1), Linear(2)]);
        var points = Interpolation.Run(models, new ToLabel(), data, batch: 13);
        Assert.Equal(25, points.Length);
        Assert.Equal((0.0, 1.0), (points[0].Lambda, points[^1].Lambda));
        double[] difference = [.. models.Weights[0]["w"].Span.ToArray().Zip(models.Weights[1]["w"].Span.ToArray(), (a, b) => (double)a - b)];
        float[] x = new float[4];
        double square = 0;
        for (int i = 0; i < 60; i++)
        {
            data.Read(0, i, default, x);
            square += Math.Pow(x.Zip(difference, (a, b) => a * b).Sum(), 2) / 60;
        }

        foreach (InterpolationPoint point in points) Assert.Equal(-point.Lambda * (1 - point.Lambda) * square, point.Barrier, 1e-5);
        Assert.Equal(0, Interpolation.Barrier(points), 1e-12);
        Assert.All(points, point => Assert.Null(point.Accuracy));
    }

    [Fact]
    public void Ends_are_the_networks_and_twins_have_no_barrier()
    {
        (Siblings models, Samples data) = ActivationStatisticsTests.Models("mlp", 2);
        Loss loss = new CrossEntropy();
        var points = Interpolation.Run(models, loss, data, [0.5, 0, 1], batch: 20);
        Assert.Equal([0.5, 0, 1], points.Select(p => p.Lambda));
        for (int model = 0; model < 2; model++)
        {
            Score score = new Evaluation(models.With(model).Graph, loss, data, 20).Run();
            Assert.Equal((score.Loss, score.Accuracy), (points[1 + model].Loss, points[1 + model].Accuracy));
        }

        Siblings twins = new(models.Groups, [models.Weights[0], models.Weights[0]]);
        Assert.All(Interpolation.Run(twins, loss, data, [0.25, 0.5, 0.9]), point => Assert.Equal(0, point.Barrier, 1e-6));
        Assert.NotEqual(0, points[0].Barrier);
    }

    [Fact]
    public void Statistics_are_estimated_anew_at_every_point_where_asked_and_parents_stay()
    {
        (Siblings models, Samples data) = ActivationStatisticsTests.Models("resnet", 2);
        float[][] before = [.. models.Weights.SelectMany(w => w.Values.Select(t => t.Span.ToArray()))];
        var points = Interpolation.Run(models, new CrossEntropy(), data, [0.5], data, batch: 20);
        Assert.Equal(before, models.Weights.SelectMany(w => w.Values.Select(t => t.Span.ToArray())));
        Graph middle = models.With(Rearrangement.Merge(UnitMaps.Identity(models.Groups, 2), models)).Graph;
        double interpolated = new Evaluation(middle, new CrossEntropy(), data, 20).Run().Loss;
        BatchNormReset.Run(middle, data, 20);
        Assert.Equal(new Evaluation(middle, new CrossEntropy(), data, 20).Run().Loss, points[0].Loss, 1e-5);
        Assert.True(Math.Abs(points[0].Loss - interpolated) > 1e-3);
    }

    [Fact]
    public void A_line_needs_two_networks()
    {
        (Siblings models, Samples data) = ActivationStatisticsTests.Models("mlp", 3);
        Assert.Contains("two networks, found 3", Assert.Throws<GraphException>(() => Interpolation.Run(models, new CrossEntropy(), data)).Message, StringComparison.Ordinal);
    }

    private static Graph Linear(int seed)
    {
        Graph graph = new();
        Random random = new(seed);
        graph.Output("y", graph.Input("x", new(2, 4)).Linear(graph.Parameter("w", new(new(1, 4), [.. Enumerable.Range(0, 4).Select(_ => (float)random.NextDouble())]))));
        return graph;
    }

    private sealed record ToLabel() : Loss("label")
    {
        public override LossNodes Add(Node output)
        {
            Node truth = output.Graph.Input(Target, new(output.Shape[0]), DType.I64);
            return new(output.Reshape(-1).MeanSquaredError(truth.Cast(DType.F32)), truth);
        }
    }
}
