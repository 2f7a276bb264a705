using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Models;

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

    /// <summary>Units by class: channels, dense layers, and heads with their queries, keys and values.</summary>
    [Theory]
    [InlineData("16 32 100", "cnn-mnist-fashion-pair", "cnn-mnist.onnx")]
    [InlineData("16 32 100", "cnn-mnist-fashion-pair", "cnn-fashion-mnist.onnx")]
    [InlineData("8 16", "small-onnx", "opt-mnist.onnx")]
    [InlineData("4 8 32", "small-onnx", "cnn_max_mninst2.onnx")]
    [InlineData("2 32 64", "small-onnx", "cnn_max_mninst3.onnx")]
    [InlineData("3 4 36 36 3x12 3x12", "small-onnx", "self-attention-mnist-pgd-medium-sim.onnx")]
    [InlineData("8 8 16 16 16 16 16 16 32 32 32 64 64 64", "resnet20-cifar10", "resnet20-cifar10.onnx")]
    [InlineData("16 16 16 16 32 32 32 32 64 64 64 64", "resnet20-cifar10-halves", "a.onnx")]
    public void Units_of_files_are_found(string expected, params string[] path)
    {
        using OnnxModel model = OnnxModel.Open(RealData.At(["models", .. path]));
        UnitGroups groups = UnitLaws.Preserved(model.ToGraph(), 1e-3);
        Assert.Equal(expected, string.Join(' ', groups.Classes.Where(units => units.Pinned is null).OrderBy(units => units.Units).ThenBy(units => units.Blocks).Select(units => units.Blocks == 1 ? $"{units.Size}" : $"{units.Blocks}x{units.Size}")
            .OrderBy(text => text.Contains('x', StringComparison.Ordinal))));
    }
}
