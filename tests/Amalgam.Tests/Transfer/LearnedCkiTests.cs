using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Tests.Transfer;

public class LearnedCkiTests
{
    /// <summary>Few bins and a gentle slope, so that g is not always at its bounds.</summary>
    private static readonly Cki Gentle = new(A: 0.7, C: 5, Bins: 6);

    public static TheoryData<int, long[]> Weights => new()
    {
        { 2, [7, 5] },
        { 2, [9] },
        { 3, [4, 6] },
        { 2, [3, 4, 2, 3] },
        { 4, [5, 3, 2] },
    };

    [Theory, MemberData(nameof(Weights))]
    public void A_soft_splice_is_that_of_plain_loops(int models, long[] sizes) => Property.Holds(gen =>
    {
        Case c = new(gen, models, new(sizes), Gentle);
        NaiveCki.Result expected = c.Naive();
        Dictionary<Node, Tensor> found = RandomGraph.Evaluate(c.Graph, new Dictionary<string, Tensor>());
        Near(expected.Value, found[c.Nodes.Value], 1e-5);
        for (int k = 0; k < models; k++)
        {
            Assert.Equal(expected.Global[k], found[c.Nodes.Global[k]].Span[0], 1e-6);
            Near(expected.Local[k], found[c.Nodes.Local[k]], 1e-6);
            Near(expected.Shares[k], found[c.Nodes.Shares[k]], 1e-6);
        }

        for (int i = 0; i < expected.Value.Length; i++)
        {
            Assert.Equal(1, Enumerable.Range(0, models).Sum(k => found[c.Nodes.Shares[k]].Span[i]), 1e-6);
            Assert.InRange(found[c.Nodes.Value].Span[i], c.Parents.Min(p => p.Span[i]) - 1e-6, c.Parents.Max(p => p.Span[i]) + 1e-6);
        }
    }, 15);

    [Theory, MemberData(nameof(Weights))]
    public void Gradient_by_P_is_the_central_difference(int models, long[] sizes) => Property.Holds(gen =>
    {
        Case c = new(gen, models, new(sizes), Gentle);
        float[] dy = gen.Floats((int)c.Nodes.Value.Shape.Count);
        Node gradient = Gradients.Of(c.Nodes.Value, c.Graph.Constant(new Tensor(c.Nodes.Value.Shape, dy)), [c.P])[c.P];
        float[] found = RandomGraph.Evaluate(c.Graph, new Dictionary<string, Tensor>())[gradient].Span.ToArray();

        double[] p = [.. c.P.Value!.Span.ToArray().Select(x => (double)x)];
        for (int i = 0; i < p.Length; i++)
        {
            const double Step = 1e-5;
            double At(double shift)
            {
                double[] shifted = [.. p];
                shifted[i] += shift;
                return c.Naive(shifted).Value.Select((w, at) => w * dy[at]).Sum();
            }

            double expected = (At(Step) - At(-Step)) / (2 * Step);
            Assert.True(Math.Abs(expected - found[i]) <= 1e-4 * Math.Max(1, Math.Abs(expected)), $"by P[{i}]: {found[i]:R}, expected {expected:R}");
        }
    }, 6);

    [Theory, MemberData(nameof(Weights))]
    public void A_hard_splice_takes_each_value_from_one_model_and_has_the_gradient_of_the_soft_one(int models, long[] sizes) => Property.Holds(gen =>
    {
        int seed = gen.Random.Next();
        Case soft = new(new Generator(seed % 1000), models, new(sizes), Gentle), hard = new(new Generator(seed % 1000), models, new(sizes), Gentle with { Splice = CkiSplice.Hard });
        float[] dy = gen.Floats((int)soft.Nodes.Value.Shape.Count);
        Node[] gradients = [.. new[] { soft, hard }.Select(c => Gradients.Of(c.Nodes.Value, c.Graph.Constant(new Tensor(c.Nodes.Value.Shape, dy)), [c.P])[c.P])];
        Dictionary<Node, Tensor> ofSoft = RandomGraph.Evaluate(soft.Graph, new Dictionary<string, Tensor>()), ofHard = RandomGraph.Evaluate(hard.Graph, new Dictionary<string, Tensor>());
        Assert.Equal(ofSoft[gradients[0]].Span.ToArray(), ofHard[gradients[1]].Span.ToArray());

        NaiveCki.Result expected = hard.Naive();
        for (int i = 0; i < expected.Value.Length; i++)
        {
            double[] v = [.. expected.V.Select(own => own[i]).OrderDescending()];
            if (v[0] - v[1] < 1e-5) continue;
            Assert.Equal((float)expected.Value[i], ofHard[hard.Nodes.Value].Span[i]);
        }
    }, 10);

    [Theory]
    [InlineData(CkiSplice.Soft)]
    [InlineData(CkiSplice.Hard)]
    public void Equal_models_give_that_model_bit_for_bit(CkiSplice splice) => Property.Holds(gen =>
    {
        Graph graph = new();
        Tensor w = RandomGraph.Random(gen, new(6, 7));
        WeightNodes nodes = new LearnedCki(new(splice)).Express(new(graph, "w", w.Shape, [graph.Constant(w), graph.Constant(w.Copy()), graph.Constant(w.Copy())]));
        Assert.Equal(w.Span.ToArray(), RandomGraph.Evaluate(graph, new Dictionary<string, Tensor>())[nodes.Value].Span.ToArray());
    }, 20);

    [Fact]
    public void With_P_zero_and_equal_entropies_the_result_is_the_average() => Property.Holds(gen =>
    {
        Graph graph = new();
        Tensor a = RandomGraph.Random(gen, new(5, 8)), b = a.Copy();
        gen.Random.Shuffle(b.Span);
        WeightNodes nodes = new LearnedCki { Start = Initialisation.Zeros }.Express(new(graph, "w", a.Shape, [graph.Constant(a), graph.Constant(b)]));
        Tensor found = RandomGraph.Evaluate(graph, new Dictionary<string, Tensor>())[nodes.Value];
        for (int i = 0; i < a.Count; i++) Assert.Equal((a.Span[i] + (double)b.Span[i]) / 2, found.Span[i], 1e-6);
    }, 20);

    [Fact]
    public void Of_a_matrix_in_out_the_splice_is_that_of_the_matrix_out_in() => Property.Holds(gen =>
    {
        Tensor[] models = [RandomGraph.Random(gen, new(5, 3)), RandomGraph.Random(gen, new(5, 3))];
        Graph graph = new();
        WeightNodes outIn = new LearnedCki(Gentle).Express(new(graph, "a", new(5, 3), [.. models.Select(m => graph.Constant(m))], Seed: 3));
        WeightNodes inOut = new LearnedCki(Gentle).Express(new(graph, "b", new(3, 5), [.. models.Select(m => graph.Constant(m).Transpose(1, 0))], Seed: 3) { InputAxis = 0 });
        graph.Parameters["splice/a"].Value!.Span.CopyTo(graph.Parameters["splice/b"].Value!.Span);
        Dictionary<Node, Tensor> found = RandomGraph.Evaluate(graph, new Dictionary<string, Tensor>());
        for (int r = 0; r < 5; r++)
            for (int c = 0; c < 3; c++) Assert.Equal(found[outIn.Value].Span[3 * r + c], found[inOut.Value].Span[5 * c + r], 1e-5);
    }, 10);

    [Fact]
    public void P_begins_as_Xavier_has_it_and_by_the_seed()
    {
        Node Begin(long seed)
        {
            Graph graph = new();
            new LearnedCki().Express(new(graph, "w", new(6, 50), [graph.Constant(new Tensor(new(6, 50))), graph.Constant(new Tensor(new(6, 50)))], Seed: seed));
            return graph.Parameters["splice/w"];
        }

        Assert.Equal(new Shape(50, 50), Begin(1).Shape);
        Assert.InRange(Begin(1).Value!.Span.ToArray().Max(), 0.23f, Math.Sqrt(6.0 / 100));
        Assert.Equal(Begin(1).Value!.Span.ToArray(), Begin(1).Value!.Span.ToArray());
        Assert.NotEqual(Begin(1).Value!.Span.ToArray(), Begin(2).Value!.Span.ToArray());
    }

    [Fact]
    public void A_weight_made_for_each_sample_is_spliced_for_each_sample() => Property.Holds(gen =>
    {
        const int Samples = 3, Rows = 4, Columns = 5;
        Graph graph = new();
        Node made = graph.Input("made", new(Samples, Rows, Columns));
        Tensor stays = RandomGraph.Random(gen, new(Rows, Columns));
        bool isFirst = gen.Random.Next(2) == 0;
        Node kept = graph.Constant(stays);
        WeightNodes nodes = new LearnedCki(Gentle).Express(new(graph, "w", stays.Shape, isFirst ? [made, kept] : [kept, made], Seed: 4));
        Assert.Equal(new Shape(Rows, Rows), graph.Parameters["splice/w"].Shape);
        Assert.Equal(made.Shape, nodes.Value.Shape);

        Tensor x = RandomGraph.Random(gen, made.Shape);
        Dictionary<Node, Tensor> found = RandomGraph.Evaluate(graph, new Dictionary<string, Tensor> { ["made"] = x });
        double[] p = Double(graph.Parameters["splice/w"].Value!.Span);
        for (int i = 0; i < Samples; i++)
        {
            double[] own = Double(x.Span.Slice(i * Rows * Columns, Rows * Columns)), other = Double(stays.Span);
            NaiveCki.Result expected = NaiveCki.Of(isFirst ? [own, other] : [other, own], Rows, Columns, p, Gentle, ofRows: true);
            Near(expected.Value, new Tensor(stays.Shape, found[nodes.Value].Span.Slice(i * Rows * Columns, Rows * Columns).ToArray()), 1e-4);
            Assert.Equal(expected.Global[0], found[nodes.Global[0]].Span[i], 1e-5);
        }
    }, 15);

    [Fact]
    public void A_parent_may_be_trained_as_well()
    {
        Graph graph = new();
        Node a = graph.Parameter("a", new(new(2, 2), [1, 2, 3, 4])), b = graph.Parameter("b", new(new(2, 2), [4, 3, 2, 2.5f]));
        WeightNodes nodes = new LearnedCki().Express(new(graph, "w", a.Shape, [a, b]));
        Node[] gradients = Gradients.Of(nodes.Value.Sum(), [a, b, graph.Parameters["splice/w"]]);
        Dictionary<Node, Tensor> found = RandomGraph.Evaluate(graph, new Dictionary<string, Tensor>());
        Assert.All(gradients, g => Assert.Contains(found[g].Span.ToArray(), v => v != 0));
    }

    [Fact]
    public void The_entropy_of_rows_is_refused() =>
        Assert.Contains("not of rows or models", Assert.Throws<MergeException>(() => new LearnedCki(new(Entropy: CkiEntropy.Row))).Message);

    private static double[] Double(ReadOnlySpan<float> x) => [.. x.ToArray().Select(v => (double)v)];

    private static void Near(double[] expected, Tensor found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Count);
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - found.Span[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"element {i} is {found.Span[i]:R}, expected {expected[i]:R}");
    }

    /// <summary>A weight of several models, its expression, and the same by plain loops.</summary>
    private sealed class Case
    {
        private readonly Shape _shape;
        private readonly Cki _form;

        public Case(Generator gen, int models, Shape shape, Cki form)
        {
            (_shape, _form) = (shape, form);
            Parents = [.. Enumerable.Range(0, models).Select(k => new Tensor(shape, [.. gen.Floats((int)shape.Count).Select(v => v * (1 + 0.3f * k))]))];
            Nodes = new LearnedCki(form).Express(new(Graph, "w", shape, [.. Parents.Select(p => Graph.Constant(p))], Seed: gen.Random.Next()));
            P = Graph.Parameters["splice/w"];
        }

        public Graph Graph { get; } = new();

        public Tensor[] Parents { get; }

        public WeightNodes Nodes { get; }

        public Node P { get; }

        public NaiveCki.Result Naive(double[]? p = null)
        {
            int rows = _shape.Rank == 1 ? 1 : _shape.Size(0), columns = _shape.Size(_shape.Rank == 1 ? 0 : 1);
            return NaiveCki.Of([.. Parents.Select(w => Double(w.Span))], rows, columns, p ?? Double(P.Value!.Span), _form);
        }
    }
}
