using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

public sealed class UnitMapsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_merged_unit_has_members()
    {
        UnitMaps maps = UnitMaps.Identity(UnitGroups.Of(SmallNetworks.Mlp(1, 3)), 2);
        UnitClass units = maps.Groups.Classes[0];

        Assert.Contains("merged unit 1 is left without members", Assert.Throws<ArgumentException>(() => maps.Set(units, [[0, 0, 2], [2, 2, 0]])).Message, StringComparison.Ordinal);
        maps.Set(units, [[0, 0, 2], [2, 2, 1]]);
        Assert.Equal([2, 1, 3], maps.Members(units).ToArray());
        Assert.Null(maps.Deserted());
    }

    [Fact]
    public void What_lies_around_others_and_what_is_tied_is_not_zipped()
    {
        UnitMaps heads = UnitMaps.Identity(UnitGroups.Of(SmallNetworks.Attention(1, 8, 2)), 2);
        UnitClass outer = heads.Groups.Classes.Single(units => !units.Inner.IsEmpty);
        Assert.Contains("other units lie within them", Assert.Throws<ArgumentException>(() => heads.Set(outer, [[0, 0], [1, 1]])).Message, StringComparison.Ordinal);
        heads.Set(outer, [[0, 1], [1, 0]]);

        UnitMaps tied = UnitMaps.Identity(UnitGroups.Of(Tied()), 2);
        UnitClass stream = Assert.Single(tied.Groups.Classes, units => units.IsTied);
        Assert.Contains("can be permuted, but not zipped", Assert.Throws<ArgumentException>(() => tied.Set(stream, [[0, 0, 1, 1], [2, 2, 3, 3]])).Message, StringComparison.Ordinal);
        tied.Set(stream, [[0, 1, 2, 3], [3, 2, 1, 0]]);
    }

    [Fact]
    public void Only_permutations_are_undone_or_gone_on_with()
    {
        UnitMaps zipped = UnitMaps.Identity(UnitGroups.Of(SmallNetworks.Mlp(1, 3)), 2), none = zipped.Copy();
        zipped.Set(zipped.Groups.Classes[0], [[0, 0, 2], [2, 2, 1]]);

        Assert.Throws<InvalidOperationException>(() => zipped.Inverse());
        Assert.Throws<InvalidOperationException>(() => zipped.Then(none));
        Assert.Throws<InvalidOperationException>(() => none.Then(zipped));
        Assert.True(none.Then(none.Inverse()).AreIdentity);
    }

    [Theory]
    [InlineData("maps.json", false)]
    [InlineData("maps.npz", false)]
    [InlineData("maps.json", true)]
    [InlineData("maps.npz", true)]
    public void Maps_with_blocks_are_read_as_they_were_written(string name, bool zips)
    {
        UnitMaps maps = Blocked(zips);
        PermutationFile.Write(maps, ["a", "b"], _folder[name]);

        UnitMaps read = PermutationFile.Read(_folder[name], maps.Groups, 2);

        Assert.Equal(!zips, read.ArePermutations);
        Assert.Contains(maps.Groups.Classes, units => units.Blocks > 1 && !maps.To(units, 1).SequenceEqual(UnitMaps.Identity(maps.Groups, 2).To(units, 1)));
        foreach (UnitClass units in maps.Groups.Classes)
        {
            for (int model = 0; model < 2; model++) Assert.Equal(maps.To(units, model).ToArray(), read.To(units, model).ToArray());
        }
    }

    /// <summary>Each of both merged units has as many members as there are blocks, but those of one of the blocks all come to the first.</summary>
    [Fact]
    public void A_file_that_leaves_a_merged_unit_of_one_block_without_members_is_refused()
    {
        UnitMaps maps = UnitMaps.Identity(UnitGroups.Of(SmallNetworks.Attention(1, 4, 2)), 2);
        UnitClass inner = maps.Groups.Classes.First(units => units.Blocks == 2);
        maps.Set(inner, [[0, 0, 1, 1], [0, 0, 1, 1]]);
        Assert.Equal(inner, maps.Deserted());
        PermutationFile.Write(maps, ["a", "b"], _folder["maps.json"]);

        Assert.Contains("a merged unit is left without members", Assert.Throws<InvalidDataException>(() => PermutationFile.Read(_folder["maps.json"], maps.Groups, 2)).Message, StringComparison.Ordinal);
    }

    /// <summary>Maps of two networks whose heads trade places, and whose units within them are moved or zipped.</summary>
    private static UnitMaps Blocked(bool zips)
    {
        Siblings models = Siblings.Of([SmallNetworks.Attention(1, 12, 3), SmallNetworks.Attention(2, 12, 3)]);
        if (!zips) return UnitMaps.Random(models.Groups, 2, 4);
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 40);
        return UnitAlignment.Run(models, new() { Matching = UnitMatching.Zip, ZipAlpha = 1 }, data).Maps;
    }

    /// <summary>One weight that makes the units of a stream and reads them.</summary>
    private static Graph Tied()
    {
        Layers net = new(new(), 1);
        Node x = net.Linear(net.Graph.Input("x", new(1, 6)), "stem", 4, false);
        net.Graph.Output("y", net.Graph.Add(new Amalgam.Graphs.Ops.MatMul(), x.Relu(), net.Graph.Parameters["stem.weight"]));
        return net.Graph;
    }
}
