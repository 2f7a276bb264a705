using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Checkpoints;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Alignment.Fusion;

/// <summary>A network fused of two of other depths and widths runs elsewhere as it runs here.</summary>
public class FusedNetworkTests
{
    [Theory]
    [InlineData("mlp:input=12,hidden=20/16/12/8,classes=5", "mlp:input=12,hidden=14/9,classes=5")]
    [InlineData("resnet20:blocks=3,width=0.5", "resnet20:blocks=2,width=0.25")]
    [InlineData("resnet34:norm=none,width=0.0625", "resnet18:norm=none,width=0.125")]
    [InlineData("vgg13:width=0.125", "vgg11:width=0.0625")]
    [InlineData("vit_tiny:depth=3,hidden=48,heads=3,inner=64", "vit_tiny:depth=2,hidden=32,heads=2,inner=48")]
    public void Onnx_Runtime_agrees(string deep, string shallow)
    {
        OnnxRuntime.Require();
        Graph a = ModelLoader.Build(ModelDescription.Parse(deep), 2, 1), b = ModelLoader.Build(ModelDescription.Parse(shallow), 2, 2);
        BalancedNetworks pair = LayerBalancing.Add(LayerAlignment.Run(NetworkLayers.Of(a), NetworkLayers.Of(b), new() { Measure = LayerMeasure.Width }));
        Siblings brought = TransportFusion.Match(Homologues.Of(pair.A, pair.B), new() { Space = MatchingSpace.Weights }).Siblings();

        Graph fused = brought.With(Rearrangement.Merge(UnitMaps.Identity(brought.Groups, 2), brought)).Graph, three = Rewrite.Resize(fused, 3).Graph;

        Assert.Equal(NetworkLayers.Of(a).Layers.Length, NetworkLayers.Of(fused).Layers.Length);
        Dictionary<string, Tensor> inputs = three.Inputs.ToDictionary(i => i.Key, i => Initialisation.Normal(1).Draw(i.Value.Shape, 3, i.Key));
        OnnxRuntime.AssertAgrees(path => OnnxModel.Write(fused, path, new("batch")), three, inputs);
    }
}
