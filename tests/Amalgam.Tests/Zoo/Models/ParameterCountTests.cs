using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>Numbers of trained weights as the papers' and the usual implementations' authors count them.</summary>
public class ParameterCountTests
{
    [Theory]
    [InlineData("mlp", "bias=false", 784 * 400 + 400 * 200 + 200 * 100 + 100 * 10)]
    [InlineData("mlp", "hidden=1024,1024,1024;classes=512;bias=false;last_activation=true", 3_424_256)]
    [InlineData("mlp", "", 784 * 400 + 400 + 400 * 200 + 200 + 200 * 100 + 100 + 100 * 10 + 10)]
    [InlineData("cnn", "", 16 * 10 + 32 * (16 * 9 + 1) + 64 * (32 * 9 + 1) + 128 * (64 * 9 + 1) + 10 * 129)]
    [InlineData("vgg11", "", 9_231_114)]
    [InlineData("vgg13", "", 9_416_010)]
    [InlineData("vgg16", "", 14_728_266)]
    [InlineData("vgg19", "", 20_040_522)]
    [InlineData("resnet20", "", 269_722)]
    [InlineData("resnet20", "blocks=9", 853_018)]
    [InlineData("resnet18", "", 11_173_962)]
    [InlineData("resnet34", "", 21_282_122)]
    [InlineData("mobilenetv2", "classes=1000", 3_504_872)]
    [InlineData("mobilenetv2", "", 2_236_682)]
    [InlineData("vit_tiny", "image=3,224,224;patch=16;classes=1000", 5_717_416)]
    [InlineData("bert", "vocabulary=30522", 4_385_920 + 2 * 128 + 2)]
    public void Counts_are_the_published_ones(string model, string options, long count) =>
        Assert.Equal(count, Trained(ZooModel.Find(model).With(ZooModelTests.Options(options)).Build(1, null)));

    [Theory]
    [InlineData(TextFamily.Bert, 30522, 512, 2, true, 109_482_240)]
    [InlineData(TextFamily.DistilBert, 30522, 512, 2, false, 66_362_880)]
    [InlineData(TextFamily.Roberta, 50265, 514, 1, true, 124_645_632)]
    public void Base_sizes_are_the_published_ones(TextFamily family, int vocabulary, int positions, int segments, bool pooler, long count)
    {
        long Of(int words, int depth) => Trained(new TextEncoder(family, words, 768, depth, 12, 3072) { Positions = positions, Segments = segments, Classes = 0, Pooler = pooler, Length = 4 }.Build(1, null));
        int depth = family == TextFamily.DistilBert ? 6 : 12;
        long block = Of(100, 2) - Of(100, 1);
        Assert.Equal(count, Of(100, 1) + ((depth - 1) * block) + ((vocabulary - 100) * 768L));
    }

    private static long Trained(Graph graph) => graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count);
}
