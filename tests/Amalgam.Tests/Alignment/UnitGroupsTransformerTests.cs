using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Graphs;

namespace Amalgam.Tests.Alignment;

/// <summary>Attention in the forms that PyTorch exports: heads move as one, queries with keys within a head, values with the projection, and the residual stream everywhere.</summary>
public class UnitGroupsTransformerTests
{
    private const int Size = 12, Heads = 3, Unit = 4, Tokens = 5;

    private readonly Graph _graph = new();

    [Fact]
    public void One_layer_of_queries_keys_and_values_falls_into_three_segments()
    {
        Node x = Embed();
        UnitGroups groups = Check(x + Fused(Normed(x, "norm1"), "attn"));

        // Section 3.8 of the definitions: the residual stream has all of these.
        Assert.Equal("attn.proj.bias.0 attn.proj.weight.1 attn.qkv.weight.0< cls.2 embed.bias.0 embed.weight.1 head.weight.0< norm.bias.0 norm.weight.0 norm1.bias.0 norm1.weight.0 pos.2", groups.With("cls.2").Text());
        UnitClass heads = groups.With("attn.proj.weight.0<");
        Assert.Equal(Heads, heads.Size);
        Assert.Equal("attn.proj.weight.0< attn.qkv.bias.0[0+12] attn.qkv.bias.0[12+12] attn.qkv.bias.0[24+12] attn.qkv.weight.1[0+12] attn.qkv.weight.1[12+12] attn.qkv.weight.1[24+12]", heads.Text());
        Assert.Equal(2, heads.Inner.Length);
        Assert.All(heads.Inner, inner => Assert.Equal((Unit, Heads), (inner.Size, inner.Blocks)));
        Assert.Equal(["attn.proj.weight.0< attn.qkv.bias.0[24+12] attn.qkv.weight.1[24+12]", "attn.qkv.bias.0[0+12] attn.qkv.bias.0[12+12] attn.qkv.weight.1[0+12] attn.qkv.weight.1[12+12]"],
            heads.Inner.Select(inner => inner.Text()).Order(StringComparer.Ordinal));
        Assert.Single(groups.Groups, group => group.Root == heads);
    }

    [Fact]
    public void Separate_layers_have_the_same_units()
    {
        Node x = Embed();
        UnitGroups groups = Check(x + Separate(x, "attn"));
        UnitClass heads = groups.With("attn.q.bias.0");
        Assert.Equal("attn.k.bias.0 attn.k.weight.1 attn.proj.weight.0< attn.q.bias.0 attn.q.weight.1 attn.v.bias.0 attn.v.weight.1", heads.Text());
        Assert.Equal(["attn.k.bias.0 attn.k.weight.1 attn.q.bias.0 attn.q.weight.1", "attn.proj.weight.0< attn.v.bias.0 attn.v.weight.1"], heads.Inner.Select(inner => inner.Text()).Order(StringComparer.Ordinal));
    }

    /// <summary>nn.MultiheadAttention: tokens before samples, one matrix of three segments, and samples and heads as one axis.</summary>
    [Fact]
    public void Samples_and_heads_may_be_one_axis()
    {
        Node x = Embed().Transpose(1, 0, 2);
        Node all = Linear(x, "in_proj", 3 * Size);
        Node[] parts = [.. all.Split(2, Size, Size, Size).Select(part => part.Reshape(Tokens, 2 * Heads, Unit).Transpose(1, 0, 2))];
        Node weights = (parts[0] * 0.5f).MatMul(parts[1].Transpose(0, 2, 1)).Softmax();
        Node y = Linear(weights.MatMul(parts[2]).Transpose(1, 0, 2).Reshape(Tokens * 2, Size), "proj", Size).Reshape(Tokens, 2, Size);
        UnitGroups groups = Check((x + y).Transpose(1, 0, 2));
        UnitClass heads = groups.With("proj.weight.0<");
        Assert.Equal((Heads, 2), (heads.Size, heads.Inner.Length));
        Assert.Equal(["in_proj.bias.0[0+12] in_proj.bias.0[12+12] in_proj.weight.1[0+12] in_proj.weight.1[12+12]", "in_proj.bias.0[24+12] in_proj.weight.1[24+12] proj.weight.0<"],
            heads.Inner.Select(inner => inner.Text()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_norm_of_queries_and_keys_has_one_order_for_all_heads()
    {
        Node x = Embed();
        UnitGroups groups = Check(x + Separate(x, "attn", q => Normed(q, "q_norm")));
        UnitClass units = groups.With("q_norm.weight.0");
        Assert.Equal((1, Unit), (units.Blocks, units.Size));
        Assert.Equal("attn.k.bias.0 attn.k.weight.1 attn.q.bias.0 attn.q.weight.1 q_norm.bias.0 q_norm.weight.0", units.Text());
        UnitClass heads = groups.With("attn.q.bias.0");
        Assert.Equal("attn.proj.weight.0< attn.v.bias.0 attn.v.weight.1", Assert.Single(heads.Inner).Text());
    }

    [Fact]
    public void A_softmax_over_heads_leaves_one_order_for_all_heads()
    {
        Node x = Embed();
        Node y = Linear(x, "fc", Size).Reshape(2, Tokens, Heads, Unit).Softmax(2).Reshape(2, Tokens, Size);
        UnitGroups groups = Check(x + Linear(y, "proj", Size));
        Assert.All(groups.Classes, units => Assert.Equal(1, units.Blocks));
        Assert.Equal([3, 4], groups.Classes.Where(units => units.Text().Contains("fc.bias.0", StringComparison.Ordinal)).Select(units => units.Size).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Groups_of_queries_share_their_keys_head(bool tile)
    {
        const int groupsOfHeads = 2, repeats = 3, heads = groupsOfHeads * repeats;
        Node x = Embed();
        Node q = Linear(x, "q", heads * Unit).Reshape(2, Tokens, heads, Unit).Transpose(0, 2, 1, 3);
        Node k = Repeat(Linear(x, "k", groupsOfHeads * Unit)), v = Repeat(Linear(x, "v", groupsOfHeads * Unit));
        Node y = (q.MatMul(k, transposeB: true) * 0.5f).Softmax().MatMul(v).Transpose(0, 2, 1, 3).Reshape(2, Tokens, heads * Unit);
        UnitGroups groups = Check(x + Linear(y, "proj", Size));

        UnitClass root = groups.With("k.bias.0");
        Assert.Equal((2, 3), (root.Size, root.Inner.Length));
        Assert.Equal("k.bias.0 k.weight.1 proj.weight.0< q.bias.0 q.weight.1 v.bias.0 v.weight.1", root.Text());
        Assert.Equal([(3, "proj.weight.0< q.bias.0 q.weight.1"), (4, "k.bias.0 k.weight.1 q.bias.0 q.weight.1"), (4, "proj.weight.0< v.bias.0 v.weight.1")],
            root.Inner.Select(inner => (inner.Size, inner.Text())).Order());
        Assert.All(root.Inner, inner => Assert.Equal(2, inner.Blocks));

        Node Repeat(Node of)
        {
            Node apart = of.Reshape(2, Tokens, groupsOfHeads, Unit).Transpose(0, 2, 1, 3).Unsqueeze(2);
            return (tile ? apart.Tile(1, 1, repeats, 1, 1) : apart.Expand(2, groupsOfHeads, repeats, Tokens, Unit)).Reshape(2, heads, Tokens, Unit);
        }
    }

    [Fact]
    public void Rotary_positions_that_are_constants_pin_the_units_of_a_head_and_not_the_heads()
    {
        Node x = Embed();
        Node cos = _graph.Constant(RandomGraph.Random(new(1), new(Tokens, Unit))), sin = _graph.Constant(RandomGraph.Random(new(2), new(Tokens, Unit)));
        UnitGroups groups = Check(x + Separate(x, "attn", q => q * cos + Rotated(q) * sin));
        UnitClass heads = groups.With("attn.v.bias.0");
        Assert.Equal(Heads, heads.Size);
        Assert.Equal("attn.proj.weight.0< attn.v.bias.0 attn.v.weight.1", Assert.Single(heads.Inner).Text());
        Assert.Contains(groups.Pinned, pinned => pinned.Parameter == "attn.q.bias" && pinned.Reason.Contains("Constant", StringComparison.Ordinal));
    }

    [Fact]
    public void Rotary_positions_that_are_parameters_move_with_pairs_of_units()
    {
        Node x = Embed();
        Node cos = _graph.Weights(new(1), Tokens, Unit / 2), sin = _graph.Weights(new(2), Tokens, Unit / 2);
        UnitGroups groups = Check(x + Separate(x, "attn", q => q * Layout.Concat(1, cos, cos) + Rotated(q) * Layout.Concat(1, sin, sin)));
        UnitClass pairs = groups.With($"{cos.Name}.1");
        Assert.Equal((1, 2), (pairs.Blocks, pairs.Size));
        Assert.Contains("attn.k.weight.1", pairs.Text(), StringComparison.Ordinal);
        Assert.Contains($"{sin.Name}.1", pairs.Text(), StringComparison.Ordinal);
    }

    /// <summary>The output's matrix is the table of embeddings: its units can be permuted, but one and the same tensor cannot have a mean and a sum.</summary>
    [Fact]
    public void A_tied_embedding_is_said_to_be_tied()
    {
        Node table = Parameter("embed.weight", 9, Size), x = table.Gather(_graph.Input("ids", new(2, Tokens), DType.I64));
        Node y = x + Linear(Linear(x, "fc1", 7).Gelu(), "fc2", Size);
        _graph.Output("logits", Normed(y, "norm").MatMul(table.Transpose(1, 0)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        UnitLaws.NoPlaceAlone(groups);
        Assert.True(groups.With("embed.weight.1").IsTied);
        Assert.Equal("embed.weight.1 embed.weight.1< fc1.weight.0< fc2.bias.0 fc2.weight.1 norm.bias.0 norm.weight.0", groups.With("embed.weight.1").Text());
        Assert.False(groups.With("fc1.bias.0").IsTied);
    }

    /// <summary>A table of relative positions that is looked up by constant indices has a column for each head.</summary>
    [Fact]
    public void A_table_of_relative_positions_moves_with_the_heads()
    {
        Node x = Embed();
        Node table = Parameter("table", 9, Heads);
        Node bias = table.Gather(_graph.Constant([.. Enumerable.Range(0, Tokens * Tokens).Select(i => (long)(i / Tokens - i % Tokens + Tokens - 1))])).Reshape(Tokens, Tokens, Heads).Transpose(2, 0, 1).Unsqueeze(0);
        UnitGroups groups = Check(x + Separate(x, "attn", bias: bias));
        Assert.Contains("table.1", groups.With("attn.q.bias.0").Text(), StringComparison.Ordinal);
        Assert.Contains(groups.Pinned, pinned => (pinned.Parameter, pinned.Axis) == ("table", 0));
    }

    [Fact]
    public void Einsums_with_an_axis_for_heads_have_the_same_units()
    {
        Node x = Embed();
        Node[] made = [.. ((string[])["q", "k", "v"]).Select(name => Layout.Einsum("bnc,chd->bnhd", x, Parameter(name, Size, Heads, Unit)))];
        Node weights = (Layout.Einsum("bnhd,bmhd->bhnm", made[0], made[1]) * 0.5f).Softmax();
        UnitGroups groups = Check(x + Layout.Einsum("bhnm,bmhd,hdc->bnc", weights, made[2], Parameter("o", Heads, Unit, Size)));
        UnitClass heads = groups.With("q.1");
        Assert.Equal("k.1 o.0< q.1 v.1", heads.Text());
        Assert.Equal(["k.2 q.2", "o.1< v.2"], heads.Inner.Select(inner => inner.Text()).Order(StringComparer.Ordinal));
        Assert.All(heads.Inner, inner => Assert.Equal((Heads, Unit), (inner.Blocks, inner.Size)));
    }

    /// <summary>The place of the text's end is looked up for each sample.</summary>
    [Fact]
    public void A_token_that_is_looked_up_for_each_sample_keeps_its_units()
    {
        Node x = Embed();
        Node places = Layout.Concat(1, _graph.Constant(new Tensor(new(2, 1), [0, 1]), DType.I64), _graph.Input("ends", new(2, 1), DType.I64));
        _graph.Output("y", _graph.Add(new GatherND(), x, places).MatMul(Parameter("head.weight", Size, 4)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        Assert.Contains("head.weight.0<", groups.With("cls.2").Text(), StringComparison.Ordinal);
    }

    /// <summary>A token of its own, embedded inputs, and an embedding of positions.</summary>
    private Node Embed()
    {
        Node x = Linear(_graph.Input("x", new(2, Tokens - 1, 6)), "embed", Size);
        return Layout.Concat(1, Parameter("cls", 1, 1, Size).Expand(2, 1, Size), x) + Parameter("pos", 1, Tokens, Size);
    }

    private Node Fused(Node x, string name)
    {
        Node all = Linear(x, $"{name}.qkv", 3 * Size).Reshape(2, Tokens, 3, Heads, Unit).Transpose(2, 0, 3, 1, 4);
        Node[] parts = [.. Enumerable.Range(0, 3).Select(i => all.Gather(_graph.Constant(Tensor.Scalar(i), DType.I64)))];
        Node weights = (parts[0] * 0.5f).MatMul(parts[1].Transpose(0, 1, 3, 2)).Softmax();
        return Linear(weights.MatMul(parts[2]).Transpose(0, 2, 1, 3).Reshape(2, Tokens, Size), $"{name}.proj", Size);
    }

    private Node Separate(Node x, string name, Func<Node, Node>? of = null, Node? bias = null)
    {
        Node[] parts = [.. ((string[])["q", "k", "v"]).Select(part => Linear(x, $"{name}.{part}", Size).Reshape(2, Tokens, Heads, Unit).Transpose(0, 2, 1, 3))];
        if (of is not null) (parts[0], parts[1]) = (of(parts[0]), of(parts[1]));
        Node scores = parts[0].MatMul(parts[1].Transpose(0, 1, 3, 2)) / 2;
        if (bias is not null) scores += bias;
        return Linear(scores.Softmax().MatMul(parts[2]).Transpose(0, 2, 1, 3).Reshape(2, Tokens, Size), $"{name}.proj", Size);
    }

    private static Node Rotated(Node x)
    {
        int axis = x.Shape.Rank - 1;
        return Layout.Concat(axis, -x.Slice(axis, Unit / 2), x.Slice(axis, 0, Unit / 2));
    }

    /// <summary>A MatMul with a matrix that has its outputs in columns, as constant folding leaves it, and a bias.</summary>
    private Node Linear(Node x, string name, int made) => x.MatMul(Parameter($"{name}.weight", x.Shape[^1], made)) + Parameter($"{name}.bias", made);

    private Node Normed(Node x, string name) => x.LayerNormalization(Parameter($"{name}.weight", x.Shape[^1]), Parameter($"{name}.bias", x.Shape[^1]));

    private Node Parameter(string name, params ReadOnlySpan<long> sizes) => _graph.Find(name) ?? _graph.Parameter(name, new(new(sizes)));

    private UnitGroups Check(Node y)
    {
        _graph.Output("logits", Normed(y, "norm").Mean(false, 1).MatMul(Parameter("head.weight", Size, 4)));
        UnitGroups groups = UnitLaws.Preserved(_graph.Randomise());
        UnitLaws.NoPlaceAlone(groups);
        return groups;
    }
}
