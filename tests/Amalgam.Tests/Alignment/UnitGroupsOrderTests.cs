using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Tests.Alignment;

/// <summary>
/// Where the order of units cannot depend on the block that they are in, as values of different blocks meet, although no value has the units without the block. All weights are small integers, and
/// outputs must stay to the bit.
/// </summary>
public class UnitGroupsOrderTests
{
    private readonly Graph _graph = new();

    [Fact]
    public void Heads_that_are_mixed_and_added_have_one_order()
    {
        Node heads = Heads(4);
        Shared(heads + Weight("mix", 3, 3).MatMul(heads), 4);
    }

    [Fact]
    public void Heads_that_are_multiplied_with_each_other_have_one_order()
    {
        Node heads = Heads(4), products = heads.MatMul(heads, transposeB: true);
        Shared(products.Reshape(2, 5, 9), 4);
    }

    [Fact]
    public void Heads_that_are_added_to_those_in_another_order_have_one_order()
    {
        Node heads = Heads(4);
        Shared(heads + heads.Slice(2, -1, long.MinValue, -1), 4);
    }

    [Fact]
    public void Blocks_that_are_divided_in_two_ways_have_one_order()
    {
        Node blocks = _graph.Input("x", new(2, 6)).MatMul(Weight("in", 6, 24)).Reshape(2, 6, 4);
        Node once = blocks.Reshape(2, 2, 3, 4), again = blocks.Reshape(2, 3, 2, 4).Transpose(0, 2, 1, 3);
        Shared(once + again, 4);
    }

    [Fact]
    public void Pixels_that_are_pooled_and_added_have_one_order_of_their_channels()
    {
        Node pixels = _graph.Input("x", new(2, 6)).MatMul(Weight("in", 6, 64)).Reshape(2, 4, 4, 4).Transpose(0, 3, 1, 2);
        Shared(pixels + pixels.MaxPool(3, 1, 1), 4);
    }

    [Fact]
    public void Heads_that_each_have_a_layer_keep_orders_of_their_own()
    {
        Node heads = Heads(4).Transpose(0, 2, 1, 3), y = heads.MatMul(Weight("own", 3, 4, 4)).Relu() + heads;
        Assert.Equal((3, 4), Found(y).Classes.Where(units => units.Size == 4 && units.Pinned is null).Select(units => (units.Blocks, units.Size)).Single());
    }

    /// <summary>Bilinear pooling: the units are on both digits of one axis.</summary>
    [Fact]
    public void Products_of_units_with_units_have_them_twice_in_an_axis()
    {
        Node units = _graph.Input("x", new(3, 6)).Linear(Weight("in", 4, 6)).Relu();
        UnitGroups groups = Found(units.Unsqueeze(1) * units.Unsqueeze(2));
        Assert.Equal(["in.0 out.1<"], groups.Texts());
        UnitLaws.ZipOfCopiesIsTheNetwork(groups, "in.0");
    }

    private void Shared(Node y, int size)
    {
        UnitClass units = Assert.Single(Found(y).Classes, units => units.Size == size && units.Parameters.Any(place => place.Node.Name == "in"));
        Assert.Equal((1, null), (units.Blocks, units.Pinned));
    }

    /// <summary>The units of a network that reads all of a sample's values.</summary>
    private UnitGroups Found(Node y)
    {
        Node flat = y.Reshape(y.Shape[0], -1);
        _graph.Output("y", flat.Linear(Weight("out", 3, flat.Shape[1])));
        UnitLaws.Preserved(_graph.WithIntegers(), 0, seeds: 4);
        return UnitLaws.Preserved(_graph.Randomise(), seeds: 4);
    }

    /// <summary>[samples, positions, heads, units].</summary>
    private Node Heads(int units) => _graph.Input("x", new(2, 5, 6)).MatMul(Weight("in", 6, 3 * units)).Reshape(2, 5, 3, units);

    private Node Weight(string name, params ReadOnlySpan<long> sizes) => _graph.Parameter(name, new(new(sizes)));
}
