using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Models;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

/// <summary>The units of every architecture, and of every file of the real data.</summary>
public class UnitGroupsZooTests
{
    [Theory, MemberData(nameof(ZooModelTests.Networks), MemberType = typeof(ZooModelTests))]
    public void Units_of_every_architecture_are_found_and_no_more_than_it_has(string model, string options)
    {
        Graph graph = ZooModelTests.Build(model, options, 2, 1).Randomise();
        UnitGroups groups = UnitLaws.Preserved(graph, 1e-3);
        UnitLaws.NoPlaceAlone(groups);
        Assert.Equal(graph.Parameters.Count > 2, groups.Classes.Any(units => units.Pinned is null));
    }

    [Theory]
    [InlineData(28, "cnn-mnist-fashion-pair", "cnn-mnist.onnx")]
    [InlineData(28, "cnn-mnist-fashion-pair", "cnn-fashion-mnist.onnx")]
    [InlineData(28, "small-onnx", "opt-mnist.onnx")]
    [InlineData(28, "small-onnx", "cnn_max_mninst2.onnx")]
    [InlineData(28, "small-onnx", "cnn_max_mninst3.onnx")]
    [InlineData(28, "small-onnx", "self-attention-mnist-pgd-medium-sim.onnx")]
    [InlineData(32, "resnet20-cifar10", "resnet20-cifar10.onnx")]
    [InlineData(32, "resnet20-cifar10-halves", "a.onnx")]
    public void Units_of_files_are_found(int least, params string[] path)
    {
        using OnnxModel model = OnnxModel.Open(RealData.At(["models", .. path]));
        UnitGroups groups = UnitLaws.Preserved(model.ToGraph(), 1e-3);
        Assert.InRange(groups.Classes.Where(units => units.Pinned is null).Sum(units => units.Units), least, int.MaxValue);
    }
}
