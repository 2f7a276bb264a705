using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using static Amalgam.Tests.Transfer.OfMergeNet.JointTrainingTests;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>What a transfer reads and writes of a network: a whole weight, some of its rows, a factor, a weight that is read twice.</summary>
public class TransferredMatrixTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_frozen_teacher_stays_and_teaches_by_its_factors_too(int rank)
    {
        Learner a = Learner.Source("a", Mlp("a", 1).Network), b = Mlp("b", 2);
        JointTraining joint = new([a, b], [new(Of("a", 2) with { Rank = rank }, Of("b", 1), new Blend(), 1)]);
        joint.Run();
        AssertSame(Mlp("a", 1).Network, joint.NetworkOf("a"));
        Assert.NotEqual(Weight(Alone(Mlp("b", 2)), 1), Weight(joint.NetworkOf("b"), 1));
    }

    /// <summary>A frozen backbone that teaches by its factors, beside a head that trains.</summary>
    [Fact]
    public void A_frozen_weight_of_a_network_that_trains_stays_and_teaches_by_its_factors()
    {
        Learner a = Mlp("a", 1), b = Mlp("b", 2);
        Surgery.Freeze(a.Network, name => name == Name(2));
        TransferMatrix source = Of("a", 2) with { Rank = 2 };
        JointTraining joint = new([a, b], [new(source, Of("b", 1), new Blend(), 1)]);
        Assert.Equal(Weight(a.Network, 2), Weight(joint.NetworkOf("a"), 2));
        joint.Run();
        Assert.Equal(Weight(a.Network, 2), Weight(joint.NetworkOf("a"), 2));
        AssertSame(Alone(a), joint.NetworkOf("a"));
        Assert.NotEqual(Weight(a.Network, 1), Weight(joint.NetworkOf("a"), 1));

        // It teaches what a frozen network with that weight does.
        JointTraining still = new([Learner.Source("a", a.Network), b], [new(source, Of("b", 1), new Blend(), 1)]);
        still.Run();
        AssertSame(still.NetworkOf("b"), joint.NetworkOf("b"));
        AssertSame(Mlp("a", 1).Network, a.Network);
    }

    [Fact]
    public void Factors_of_a_frozen_weight_do_not_begin_fresh()
    {
        Learner a = Mlp("a", 1);
        Surgery.Freeze(a.Network, name => name == Name(2));
        KnowledgeTransfer fresh = new(Of("a", 2) with { Rank = 2, Start = FactorStart.Fresh }, Of("b", 1), new Blend(), 1);
        GraphException e = Assert.Throws<GraphException>(() => new JointTraining([a, Mlp("b", 2)], [fresh]));
        Assert.Contains("a:fc2.weight at rank 2 is frozen and stays as it is", e.Message);
        Assert.Contains("begin with its decomposition", e.Message);
    }

    /// <summary>Models of one family have the same names, and as many numbers stored in another order would be read as others.</summary>
    [Theory]
    [InlineData(8, 3, true, "found [8,3] with 3 rows of 8, inputs before outputs, expected [3,8] with 3 rows of 8, outputs before inputs")]
    [InlineData(3, 8, true, "found [3,8] with 8 rows of 3, inputs before outputs, expected [3,8] with 3 rows of 8, outputs before inputs")]
    [InlineData(6, 8, false, "found [6,8] with 6 rows of 8, outputs before inputs, expected [3,8] with 3 rows of 8, outputs before inputs")]
    public void A_matrix_of_another_network_is_refused(int rows, int columns, bool isExchanged, string phrase)
    {
        Learner learner = One("one", 3, 8, false), b = Mlp("b", 2);
        WeightMatrix matrix = WeightMatrix.Of(One("other", rows, columns, isExchanged).Network, "w");
        foreach (WeightMatrix part in new[] { matrix, WeightMatrix.Of(One("other", rows, columns, isExchanged).Network, "w", rows: (1, 2)) })
        {
            GraphException e = Assert.Throws<GraphException>(() => new JointTraining([learner, b], [new(new TransferMatrix("one", part), Of("b", 1), new Blend(), 1)]));
            Assert.Contains("the matrix 'w' for one", e.Message);
            Assert.Contains(phrase, e.Message);
            Assert.Contains("the matrix 'w' for one", Assert.Throws<GraphException>(() => new JointTraining([learner, b], [new(Of("b", 1), new("one", part), new Blend(), 1)])).Message);
        }

        Assert.Contains("one: the network has no parameter 'fc2.weight'", Assert.Throws<GraphException>(() => new JointTraining([learner, b], [new(Of("one", 2), Of("b", 1), new Blend(), 1)])).Message);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    public void Both_layouts_of_a_kernel_and_parts_of_it_are_matrices_of_its_network(int groups, int side)
    {
        Graph graph = new();
        Node features = graph.Input("features", new(2, 6));
        Node w = graph.Parameter("w", Draw(new(4), 4, 6 / groups * side * side).Reshape(new(4, 6 / groups, side, side)));
        graph.Output("y", features.Reshape(2, 6, 1, 1).Conv(w, groups: groups, pad: side / 2));
        Learner learner = Learner.Source("conv", graph);
        foreach (ConvolutionLayout layout in Enum.GetValues<ConvolutionLayout>())
        {
            foreach ((int, int)? rows in new (int, int)?[] { null, (1, 1) })
            {
                JointTraining joint = new([learner, Mlp("b", 2)], [new(new TransferMatrix("conv", WeightMatrix.Of(graph, "w", layout, rows)), Of("b", 1), new Blend(), 1)]);
                joint.Run();
                Assert.Equal(12, joint.HistoryOf(0)[^1].Transfers);
            }
        }
    }

    /// <summary>A network of one product with a weight of a shape, stored one way or the other.</summary>
    private static Learner One(string name, int rows, int columns, bool isExchanged)
    {
        Graph graph = new();
        Node w = graph.Parameter("w", Draw(new Random(4), rows, columns));
        graph.Output("y", isExchanged ? graph.Input("features", new(2, rows)).MatMul(w) : graph.Input("features", new(2, columns)).Linear(w));
        return Learner.Source(name, graph);
    }

    /// <summary>Settings name a weight; while the weight is a product they hold for its factors.</summary>
    [Fact]
    public void What_holds_for_a_weight_holds_for_its_factors()
    {
        Learner Slow(double scale) => Mlp("b", 2, Options with { Settings = node => new(node.Name == Name(1) ? scale : 1) });
        JointTraining joint = new([Learner.Source("a", Mlp("a", 1).Network), Slow(0)], [new(Of("a", 2), Of("b", 1) with { Rank = 2 }, new LowRankAdapter { Heads = 2 }, 100)]);
        Graph before = joint.NetworkOf("b");
        joint.Run();
        Assert.Equal(Weight(before, 1), Weight(joint.NetworkOf("b"), 1));
        Assert.NotEqual(Weight(before, 2), Weight(joint.NetworkOf("b"), 2));
    }

    /// <summary>Two embeddings of one table: what is written is in both places.</summary>
    [Fact]
    public void A_weight_that_is_read_twice_is_written_once()
    {
        Graph graph = new();
        Random random = new(4);
        Node w = graph.Parameter("w", Draw(random, 6, 6)), v = graph.Parameter("v", Draw(random, 3, 6));
        Node features = graph.Input("features", new(2, 6));
        graph.Output("y", features.Linear(w).Relu().MatMul(w).Linear(v));
        Learner learner = new("tied", graph, new CrossEntropy(), Samples.Of("mlp", 1, 60).Data, Options with { Rate = 0 });
        JointTraining joint = new([learner], [new(Of(learner, "v"), Of(learner, "w"), new Blend(0.5f), 100)]);
        joint.Run();
        Assert.NotEqual(graph.Parameters["w"].Value!.Span.ToArray(), joint.NetworkOf("tied").Parameters["w"].Value!.Span.ToArray());
        Assert.Equal(["w", "v"], joint.NetworkOf("tied").Parameters.Keys);
    }

    [Fact]
    public void Rows_of_a_matrix_are_written_alone()
    {
        Learner a = Still("a", 1);
        WeightMatrix rows = WeightMatrix.Of(a.Network, Name(1), rows: (2, 3));
        JointTraining joint = new([a], [new(Of("a", 2), new("a", rows), new Blend(0.5f), 100)]);
        joint.Run();
        float[] before = Weight(a.Network, 1), after = Weight(joint.NetworkOf("a"), 1);
        for (int i = 0; i < before.Length; i++) Assert.Equal(i / 6 is >= 2 and < 5, before[i] != after[i]);
    }

    /// <summary>
    /// Two rounds in which what is written is what stood there: with the momentum reset the second step of the written rows is that of its own gradient, while other rows carry on with the first.
    /// </summary>
    [Fact]
    public void The_momentum_of_what_is_written_alone_is_reset_where_that_is_asked_for()
    {
        TrainingOptions two = Options with { Epochs = 2, Batch = 60, Rule = new Sgd(0.9) };
        float[] After(bool resets, TrainingOptions options)
        {
            Learner b = Mlp("b", 2, options);
            KnowledgeTransfer transfer = new(Of("a", 2), new("b", WeightMatrix.Of(b.Network, Name(1), rows: (0, 4))), new Blend(1, 0), 1) { Rate = 0, ResetsMomentum = resets };
            JointTraining joint = new([Learner.Source("a", Mlp("a", 1).Network), b], [transfer]);
            joint.Run();
            return Weight(joint.NetworkOf("b"), 1);
        }

        float[] begin = Weight(Mlp("b", 2).Network, 1), one = After(false, two with { Epochs = 1 }), kept = After(false, two), reset = After(true, two);
        for (int i = 0; i < begin.Length; i++) Assert.Equal(i / 6 < 4 ? 0.9 * (one[i] - begin[i]) : 0, kept[i] - reset[i], 1e-6);
        Assert.Contains(Enumerable.Range(0, 24), i => Math.Abs(one[i] - begin[i]) > 1e-4);
    }

    /// <summary>Factors are trained in the place of the weights; what is handed out has the graph that was given, and does what the factors did.</summary>
    [Theory]
    [InlineData(2, 3, FactorStart.Decomposition)]
    [InlineData(3, 0, FactorStart.Fresh)]
    [InlineData(0, 2, FactorStart.Decomposition)]
    public void Factors_are_gone_at_the_end(int ofSource, int ofTarget, FactorStart start)
    {
        Learner a = Mlp("a", 1), b = Resnet("b", 2) with { Validation = Samples.Of("resnet", 9, 31).Data };
        TransferMatrix source = Of("a", 2) with { Rank = ofSource, Start = start }, target = Of(b, "layer2.0.conv1.weight") with { Rank = ofTarget, Start = start };
        JointTraining joint = new([a, b], [new(source, target, new LowRankAdapter { Heads = 2 }, 2)]);
        joint.Run();
        foreach (Learner learner in new[] { a, b })
        {
            Graph after = joint.NetworkOf(learner.Name);
            Assert.Equal(learner.Network.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Trainable)), after.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Trainable)));
            Assert.Equal(learner.Network.Nodes.Select(node => (node.Name, node.Op.GetType())), after.Nodes.Select(node => (node.Name, node.Op.GetType())));
            Assert.Equal(learner.Network.Outputs.Keys, after.Outputs.Keys);
        }

        Assert.Equal(ofTarget == 0 ? 8 : ofTarget, TransferMatrixRank(joint.NetworkOf("b"), target.Matrix));
        Score last = new Evaluation(joint.NetworkOf("b"), b.Loss!, b.Validation!, 16).Run();
        Assert.Equal(joint.RecordOf("b")!.History[^1].Validation!.Loss, last.Loss, 1e-4);
        Assert.Equal(2, joint.HistoryOf(0)[^1].Mixing.Length);
        Assert.All(joint.HistoryOf(0)[^1].Mixing, layer => Assert.Equal(1, layer.Sum(), 1e-9));
    }

    /// <summary>The rank of a matrix in double precision: the pivots of elimination that are not small.</summary>
    private static int TransferMatrixRank(Graph network, WeightMatrix matrix)
    {
        float[] values = new float[matrix.Rows * matrix.Columns];
        matrix.Read(network.Parameters[matrix.Name].Value!.Span, values);
        double[][] rows = [.. Enumerable.Range(0, matrix.Rows).Select(i => values.Skip(i * matrix.Columns).Take(matrix.Columns).Select(x => (double)x).ToArray())];
        double scale = values.Max(x => Math.Abs((double)x));
        int rank = 0;
        for (int column = 0; column < matrix.Columns && rank < rows.Length; column++)
        {
            int pivot = Enumerable.Range(rank, rows.Length - rank).MaxBy(i => Math.Abs(rows[i][column]));
            if (Math.Abs(rows[pivot][column]) < 1e-5 * scale) continue;
            (rows[rank], rows[pivot]) = (rows[pivot], rows[rank]);
            for (int i = rank + 1; i < rows.Length; i++)
            {
                double factor = rows[i][column] / rows[rank][column];
                for (int j = column; j < matrix.Columns; j++) rows[i][j] -= factor * rows[rank][j];
            }

            rank++;
        }

        return rank;
    }

    private static Tensor Draw(Random random, int rows, int columns)
    {
        Tensor value = new(new(rows, columns));
        foreach (ref float x in value.Span) x = (float)(random.NextDouble() - 0.5);
        return value;
    }
}
