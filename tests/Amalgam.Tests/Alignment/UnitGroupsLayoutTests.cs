using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Alignment;

/// <summary>Units of networks whose axes are joined, cut, interleaved and divided. Weights are small integers where sums are exact, and then outputs must stay to the bit.</summary>
public class UnitGroupsLayoutTests
{
    private readonly Graph _graph = new();

    [Fact]
    public void A_concatenation_has_a_segment_for_each_of_its_parts()
    {
        Node x = Image(3, 8);
        Node a = Conv(x, "a", 4).Relu(), b = Conv(Layout.Concat(1, x, a), "b", 5).Relu();
        UnitGroups groups = Exact(Pooled(Conv(Layout.Concat(1, a, b, a), "c", 6).Relu()));
        Assert.Equal(["a.weight.0 b.weight.1[3+4]< c.weight.1[0+4]< c.weight.1[9+4]<", "b.weight.0 c.weight.1[4+5]<", "c.weight.0 head.weight.1<"], groups.Texts());
    }

    [Fact]
    public void Half_of_the_channels_may_pass_and_the_halves_be_interleaved()
    {
        Node x = Conv(Image(3, 6), "a", 8).Relu();
        Node y = Layout.Concat(1, x.Slice(1, 0, 4), Conv(x.Slice(1, 4), "b", 4).Relu());
        y = y.Reshape(2, 2, 4, 6, 6).Transpose(0, 2, 1, 3, 4).Reshape(2, 8, 6, 6);
        UnitGroups groups = Exact(Pooled(Conv(y, "c", 3).Relu()));
        Assert.Equal(["a.weight.0[0+4] b.weight.0 c.weight.1[0+4]< c.weight.1[1+4]<", "a.weight.0[4+4] b.weight.1<", "c.weight.0 head.weight.1<"], groups.Texts());
    }

    /// <summary>A residual stream through two shuffles of halves: positions are told apart one by one, down to segments of one.</summary>
    [Fact]
    public void Shuffles_again_and_again_still_preserve()
    {
        Node x = Conv(Image(3, 6), "a", 12).Relu();
        for (int i = 0; i < 3; i++)
        {
            x = Layout.Concat(1, x.Slice(1, 0, 6), Conv(x.Slice(1, 6), $"b{i}", 6).Relu());
            x = x.Reshape(2, 2, 6, 6, 6).Transpose(0, 2, 1, 3, 4).Reshape(2, 12, 6, 6).Clip(0, 8);
        }

        Exact(Pooled(x));
    }

    [Fact]
    public void Groups_of_a_convolution_are_blocks_of_its_inputs_and_outputs()
    {
        Node x = Conv(Image(3, 6), "a", 6).Relu();
        Node y = x.Conv(Weight("b.weight", 8, 3, 3, 3), groups: 2, pad: 1).Relu();
        UnitGroups groups = Exact(Pooled(Conv(y, "c", 3)));
        UnitGroup blocks = groups.Groups.First(group => group.Classes.Length > 1);
        Assert.Equal((2, "a.weight.0 b.weight.0 c.weight.1<"), (blocks.Root.Size, blocks.Root.Text()));
        Assert.Equal([(3, 2, "a.weight.0 b.weight.1<"), (4, 2, "b.weight.0 c.weight.1<")], blocks.Root.Inner.Select(inner => (inner.Size, inner.Blocks, inner.Text())).Order());
    }

    [Fact]
    public void Channels_each_with_filters_of_its_own_are_one_class()
    {
        Node x = Conv(Image(3, 6), "a", 6).Relu();
        Node y = x.Conv(Weight("b.weight", 6, 1, 3, 3), groups: 6, pad: 1).Relu(), z = y.Conv(Weight("c.weight", 12, 1, 3, 3), groups: 6, pad: 1).Relu();
        UnitGroups groups = Exact(Pooled(z));
        Assert.Equal("a.weight.0 b.weight.0 c.weight.0 head.weight.1<", groups.With("a.weight.0").Text());
        Assert.Equal((2, 6), (groups.With("a.weight.0").Inner[0].Size, groups.With("a.weight.0").Inner[0].Blocks));
    }

    [Fact]
    public void Transposed_convolutions_have_their_inputs_first()
    {
        Node x = Conv(Image(3, 4), "a", 6).Relu();
        Node up = _graph.Add(new ConvTranspose([2, 2]), x, Weight("up.weight", 6, 5, 2, 2), Weight("up.bias", 5)).Relu();
        Node grouped = _graph.Add(new ConvTranspose([2, 2], Groups: 2), x, Weight("down.weight", 6, 2, 2, 2)).Relu();
        UnitGroups groups = Exact(Pooled(Conv(Layout.Concat(1, up, grouped), "b", 3).Relu()));
        Assert.Contains("b.weight.1[0+5]< up.bias.0 up.weight.1", groups.Texts());
        Assert.Equal("a.weight.0 b.weight.1[5+4]< down.weight.0< up.weight.0<", groups.With("up.weight.0<").Text());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Groups_of_a_normalisation_are_blocks(bool exported)
    {
        Node x = Conv(Image(3, 6), "a", 8), ones = _graph.Constant(new Tensor(new(4), [1, 1, 1, 1])), zeros = _graph.Constant(new Tensor(new(4)));
        Node scale = Weight("norm.weight", 8), bias = Weight("norm.bias", 8);
        Node y = !exported ? x.GroupNormalization(4, scale, bias)
            : _graph.Add(new InstanceNormalization(), x.Reshape(0, 4, -1), ones, zeros).Reshape(2, 8, 6, 6) * scale.Reshape(8, 1, 1) + bias.Reshape(8, 1, 1);
        _graph.Output("y", Pooled(y.Relu()));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise(), 1e-3);
        UnitLaws.NoPlaceAlone(groups);
        UnitGroup blocks = Assert.Single(groups.Groups, group => !group.IsPinned);
        Assert.Equal("a.weight.0 head.weight.1< norm.bias.0 norm.weight.0", blocks.Root.Text());
        Assert.Equal((4, 2, 4), (blocks.Root.Size, blocks.Root.Inner[0].Size, blocks.Root.Inner[0].Blocks));
    }

    /// <summary>8 blocks of 4 and 4 blocks of 8 fit each other, 8 and 12 do not.</summary>
    [Fact]
    public void Blocks_that_fit_each_other_are_refined_and_others_pinned()
    {
        Node x = Conv(Image(3, 6), "a", 32);
        x = x.GroupNormalization(8, Weight("n1.weight", 32), Weight("n1.bias", 32)).Relu().GroupNormalization(4, Weight("n2.weight", 32), Weight("n2.bias", 32));
        Node y = Conv(x, "b", 24).GroupNormalization(8, Weight("n3.weight", 24), Weight("n3.bias", 24)).Relu().GroupNormalization(12, Weight("n4.weight", 24), Weight("n4.bias", 24));
        _graph.Output("y", Pooled(y));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise(), 1e-3);
        Assert.Equal([4, 2, 4], groups.Classes.Single(units => units.Pinned is null && units.Chain.Length == 3).Chain.Select(units => units.Size));
        Assert.Contains(groups.Pinned, pinned => pinned.Parameter == "b.weight" && pinned.Axis == 0 && pinned.Reason.Contains("do not fit", StringComparison.Ordinal));
    }

    [Fact]
    public void Flattened_channels_move_as_blocks_of_positions()
    {
        Node x = Conv(Image(3, 6), "a", 4).Relu().MaxPool(2, 2);
        Node y = x.Flatten().Linear(Weight("fc.weight", 7, 36), Weight("fc.bias", 7)).Relu();
        UnitGroups groups = Exact(y.Linear(Weight("head.weight", 5, 7)));
        UnitPlace place = groups.With("a.weight.0").Parameters.Single(p => p.Node.Name == "fc.weight");
        Assert.Equal((1, 36, UnitSide.In), (place.Axis, place.Part.Count, place.Side));
        Assert.Equal((4, 9), (place.Part.Digits[0].Size, place.Part.Digits[0].Stride));
        Assert.All(place.Part.Digits[1..], digit => Assert.Null(digit.Class));
    }

    [Fact]
    public void Last_axes_for_channels_are_flattened_the_other_way_round()
    {
        Node x = Conv(Image(3, 6), "a", 4).Relu().Transpose(0, 2, 3, 1);
        UnitGroups groups = Exact(x.Flatten().Linear(Weight("head.weight", 5, 144)));
        UnitPlace place = groups.With("a.weight.0").Parameters.Single(p => p.Node.Name == "head.weight");
        Assert.Equal((4, 1), (place.Part.Digits[^1].Size, place.Part.Digits[^1].Stride));
    }

    /// <summary>The CIFAR form of ResNet: every second pixel, and channels of zeros on both sides.</summary>
    [Fact]
    public void A_shortcut_that_pads_channels_leaves_segments()
    {
        Node x = Conv(Image(3, 8), "a", 4).Relu();
        Node shortcut = x.Slice(2, 0, long.MaxValue, 2).Slice(3, 0, long.MaxValue, 2).Pad([0, 2, 0, 0, 0, 3, 0, 0]);
        Node y = (shortcut + x.Conv(Weight("b.weight", 9, 4, 3, 3), stride: 2, pad: 1)).Relu();
        UnitGroups groups = Exact(Pooled(y));
        Assert.Equal(["a.weight.0 b.weight.0[2+4] b.weight.1< head.weight.1[2+4]<", "b.weight.0[0+2] head.weight.1[0+2]<", "b.weight.0[6+3] head.weight.1[6+3]<"], groups.Texts());
    }

    [Fact]
    public void Pixels_that_become_channels_are_told_apart()
    {
        Node x = Conv(Conv(Image(3, 6), "a", 4).Relu().SpaceToDepth(2), "b", 8).Relu().DepthToSpace(2);
        UnitGroups groups = Exact(Pooled(x));
        Assert.Equal(4, groups.With("a.weight.0").Size);
        Assert.Contains("b.weight.1<", groups.With("a.weight.0").Text(), StringComparison.Ordinal);
        Assert.Equal(2, groups.With("head.weight.1<").Size);
        Assert.Contains("b.weight.0", groups.With("head.weight.1<").Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gate_and_the_mean_of_channels_are_of_the_channels()
    {
        Node x = Conv(Image(3, 6), "a", 8).Relu();
        Node gate = x.GlobalAveragePool().Conv(Weight("s1.weight", 2, 8, 1, 1)).Relu().Conv(Weight("s2.weight", 8, 2, 1, 1)).Sigmoid();
        _graph.Output("y", Pooled(x * gate));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        Assert.Equal(["a.weight.0 head.weight.1< s1.weight.1< s2.weight.0", "s1.weight.0 s2.weight.1<"], groups.Texts());
    }

    [Theory]
    [InlineData("LSTM")]
    [InlineData("GRU")]
    [InlineData("RNN")]
    public void Hidden_units_are_in_every_gate(string kind)
    {
        int gates = kind == "LSTM" ? 4 : kind == "GRU" ? 3 : 1;
        Op op = kind == "LSTM" ? new Lstm() : kind == "GRU" ? new Gru() : new Rnn();
        Node x = _graph.Input("x", new(4, 2, 3)).MatMul(Weight("in.weight", 3, 5)).Relu();
        Node y = _graph.Add(op, x, Weight("w", 1, gates * 6, 5), Weight("r", 1, gates * 6, 6), Weight("b", 1, 2 * gates * 6));
        _graph.Output("y", y.Squeeze(1).MatMul(Weight("head.weight", 6, 2)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        UnitLaws.NoPlaceAlone(groups);
        Assert.Equal(["b.1 head.weight.0< r.1 r.2< w.1", "in.weight.1 w.2<"], groups.Texts());
        UnitClass hidden = groups.With("w.1");
        Assert.Equal((1, 6), (hidden.Blocks, hidden.Size));
        if (gates > 1) Assert.Contains(groups.Pinned, pinned => pinned.Parameter == "w" && pinned.Axis == 1 && pinned.Size == gates);
    }

    [Fact]
    public void Both_directions_have_units_of_their_own()
    {
        Node x = _graph.Input("x", new(4, 2, 3));
        Node y = _graph.Add(new Lstm(Direction: RecurrentDirection.Bidirectional), x, Weight("w", 2, 24, 3), Weight("r", 2, 24, 6), Weight("b", 2, 48));
        y = _graph.Add(new Gru(Direction: RecurrentDirection.Bidirectional), y.Transpose(0, 2, 1, 3).Reshape(4, 2, 12), Weight("w2", 2, 12, 12), Weight("r2", 2, 12, 4));
        _graph.Output("y", y.Transpose(0, 2, 1, 3).Reshape(4, 2, 8).MatMul(Weight("head.weight", 8, 2)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        UnitLaws.NoPlaceAlone(groups);
        Assert.Equal(["b.1 r.1 r.2< w.1 w2.2<", "head.weight.0< r2.1 r2.2< w2.1"], groups.Texts());
        Assert.Equal([(2, 6), (2, 4)], groups.Classes.Where(units => units.Pinned is null).Select(units => (units.Blocks, units.Size)));
    }

    [Fact]
    public void Directions_that_are_added_up_share_their_units()
    {
        Node x = _graph.Input("x", new(4, 2, 3));
        Node y = _graph.Add(new Lstm(Direction: RecurrentDirection.Bidirectional), x, Weight("w", 2, 24, 3), Weight("r", 2, 24, 6), Weight("b", 2, 48));
        _graph.Output("y", y.Sum(false, 1).MatMul(Weight("head.weight", 6, 2)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        Assert.Equal((1, 6), (groups.With("w.1").Blocks, groups.With("w.1").Size));
    }

    /// <summary>Each expert has units of its own, and experts may change places with their rows of the router.</summary>
    [Fact]
    public void Experts_have_units_of_their_own()
    {
        Node x = _graph.Input("x", new(5, 4));
        Node router = x.MatMul(Weight("router", 4, 3)).Softmax().Transpose(1, 0).Unsqueeze(2);
        Node y = (x.MatMul(Weight("w1", 3, 4, 6)).Relu().MatMul(Weight("w2", 3, 6, 2)) * router).Sum(false, 0);
        _graph.Output("y", y);
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        UnitLaws.NoPlaceAlone(groups);
        Assert.Equal(["router.1 w1.0 w2.0", "w1.2 w2.1<"], groups.Texts());
        Assert.Equal((3, 6), (groups.With("w1.2").Blocks, groups.With("w1.2").Size));
    }

    [Fact]
    public void Tokens_that_are_mixed_by_windows_of_one_are_units()
    {
        Node tokens = _graph.Input("x", new(2, 3, 8)).Transpose(0, 2, 1).MatMul(Weight("in.weight", 3, 5)).Relu();
        Node mixed = tokens.Conv(Weight("t1.weight", 6, 8, 1)).Relu().Conv(Weight("t2.weight", 8, 6, 1)) + tokens;
        UnitGroups groups = Exact(mixed.Sum(false, 1).Linear(Weight("head.weight", 4, 5)));
        Assert.Equal(["head.weight.1< in.weight.1", "t1.weight.0 t2.weight.1<"], groups.Texts());
    }

    private Node Image(int channels, int size) => _graph.Input("x", new(2, channels, size, size));

    private Node Conv(Node x, string name, int filters) => x.Conv(Weight($"{name}.weight", filters, x.Shape[1], 3, 3), pad: 1);

    private Node Pooled(Node x) => x.Sum(false, 2, 3).Linear(Weight("head.weight", 5, x.Shape[1]));

    private Node Weight(string name, params ReadOnlySpan<long> sizes) => _graph.Parameter(name, new(new(sizes)));

    private UnitGroups Exact(Node y)
    {
        _graph.Output("y", y);
        UnitGroups groups = UnitLaws.Preserved(_graph.WithIntegers(), 0);
        UnitLaws.NoPlaceAlone(UnitLaws.Preserved(_graph.Randomise()));
        return groups;
    }
}
