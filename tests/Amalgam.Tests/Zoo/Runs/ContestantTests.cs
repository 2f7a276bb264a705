using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class ContestantTests
{
    private static readonly int[][] Tasks = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]];
    private static readonly Samples Data = new("x", new(32), 80, 3, 16);

    /// <summary>With nothing but the heads left apart, a network of heads says what its parents say: each for its own task.</summary>
    [Fact]
    public void Heads_that_share_nothing_are_the_ensemble_of_parents()
    {
        Graph a = TwinFiles.Network(1), b = TwinFiles.Network(1);
        b.Parameters["fc3.weight"].Value!.Span[7] += 3;
        Siblings models = Siblings.Of([a, b], names: ["a", "b"]);
        Graph heads = PartialZip.Build(models, UnitMaps.Identity(models.Groups, 2), PartialZip.Cuts(models.Groups)[^1].Node);
        Contestant merged = new("merged", heads) { Heads = Contestant.HeadsOf(heads) };
        Assert.Equal(["logits.a", "logits.b"], merged.Heads);
        Assert.Empty(Contestant.HeadsOf(a));

        var rows = Contestant.Measure([new("a", a), new("b", b), merged], Data, 32, Tasks);
        Assert.Equal(["a", "b", "merged", "ensemble of both (sum of scores)", "each for its own task"], rows.Select(row => row.Name));
        Assert.Equal(rows[4].Measures, rows[2].Measures);
        double Of(int row, string measure) => rows[row].Measures.Single(m => m.Name == measure).Value;
        Assert.Equal((Of(0, "task 1"), Of(1, "task 2")), (Of(4, "task 1"), Of(4, "task 2")));
        Assert.Equal((Of(4, "task 1") + Of(4, "task 2")) / 2, Of(4, "average of tasks"), 1e-12);
    }

    [Fact]
    public void Heads_need_as_many_tasks()
    {
        Graph graph = TwinFiles.Network(1);
        Contestant two = new("net", graph) { Heads = ["logits", "logits"] };
        Assert.Contains("net has 2 heads", Assert.Throws<InvalidDataException>(() => Contestant.Measure([two], Data, 32)).Message);
    }
}
