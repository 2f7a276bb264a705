using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

public class DropoutTests
{
    [Fact]
    public void Leaves_a_network_alone_that_is_not_trained()
    {
        Graph graph = new();
        Node x = graph.Weights(new(5), 40);
        Assert.Equal(x.Value!.Span.ToArray(), Oracles.Value(x.Dropout(0.5f)));
    }

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    public void Drops_its_share_in_training_and_keeps_the_mean(float ratio)
    {
        float[] mask = Mask(ratio, seed: 3, step: 8);
        Assert.All(mask, value => Assert.True(value == 0 || value == 1 / (1 - ratio), $"{value}"));
        Assert.Equal(ratio, mask.Count(value => value == 0) / (double)mask.Length, 0.01);
        Assert.Equal(1, mask.Average(), 0.05);
    }

    [Fact]
    public void A_mask_depends_on_the_seed_the_step_and_its_number_alone()
    {
        Assert.Equal(OnThreads.One(() => Mask(0.5f, 1, 2)), OnThreads.Four(() => Mask(0.5f, 1, 2)));
        Assert.Equal(Mask(0.5f, 1, 2)[..1000], Mask(0.5f, 1, 2, count: 1000));
        Assert.NotEqual(Mask(0.5f, 1, 2), Mask(0.5f, 2, 2));
        Assert.NotEqual(Mask(0.5f, 1, 2), Mask(0.5f, 1, 3));
        Assert.NotEqual(Mask(0.5f, 1, 2), Mask(0.5f, 2, 1));
        Assert.NotEqual(Mask(0.5f, 1, 2), Mask(0.5f, 1, 2, second: true));
    }

    [Fact]
    public void The_gradient_passes_where_the_element_passed()
    {
        Graph graph = new();
        Node x = graph.Weights(new(6), 50);
        graph.Output("y", x.Dropout(0.4f));
        Graph training = Rewrite.ForTraining(graph).Graph;
        Node p = training.Parameters.Values.Single(), dx = Gradients.Of(training.Outputs["y"], training.Constant(Ones(50)), [p])[p];
        float[] y = Oracles.Value(training.Outputs["y"], Inputs(7, 9)), found = Oracles.Value(dx, Inputs(7, 9));
        Assert.Contains(0, found);
        Assert.Equal(y, found.Zip(p.Value!.Span.ToArray(), (d, v) => d * v));
    }

    [Fact]
    public void Refuses_to_drop_everything() =>
        Assert.Contains("must be in [0, 1), found 1", Assert.Throws<GraphException>(() => new Graph().Input("x", new(2)).Dropout(1)).Message);

    private static float[] Mask(float ratio, int seed, int step, int count = 100_000, bool second = false)
    {
        Graph graph = new();
        Node one = graph.Constant(Ones(count)), x = graph.Input("x", new(count));
        graph.Output("first", (one * x).Dropout(ratio));
        graph.Output("second", (one * x).Dropout(ratio));
        Dictionary<string, Tensor> inputs = Inputs(seed, step);
        inputs["x"] = Ones(count);
        return Oracles.Value(Rewrite.ForTraining(graph).Graph.Outputs[second ? "second" : "first"], inputs);
    }

    private static Dictionary<string, Tensor> Inputs(int seed, int step) => new() { [TrainingForm.SeedName] = Tensor.Scalar(seed), [TrainingForm.StepName] = Tensor.Scalar(step) };

    private static Tensor Ones(int count)
    {
        Tensor ones = new(new Shape(count));
        ones.Span.Fill(1);
        return ones;
    }
}
