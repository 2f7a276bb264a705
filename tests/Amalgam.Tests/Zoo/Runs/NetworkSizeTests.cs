using Amalgam.Graphs;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class NetworkSizeTests
{
    public static TheoryData<string> Architectures => [.. ZooModel.All.Select(model => model.Name)];

    [Theory, MemberData(nameof(Architectures))]
    public void Networks_of_one_architecture_are_the_same_whatever_their_weights(string name) =>
        Assert.True(NetworkSize.IsSame(ZooModel.Find(name).Build(2, seed: 1), ZooModel.Find(name).Build(2, seed: 2)));

    [Fact]
    public void Published_networks_of_one_architecture_are_the_same()
    {
        Graph a = ModelLoader.Load(RealData.At("models", "resnet20-cifar10-halves", "a.onnx")), b = ModelLoader.Load(RealData.At("models", "resnet20-cifar10-halves", "b.onnx"));
        Assert.True(NetworkSize.IsSame(a, b));
    }

    [Fact]
    public void Another_activation_makes_another_network()
    {
        Graph relu = new(), tanh = new();
        relu.Output("y", relu.Input("x", new(1, 3)).Relu());
        tanh.Output("y", tanh.Input("x", new(1, 3)).Tanh());
        Assert.False(NetworkSize.IsSame(relu, tanh));
    }
}
