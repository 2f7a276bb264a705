using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class AdapterSizeTests
{
    /// <summary>All that the graph declares, and the results of its linear layers and the scores between them, one by one.</summary>
    [Theory, MemberData(nameof(LowRankAdapterTests.Variants), MemberType = typeof(LowRankAdapterTests))]
    public void The_size_of_the_low_rank_adapter_is_that_of_its_graph(string variant) => Property.Holds(gen =>
    {
        LowRankAdapter adapter = LowRankAdapterTests.Variant(variant) with { Heads = 1 + gen.Random.Next(9), Layers = 1 + gen.Random.Next(3) };
        Shape target = Draw(gen);
        Shape[] sources = [.. Enumerable.Range(0, 1 + gen.Random.Next(3)).Select(_ => Draw(gen))];
        Graph graph = Build(adapter, target, sources);
        AdapterSize size = adapter.SizeOf(target, sources);
        Assert.Equal(graph.Parameters.Values.Sum(p => p.Shape.Count), size.Weights);
        Assert.Equal(graph.Nodes.Where(n => n.Op is Softmax && n.Shape.Rank == 3).Sum(n => n.Shape.Count) + Linear(graph), size.Values);
    }, 6);

    [Fact]
    public void The_size_of_the_perceptrons_is_that_of_their_graph() => Property.Holds(gen =>
    {
        MlpAdapter adapter = new(1 + gen.Random.Next(20));
        Shape target = Draw(gen), source = Draw(gen);
        Graph graph = Build(adapter, target, source);
        Assert.Equal(new(graph.Parameters.Values.Sum(p => p.Shape.Count), Linear(graph)), adapter.SizeOf(target, source));
    }, 6);

    /// <summary>The parts of each of them are small enough.</summary>
    [Theory]
    [InlineData(768, 768, 20000, 768)]
    [InlineData(128, 128, 22000, 768)]
    [InlineData(2, 20000, 2, 2)]
    [InlineData(3000, 2, 30000, 2)]
    public void An_adapter_that_is_too_large_as_a_whole_is_refused_before_it_is_drawn(int rows, int columns, int sourceRows, int sourceColumns)
    {
        Graph graph = new();
        Node target = graph.Input("target", new(rows, columns)), source = graph.Input("source", new(sourceRows, sourceColumns));
        string said = Assert.Throws<GraphException>(() => new LowRankAdapter().Add(new(graph, target, source, new(target.Shape)))).Message;
        Assert.StartsWith($"an adapter from [{sourceRows},{sourceColumns}] to [{rows},{columns}] has ", said, StringComparison.Ordinal);
        Assert.Contains("transfer a part of the rows, encode the matrices at a rank, or take rows alone", said, StringComparison.Ordinal);
        Assert.Empty(graph.Parameters);
    }

    [Fact]
    public void Sources_that_are_too_large_together_are_refused()
    {
        Graph graph = new();
        Node target = graph.Input("target", new(768, 768)), source = graph.Input("source", new(7000, 768)), other = graph.Input("other", new(6500, 768));
        foreach (Node one in (Node[])[source, other]) Assert.True(new LowRankAdapter().SizeOf(target.Shape, one.Shape) is var size && size.Weights + size.Values <= AdapterSize.Most);
        Assert.StartsWith("an adapter from [7000,768] + [6500,768] to [768,768] has ",
            Assert.Throws<GraphException>(() => new LowRankAdapter().Add(new(graph, target, [source, other], new(target.Shape)))).Message, StringComparison.Ordinal);
        Assert.Empty(graph.Parameters);
    }

    [Fact]
    public void The_refusal_says_the_total()
    {
        Graph graph = new();
        Node target = graph.Input("target", new(4, 9)), source = graph.Input("source", new(5, 6));
        Assert.Contains("has 650.0 million weights and 350.0 million values of a pass, 4.0 GB in all and about four times as much to learn; up to 2.7 GB is taken",
            Assert.Throws<GraphException>(() => new MlpAdapter(25_000_000).Add(new(graph, target, source, new(target.Shape)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Usual_pairs_are_not_refused()
    {
        foreach (var (target, source) in new (Shape, Shape)[] { (new(160, 960), new(100, 2048)), (new(768, 3072), new(768, 3072)), (new(100, 1280), new(768, 768)), (new(1000, 2048), new(1000, 1280)), (new(768, 768), new(3000, 768)) })
        {
            AdapterSize size = new LowRankAdapter().SizeOf(target, source);
            Assert.True(size.Weights + size.Values <= AdapterSize.Most, $"{source} to {target}: {size}");
        }
    }

    private static long Linear(Graph graph) => graph.Nodes.Where(n => n.Op is MatMul { TransposeB: true } && n.Shape.Rank == 2).Sum(n => n.Shape.Count);

    private static Shape Draw(Generator gen) => new(1 + gen.Random.Next(7), 1 + gen.Random.Next(7));

    private static Graph Build(ParameterAdapter adapter, Shape target, params Shape[] sources)
    {
        Graph graph = new();
        graph.Output("result", adapter.Add(new(graph, graph.Input("target", target), [.. sources.Select((source, i) => graph.Input($"source{i}", source))], new(target))));
        return graph;
    }
}
