using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>Channels of the convolutions, as the papers list them.</summary>
public class WidthTests
{
    [Theory]
    [InlineData("vgg11", "", "64 128 256 256 512 512 512 512")]
    [InlineData("vgg11", "width=0.5;fixed_ends=true", "64 64 128 128 256 256 256 512")]
    [InlineData("vgg13", "width=2;fixed_ends=true", "64 128 256 256 512 512 1024 1024 1024 512")]
    [InlineData("vgg13", "width=0.5", "32 32 64 64 128 128 256 256 256 256")]
    [InlineData("resnet20", "width=2;blocks=1", "32 32 32 64 64 128 128")]
    [InlineData("resnet18", "width=0.5", "32 32 32 32 32 64 64 64 64 64 128 128 128 128 128 256 256 256 256 256")]
    public void Convolutions_have_the_papers_channels(string model, string options, string channels)
    {
        Graph graph = ZooModel.Find(model).With(ZooModelTests.Options(options)).Build(1, null);
        Assert.Equal(channels, string.Join(' ', graph.Parameters.Values.Where(p => p.Shape.Rank == 4).Select(p => p.Shape[0])));
    }

    [Fact]
    public void The_last_projection_of_MobileNetV2_is_the_one_of_the_paper()
    {
        Graph graph = ZooModel.Find("mobilenetv2").With().Build(1, null);
        Assert.Equal(new Shape(160, 960, 1, 1), graph.Parameters["features.16.conv.2.weight"].Shape);
        Assert.Equal(new Shape(10, 1280), graph.Parameters["classifier.1.weight"].Shape);
    }
}
