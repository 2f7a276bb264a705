using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Tests.Training;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

public class StraightThroughMatchingTests
{
    private static readonly StraightThroughOptions Options = new(Epochs: 20, Batch: 200, Rate: 0.3);

    [Fact]
    public void A_twin_is_matched_at_once()
    {
        Graph network = Network(1);
        Dataset data = NaiveNetwork.Rings(400, 1);
        var (models, _) = SmallNetworks.Twins(network, 3);

        StraightThroughMatch match = StraightThroughMatching.Run(models, data, new CrossEntropy(), Options with { Epochs = 1, Batch = 400 });

        Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(match.Maps, models, 1)));
        Assert.Equal(new Evaluation(network, new CrossEntropy(), data, 100).Run().Loss, Assert.Single(match.Losses), 1e-5);
    }

    [Fact]
    public void The_loss_between_trained_networks_falls_below_that_of_weight_matching()
    {
        Dataset data = NaiveNetwork.Rings(400, 1);
        Graph a = Trained(3, data), b = Trained(4, data);
        Siblings models = Siblings.Of([a, b]);
        IReadOnlyDictionary<string, Tensor> before = Siblings.WeightsOf(Surgery.Copy(a));

        StraightThroughMatch match = StraightThroughMatching.Run(models, data, new CrossEntropy(), Options);

        double learned = Loss(models, match.Maps, data);
        double inPlace = Loss(models, UnitMaps.Identity(models.Groups, 2), data), matched = Loss(models, WeightMatching.Run(models, new())[0].Maps, data);
        Assert.True(learned < 0.6 * matched && matched < 0.6 * inPlace, $"learned {learned}, matched by weights {matched}, in place {inPlace}");
        Assert.Equal(40, match.Losses.Length);
        Assert.Equal(match.Losses.Min(), match.Losses[match.Best]);
        Assert.True(SmallNetworks.AreSame(before, models.Weights[0]));
    }

    [Fact]
    public void Refuses_three_networks_and_says_when_the_loss_is_lost()
    {
        Siblings models = Siblings.Of([Network(1), Network(2), Network(3)]), pair = Siblings.Of([Network(1), Network(2)]);
        Dataset data = NaiveNetwork.Rings(100, 1);

        Assert.Contains("found 3", Assert.Throws<GraphException>(() => StraightThroughMatching.Run(models, data, new CrossEntropy(), Options)).Message, StringComparison.Ordinal);
        Assert.Contains("lower the learning rate", Assert.Throws<TrainingException>(() => StraightThroughMatching.Run(pair, data, new CrossEntropy(), Options with { Rate = 1e38 })).Message, StringComparison.Ordinal);
    }

    internal static Graph Network(int seed)
    {
        Layers net = new(new(), seed) { LinearStart = Initialisation.KaimingFanIn };
        Node x = net.Linear(net.Graph.Input("point", new(1, 2)), "fc1", 12).Relu();
        net.Graph.Output("scores", net.Linear(net.Linear(x, "fc2", 12).Relu(), "fc3", 2));
        return net.Graph;
    }

    private static Graph Trained(int seed, Dataset data)
    {
        Graph network = Network(seed);
        new Trainer(network, new CrossEntropy(), data, new() { Rate = 0.1, Epochs = 10, Batch = 40, Seed = seed }).Run();
        return network;
    }

    private static double Loss(Siblings models, UnitMaps maps, Dataset data) => new Evaluation(models.With(Rearrangement.Merge(maps, models)).Graph, new CrossEntropy(), data, 100).Run().Loss;
}
