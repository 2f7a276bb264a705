using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;
using Amalgam.Tests.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class LowRankAdapterTests
{
    /// <summary>Sizes of target and source: equal, all different, wide, tall, and of one row or column.</summary>
    public static TheoryData<int, int, int, int> Sizes => new() { { 4, 6, 4, 6 }, { 3, 7, 5, 11 }, { 10, 2, 3, 20 }, { 1, 6, 5, 3 }, { 6, 3, 1, 4 }, { 5, 3, 4, 1 } };

    public static TheoryData<string> Variants => ["residual", "published", "residual rows", "published rows", "residual average", "published average", "residual evolving", "published evolving"];

    [Fact]
    public void Bare_attention_gives_the_values_of_the_specification()
    {
        Graph graph = new();
        Node q = graph.Constant(new Tensor(new(1, 2, 2), [1, 0, 0, 1])), kv = graph.Constant(new Tensor(new(1, 3, 2), [1, 2, 3, 4, 5, 6]));
        Assert.All(UnfoldedAttention.Attend(q, kv, kv, 0).Value!.Span.ToArray().Chunk(2), row =>
        {
            Assert.Equal(4.44505915, row[0], 1e-6);
            Assert.Equal(5.44505915, row[1], 1e-6);
        });
    }

    [Theory, MemberData(nameof(Variants))]
    public void Equals_the_naive_reference(string variant) => Property.Holds(gen =>
    {
        LowRankAdapter adapter = Variant(variant) with { Heads = 1 + gen.Random.Next(9) };
        int rows = 1 + gen.Random.Next(6), columns = 1 + gen.Random.Next(6), sourceRows = 1 + gen.Random.Next(6), sourceColumns = 1 + gen.Random.Next(6);
        Made made = new(adapter, rows, columns, sourceRows, sourceColumns, gen.Random.Next(), "of/");
        made.Shake(gen);
        Oracles.Close(NaiveAdapter.Flat(made.Expected(new(made.Graph, adapter, "of/"))), made.Run(), 2e-4);
    }, 6);

    [Theory, MemberData(nameof(Sizes))]
    public void The_result_has_the_targets_shape_and_at_the_start_of_the_residual_form_its_values(int rows, int columns, int sourceRows, int sourceColumns)
    {
        foreach (string variant in Variants.Select(v => v.Data))
        {
            Made made = new(Variant(variant), rows, columns, sourceRows, sourceColumns, 1);
            Assert.Equal(new Shape(rows, columns), made.Result.Shape);
            float[] result = made.Run(), training = made.Run(forTraining: true);
            Assert.All(result, v => Assert.True(float.IsFinite(v)));
            Assert.Equal(variant.StartsWith("residual", StringComparison.Ordinal), result.AsSpan().SequenceEqual(made.Target.Span));
            Assert.Equal(variant.StartsWith("residual", StringComparison.Ordinal), training.AsSpan().SequenceEqual(made.Target.Span));
        }
    }

    [Fact]
    public void One_number_is_not_normalised_away()
    {
        Made made = new(new LowRankAdapter { Layers = 1, Form = AdapterForm.Published }, 1, 4, 3, 2, 1);
        made.Shake(new(1));
        ((ReadOnlySpan<float>)[0, 0, 0, 200]).CopyTo(made.Graph.Parameters["layers.0.mixing"].Value!.Span);
        float[] before = made.Run();
        made.Target.Span[2] += 1;
        Assert.NotEqual(before, made.Run());
    }

    /// <summary>In the inference form the vectors of the spectral norms are parameters like others.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void Gradients_equal_the_naive_references_differences(string variant) => CheckGradients(variant, new Shape(4, 3));

    internal static void CheckGradients(string variant, params Shape[] sources)
    {
        LowRankAdapter adapter = Variant(variant);
        adapter = adapter with { Heads = 3, Layers = adapter.SourceEvolves ? 2 : 1 };
        Generator gen = new(4);
        Made made = new(adapter, new(3, 4), sources, 1);
        made.Shake(gen);
        float[] weights = gen.Floats(12);
        Node loss = (made.Result * made.Graph.Constant(new Tensor(new(3, 4), weights))).Sum();
        Node[] parameters = [.. made.Graph.Parameters.Values], gradients = Gradients.Of(loss, parameters);
        Executor executor = new(made.Graph, gradients);
        foreach (var (name, value) in made.Inputs) value.Span.CopyTo(executor[name].Span);
        executor.Run();

        NaiveAdapter naive = new(made.Graph, adapter);
        for (int i = 0; i < parameters.Length; i++)
        {
            double[] values = naive.Parameters[parameters[i].Name!];
            float[] along = gen.Floats(values.Length), found = executor[gradients[i]].Span.ToArray();
            double expected = (At(1e-5) - At(-1e-5)) / 2e-5, size = found.Zip(along, (g, a) => Math.Abs((double)g * a)).Sum();
            Assert.True(Math.Abs(found.Zip(along, (g, a) => (double)g * a).Sum() - expected) <= 1e-3 * size + 1e-6, $"{parameters[i]}: {found.Zip(along, (g, a) => (double)g * a).Sum()}, expected {expected}");

            double At(double distance)
            {
                naive.Parameters[parameters[i].Name!] = [.. values.Zip(along, (v, a) => v + distance * a)];
                double[] result = NaiveAdapter.Flat(made.Expected(naive));
                naive.Parameters[parameters[i].Name!] = values;
                return result.Zip(weights, (r, w) => r * w).Sum();
            }
        }
    }

    [Fact]
    public void Equal_logits_are_the_average()
    {
        LowRankAdapter learned = new(), average = new() { Mixing = Mixing.Average };
        Made a = new(learned, 4, 6, 5, 7, 3), b = new(average, 4, 6, 5, 7, 3);
        foreach (var (name, node) in b.Graph.Parameters)
        {
            Generator gen = new(name.Length);
            gen.Floats(node.Shape.Size(0)).CopyTo(node.Value!.Span);
            node.Value.Span.CopyTo(a.Graph.Parameters[name].Value!.Span);
        }

        Oracles.Close([.. b.Run().Select(v => (double)v)], a.Run());
        Assert.Equal(b.Graph.Parameters.Count + 2, a.Graph.Parameters.Count);
        a.Graph.Parameters["layers.0.mixing"].Value!.Span[1] = 1;
        Assert.NotEqual(b.Run(), a.Run());
    }

    [Fact]
    public void The_mixing_is_the_softmax_of_the_logits_layer_by_layer()
    {
        Made made = new(new LowRankAdapter { Layers = 3 }, 2, 3, 4, 5, 1, "a/");
        ((ReadOnlySpan<float>)[0, 0, MathF.Log(2), 0]).CopyTo(made.Graph.Parameters["a/layers.1.mixing"].Value!.Span);
        double[][] found = [.. LowRankAdapter.MixingOf(made.Graph, "a/")];
        Assert.Equal(3, found.Length);
        Assert.Equal([0.25, 0.25, 0.25, 0.25], found[0]);
        Assert.Equal([0.2, 0.2, 0.4, 0.2], found[1].Select(v => Math.Round(v, 6)));
        Assert.Equal([[1, 0, 0, 0], [1, 0, 0, 0]], LowRankAdapter.MixingOf(new Made(Variant("residual rows"), 2, 3, 4, 5, 1).Graph));
        Assert.Equal([[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]], LowRankAdapter.MixingOf(new Made(Variant("published average"), 2, 3, 4, 5, 1).Graph));
        Assert.Empty(LowRankAdapter.MixingOf(made.Graph));
    }

    [Theory]
    [InlineData(0, true, false)]
    [InlineData(1, false, true)]
    [InlineData(2, true, false)]
    [InlineData(3, false, true)]
    public void Permuting_the_keys_changes_nothing(int attention, bool ofRows, bool ofColumns)
    {
        foreach (AdapterForm form in Enum.GetValues<AdapterForm>())
        {
            Made made = Only(attention, form);
            float[] expected = made.Run();
            made.Source = Permuted(made.Source, ofRows, ofColumns);
            Oracles.Close([.. expected.Select(v => (double)v)], made.Run(), 1e-4);
            made.Source = Permuted(made.Source, ofColumns, ofRows);
            Assert.True(expected.Zip(made.Run(), (a, b) => Math.Abs(a - b)).Max() > 1e-2, "other orders matter");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Permuting_the_queries_rows_permutes_the_results(int attention)
    {
        foreach (AdapterForm form in Enum.GetValues<AdapterForm>())
        {
            Made made = Only(attention, form);
            Tensor before = new(made.Target.Shape, made.Run());
            made.Target = Permuted(made.Target, true, false);
            Oracles.Close([.. Permuted(before, true, false).Span.ToArray().Select(v => (double)v)], made.Run(), 1e-4);
        }
    }

    [Fact]
    public void Heads_have_the_widths_of_the_papers_code()
    {
        Made made = new(new LowRankAdapter { Layers = 1, Form = AdapterForm.Published }, 160, 960, 100, 2048, 1);
        foreach (var (name, width, tokens, sourceTokens) in new[] { ("rr", 188, 960, 2048), ("rc", 66, 960, 100), ("cr", 138, 160, 2048), ("cc", 16, 160, 100) })
        {
            Assert.Equal(new Shape(8 * width, tokens), made.Graph.Parameters[$"layers.0.{name}.query.weight"].Shape);
            Assert.Equal(new Shape(8 * width, sourceTokens), made.Graph.Parameters[$"layers.0.{name}.value.weight"].Shape);
            Assert.Equal(new Shape(tokens, 8 * width), made.Graph.Parameters[$"layers.0.{name}.output.weight"].Shape);
        }

        Assert.InRange(made.Graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count), 18.5e6, 19.5e6);
    }

    [Fact]
    public void Dropout_acts_in_the_training_form_alone_and_can_be_repeated()
    {
        Made made = new(new LowRankAdapter(), 4, 6, 5, 7, 1);
        made.Shake(new(1));
        float[] plain = made.Run(), first = made.Run(forTraining: true, step: 1), second = made.Run(forTraining: true, step: 2);
        Assert.NotEqual(plain, first);
        Assert.NotEqual(first, second);
        Assert.Equal(first, made.Run(forTraining: true, step: 1));

        Made without = new(new LowRankAdapter { Dropout = 0, AttentionDropout = 0 }, 4, 6, 5, 7, 1);
        without.Shake(new(1));
        Assert.Equal(plain, without.Run(forTraining: true));
    }

    [Fact]
    public void Spectral_norms_follow_the_weights_in_training_and_no_gradient_reaches_their_vectors()
    {
        Made made = new(new LowRankAdapter { Layers = 1, Form = AdapterForm.Published }, 3, 5, 4, 6, 1);
        Node w = made.Graph.Parameters["layers.0.feed_forward.up.weight"];
        new Generator(8).Floats(w.Value!.Count).CopyTo(w.Value.Span);
        Graph training = Rewrite.ForTraining(made.Graph).Graph;
        Assert.Equal(["layers.0.feed_forward.up.u", "layers.0.feed_forward.up.v", "layers.0.feed_forward.down.u", "layers.0.feed_forward.down.v"], training.Updates.Keys.Select(p => p.Name!));
        Assert.All(training.Updates.Keys, p => Assert.False(p.Trainable));
        Executor executor = new(training, training.Updates.Values);
        for (int step = 0; step < 200; step++)
        {
            executor.Run();
            foreach (var (to, from) in training.Updates) executor[from].Span.CopyTo(to.Value!.Span);
        }

        double[] gram = new double[25];
        for (int i = 0; i < 25; i++) gram[i] = Enumerable.Range(0, 10).Sum(k => (double)w.Value.Span[k * 5 + i / 5] * w.Value.Span[k * 5 + i % 5]);
        Node used = made.Graph.Nodes.First(n => n.Op is Div && n.Inputs[0] == w);
        double norm = Math.Sqrt(SymmetricEigen.Of(gram, 5).Values[0]);
        Oracles.Close([.. w.Value.Span.ToArray().Select(v => v / norm)], Oracles.Value(used, made.Inputs), 1e-5);

        // At the singular vectors the derivative of |W| is u v', so W / |W| has the gradient of that whichever way u and v came about.
        Node inTraining = training.Nodes.First(n => n.Op is Div && n.Inputs[0] == training.Parameters[w.Name!]), loss = (inTraining * inTraining * inTraining).Sum();
        Node[] leaves = [training.Parameters[w.Name!], training.Parameters["layers.0.feed_forward.up.u"], training.Parameters["layers.0.feed_forward.up.v"]];
        Node[] gradients = Gradients.Of(loss, leaves);
        Executor both = new(training, [loss, .. gradients]);
        both.Run();
        float[] gradient = both[gradients[0]].Span.ToArray(), along = new Generator(3).Floats(w.Value.Count), at = w.Value.Span.ToArray();
        Assert.All(gradients[1..], g => Assert.True(both[g].Span.ToArray().All(v => v == 0)));
        double expected = (At(1e-2) - At(-1e-2)) / 2e-2;
        Assert.Equal(expected, gradient.Zip(along, (g, a) => (double)g * a).Sum(), 2e-3 * Math.Max(1, Math.Abs(expected)));

        double At(double distance)
        {
            for (int i = 0; i < at.Length; i++) w.Value.Span[i] = (float)(at[i] + distance * along[i]);
            both.Run();
            return both[loss].Span[0];
        }
    }

    [Fact]
    public void Scales_begin_as_the_deviations_of_rows_and_never_at_zero()
    {
        Tensor first = new(new(3, 4), [1, 3, 1, 3, 5, 5, 5, 5, 0, 0, 8, 8]);
        Graph graph = new();
        new LowRankAdapter().Add(new(graph, graph.Input("target", first.Shape), graph.Input("source", new(2, 2)), first));
        double mean = 44 / 12.0, whole = Math.Sqrt(first.Span.ToArray().Average(v => (v - mean) * (v - mean)));
        Oracles.Close([1, whole, 4], graph.Parameters["layers.1.scale"].Value!.Span.ToArray());

        Graph still = new();
        new LowRankAdapter().Add(new(still, still.Input("target", first.Shape), still.Input("source", new(2, 2)), new(first.Shape)));
        Assert.All(still.Parameters["layers.0.scale"].Value!.Span.ToArray(), s => Assert.Equal(0.5f, s));
    }

    /// <summary>Biases, normalisations, row scales and logits of the mixing have no weight decay; projections have.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void Only_the_matrices_of_linear_layers_decay(string variant)
    {
        Graph graph = new Made(Variant(variant), 3, 4, 5, 6, 1).Graph;
        string[] expected = [.. graph.Parameters.Values.Where(p => p.Trainable && p.Name!.EndsWith(".weight", StringComparison.Ordinal) && !p.Name.Contains(".norm", StringComparison.Ordinal)).Select(p => p.Name!)];
        Assert.Equal(expected, graph.Parameters.Values.Where(p => p.Trainable && ParameterSetting.ExemptVectors(p).WeightDecay is null).Select(p => p.Name!));
        Assert.Equal(variant.StartsWith("residual", StringComparison.Ordinal), graph.Parameters.ContainsKey("layers.0.scale"));
    }

    [Fact]
    public void Refuses_what_does_not_fit()
    {
        Assert.Contains("heads must be 1 or more, got 0", Refusal(() => _ = new LowRankAdapter { Heads = 0 }), StringComparison.Ordinal);
        Assert.Contains("layers must be 1 or more", Refusal(() => _ = new LowRankAdapter { Layers = 0 }), StringComparison.Ordinal);
        Assert.Contains("dropout must be in [0, 1), got 1", Refusal(() => _ = new LowRankAdapter { Dropout = 1 }), StringComparison.Ordinal);
        Assert.Contains("attention dropout", Refusal(() => _ = new LowRankAdapter { AttentionDropout = -0.1 }), StringComparison.Ordinal);
        Assert.Contains("129 heads do not fit tokens of 6 and 7 numbers", Refusal(() => _ = new Made(new LowRankAdapter { Heads = 129 }, 4, 6, 5, 7, 1)), StringComparison.Ordinal);
        Graph graph = new();
        Node matrix = graph.Input("m", new(2, 3)), vector = graph.Input("v", new(3));
        Assert.Contains("from matrix to matrix", Refusal(() => new LowRankAdapter().Add(new(graph, matrix, vector, new(new(2, 3))))), StringComparison.Ordinal);
        Assert.Contains("[2,3] and its value at the start [3,2]", Refusal(() => new MlpAdapter().Add(new(graph, matrix, matrix, new(new(3, 2))))), StringComparison.Ordinal);
        Assert.Contains("width must be 1 or more", Refusal(() => _ = new MlpAdapter(0)), StringComparison.Ordinal);
    }

    internal static LowRankAdapter Variant(string name) => new()
    {
        Form = name.StartsWith("residual", StringComparison.Ordinal) ? AdapterForm.Residual : AdapterForm.Published,
        Unfoldings = name.EndsWith("rows", StringComparison.Ordinal) ? Unfoldings.Rows : Unfoldings.All,
        Mixing = name.EndsWith("average", StringComparison.Ordinal) ? Mixing.Average : Mixing.Learned,
        SourceEvolves = name.EndsWith("evolving", StringComparison.Ordinal),
    };

    private static string Refusal(Action action) => Assert.Throws<GraphException>(action).Message;

    /// <summary>One layer of which one attention alone counts, with no row told from another by its scale.</summary>
    private static Made Only(int attention, AdapterForm form)
    {
        Made made = new(new LowRankAdapter { Layers = 1, Form = form }, 4, 6, 5, 7, 1);
        made.Shake(new(attention));
        Span<float> logits = made.Graph.Parameters["layers.0.mixing"].Value!.Span;
        for (int i = 0; i < 4; i++) logits[i] = i == attention ? 200 : 0;
        if (form == AdapterForm.Residual) made.Graph.Parameters["layers.0.scale"].Value!.Span.Fill(0.7f);
        return made;
    }

    internal static Tensor Permuted(Tensor x, bool ofRows, bool ofColumns)
    {
        int rows = x.Shape.Size(0), columns = x.Shape.Size(1);
        Tensor y = new(x.Shape);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) y.Span[i * columns + j] = x.Span[(ofRows ? (i + 2) % rows : i) * columns + (ofColumns ? (3 * j + 1) % columns : j)];
        }

        return y;
    }

    /// <summary>An adapter in a graph, with a target and a source.</summary>
    internal sealed class Made
    {
        public Made(ParameterAdapter adapter, int rows, int columns, int sourceRows, int sourceColumns, long seed, string prefix = "")
            : this(adapter, new(rows, columns), [new(sourceRows, sourceColumns)], seed, prefix)
        {
        }

        public Made(ParameterAdapter adapter, Shape target, Shape[] sources, long seed, string prefix = "")
        {
            Generator gen = new((int)(seed & 0xFFFF));
            Target = RandomGraph.Random(gen, target);
            Sources = [.. sources.Select(source => RandomGraph.Random(gen, source))];
            Node given = Graph.Input("target", target);
            Result = adapter.Add(new(Graph, given, [.. sources.Select((source, i) => Graph.Input($"source{i}", source))], Target, prefix, seed));
            Graph.Output("result", Result);
        }

        public Graph Graph { get; } = new();

        public Node Result { get; }

        public Tensor Target { get; set; }

        public Tensor[] Sources { get; set; }

        public Tensor Source { get => Sources[0]; set => Sources[0] = value; }

        public Dictionary<string, Tensor> Inputs => Sources.Select((source, i) => (Name: $"source{i}", Value: source)).Append(("target", Target)).ToDictionary();

        /// <summary>What the naive reference gives for the same matrices.</summary>
        public double[,] Expected(NaiveAdapter naive) => naive.Run(Of(Target), [.. Sources.Select(Of)]);

        private static double[,] Of(Tensor x) => NaiveAdapter.Of(x.Span, x.Shape.Size(0), x.Shape.Size(1));

        /// <summary>Changes every parameter, those that begin at zero and those of the spectral norms too.</summary>
        public void Shake(Generator gen)
        {
            foreach (Node node in Graph.Parameters.Values)
            {
                foreach (ref float value in node.Value!.Span) value += 0.2f * (float)(gen.Random.NextDouble() - 0.5);
            }
        }

        public float[] Run(bool forTraining = false, int step = 0)
        {
            Graph graph = forTraining ? Rewrite.ForTraining(Graph).Graph : Graph;
            Dictionary<string, Tensor> inputs = Inputs;
            if (graph.Inputs.ContainsKey(TrainingForm.StepName)) (inputs[TrainingForm.StepName], inputs[TrainingForm.SeedName]) = (Tensor.Scalar(step), Tensor.Scalar(5));
            return Oracles.Value(graph.Outputs["result"], inputs);
        }

        /// <summary>The result in a graph in which target and source are constants.</summary>
        public Node Still() => Rewrite.Apply(Graph, (to, node, _) => node.Op is Input ? to.Constant(Inputs[node.Name!]) : null).Graph.Outputs["result"];
    }
}
