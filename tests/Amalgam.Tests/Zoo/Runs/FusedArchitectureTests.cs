using Amalgam.Graphs;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class FusedArchitectureTests
{
    [Theory]
    [InlineData("resnet20:blocks=3,image=3/8/8,shortcut=1x1,width=0.25", "resnet20:blocks=3,image=3/8/8,shortcut=1x1,width=0.5", "resnet20:blocks=2,image=3/8/8,shortcut=1x1,width=0.25")]
    [InlineData("vgg13:fixed_ends=true,norm=none,width=0.0625", "vgg13:norm=none,width=0.125", "vgg11:fixed_ends=true,norm=none,width=0.0625")]
    [InlineData("mlp:bias=false,hidden=9/7/7/5", "mlp:bias=false,hidden=12/11/10/5", "mlp:bias=false,hidden=9/7")]
    public void A_network_of_the_depth_of_one_and_the_widths_of_another_is_named_and_its_weights_too(string fused, params string[] parents)
    {
        Graph network = Renamed(Build(fused));
        FusedArchitecture found = FusedArchitecture.Find(network, [.. parents.Select(ModelDescription.Parse)])!;
        Assert.NotNull(found);
        Graph expected = Build(fused), named = found.Named(network), built = Build(found.Model.Text);
        Assert.Equal(expected.Parameters.Keys, named.Parameters.Keys);
        Assert.Equal(expected.Parameters.Keys, built.Parameters.Keys);
        Assert.All(expected.Parameters, p => Assert.Equal(p.Value.Value!.Span.ToArray(), named.Parameters[p.Key].Value!.Span.ToArray()));
        Assert.All(built.Parameters, p => Assert.Equal(p.Value.Shape, named.Parameters[p.Key].Shape));
    }

    [Theory]
    [InlineData("mlp:bias=true,hidden=9/7", "mlp:bias=false,hidden=12/11", "mlp:bias=false,hidden=9")]
    [InlineData("mlp:activation=gelu,hidden=9/7", "mlp:hidden=12/11", "mlp:hidden=9")]
    [InlineData("resnet20:blocks=4,image=3/8/8,shortcut=1x1,width=0.25", "resnet20:blocks=3,image=3/8/8,shortcut=1x1,width=0.5", "resnet20:blocks=2,image=3/8/8,shortcut=1x1,width=0.25")]
    public void What_is_none_of_them_has_no_name(string network, params string[] parents) =>
        Assert.Null(FusedArchitecture.Find(Build(network), [.. parents.Select(ModelDescription.Parse)]));

    private static Graph Build(string model)
    {
        ModelDescription description = ModelDescription.Parse(model);
        return ZooModel.Find(description.Name).With(description.Options).Build(2, 1);
    }

    /// <summary>The network with other names for its weights, as layers that were added give it.</summary>
    private static Graph Renamed(Graph network)
    {
        int number = 0;
        return Rewrite.Apply(network, (to, node, _) => node.Op is Parameter ? to.Parameter($"w{number++}", node.Value!, node.Trainable, node.Type) : null).Graph;
    }
}
