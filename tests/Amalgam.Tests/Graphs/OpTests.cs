using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Tests.Graphs;

/// <summary>What must be true of every operator, on all of its samples. An operator is found by its type: one without a sample fails by its name.</summary>
public class OpTests
{
    private static readonly ILookup<string, OpSample> Samples = OpSamples.All.ToLookup(sample => sample.Op.GetType().Name);

    private static readonly Type[] Types = [.. typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract && !type.IsSubclassOf(typeof(Leaf)))];

    public static TheoryData<string> Names => [.. Types.Select(type => type.Name).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Names))]
    public void Has_samples_large_and_small(string op)
    {
        Assert.True(Samples[op].Any(), $"{op} has no sample: add one to a list of OpSamples");
        Assert.True(Samples[op].Any(s => s.Reference is not null), $"{op} has no sample with a reference");
        Assert.True(Samples[op].Any(s => s.IsLarge || s.IsSerial), $"{op} has no sample of 65,536 elements or more, which it needs unless it is never split (IsSerial)");
    }

    [Theory, MemberData(nameof(Names))]
    public void Kernel_equals_the_reference(string op) => Each(op, sample =>
    {
        if (sample.Reference is null) return;
        var (graph, inputs, y) = sample.Make();
        Grid expected = sample.Reference([.. sample.Inputs.Select(Double)]);
        Assert.Equal(expected.Shape, y.Shape);
        Near(expected.Values, sample.Evaluate(graph, inputs)[y].Span.ToArray(), sample.Tolerance, "element");
    });

    [Theory, MemberData(nameof(Names))]
    public void Gradient_equals_the_central_difference(string op) => Each(op, sample =>
    {
        if (sample.Reference is null || sample.IsLarge) return;
        var (graph, inputs, y) = sample.Make();
        bool isPromised = sample.Inputs.Any(input => input.IsDifferentiable);
        OpInput dy = OpInput.X(y.Shape, -1, 1, null, 77);
        Dictionary<Node, Node> gradients;
        try
        {
            gradients = Gradients.Of(y, graph.Constant(new Tensor(dy.Shape, dy.Values)), [.. inputs.Where(input => input.Known is null)]);
        }
        catch (GraphException e) when (!isPromised && (e.Message.Contains("has no gradient", StringComparison.Ordinal) || e.Message.Contains("second-order", StringComparison.Ordinal)))
        {
            return;
        }

        Dictionary<Node, Tensor> values = sample.Evaluate(graph, inputs);
        Grid[] x = [.. sample.Inputs.Select(Double)];
        for (int i = 0; i < inputs.Length; i++)
        {
            // Samples of NaN and infinity are for the kernel.
            if (!Array.TrueForAll(sample.Inputs[i].Values, float.IsFinite)) continue;
            Assert.True(sample.Inputs[i].IsDifferentiable == gradients.ContainsKey(inputs[i]), $"input {i} has {(sample.Inputs[i].IsDifferentiable ? "no" : "a")} gradient");
            if (!sample.Inputs[i].IsDifferentiable) continue;
            Grid expected = Grid.Difference(sample.Reference, x, i, Double(dy));
            Assert.Equal(expected.Shape, gradients[inputs[i]].Shape);
            Near(expected.Values, values[gradients[inputs[i]]].Span.ToArray(), sample.GradientTolerance, $"gradient by input {i}");
        }
    });

    [Theory, MemberData(nameof(Names))]
    public void Result_is_the_same_bits_for_any_number_of_threads(string op) => Each(op, sample =>
    {
        var (graph, inputs, y) = sample.Make();
        using CoreSpread spread = Cores.Spread(4);
        float[] many = sample.Evaluate(graph, inputs)[y].Span.ToArray();
        Same(OnThreads.One(() => sample.Evaluate(graph, inputs)[y].Span.ToArray()), many);
    });

    [Theory, MemberData(nameof(Names))]
    public void Result_may_take_the_memory_of_an_input_where_the_operator_says_so(string op) => Each(op, sample =>
    {
        if (sample.Op.Reuse != Reuse.InPlace) return;
        var (graph, inputs, y) = sample.Make();
        Dictionary<Node, Tensor> values = sample.Evaluate(graph, inputs);
        Node node = graph.Nodes.Last(n => n.Op.Equals(sample.Op));
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (node.Inputs[i].Shape.Count != node.Shape.Count) continue;
            Tensor[] x = [.. node.Inputs.Select(input => values[input].Copy())];
            sample.Op.Run(x, x[i].Reshape(node.Shape));
            Same(values[node].Span.ToArray(), x[i].Span.ToArray());
        }
    });

    [Theory, MemberData(nameof(Names))]
    public void Permuting_axes_that_are_tied_permutes_the_result(string op) => Each(op, sample =>
    {
        if (sample.IsLarge) return;
        var (graph, inputs, y) = sample.Make();
        Dictionary<Node, Tensor> before = sample.Evaluate(graph, inputs);
        AxisPermutations permutations = new(graph, new Random(5));
        OpSample permuted = sample with { Inputs = [.. sample.Inputs.Select((input, i) => input with { Values = permutations.Apply(inputs[i], input.Values) })] };
        float[] expected = permutations.Apply(y, before[y].Span.ToArray());
        Near([.. expected.Select(v => (double)v)], permuted.Evaluate(graph, inputs)[y].Span.ToArray(), 10 * sample.Tolerance, "element");
    });

    [Theory, MemberData(nameof(Names))]
    public void Runs_warm_without_allocating(string op) => Each(op, sample =>
    {
        var (graph, inputs, y) = sample.Make();
        Dictionary<Node, Tensor> values = sample.Evaluate(graph, inputs);
        Node? node = graph.Nodes.LastOrDefault(n => n.Op.Equals(sample.Op));
        if (node is null || node.Op is IKnownByShape || node.Op.Reuse == Reuse.View) return;
        Tensor[] x = [.. node.Inputs.Select(input => values[input])];
        Tensor result = new(node.Shape);
        Warm.AllocatesNothing(() => node.Op.Run(x, result));
    });

    private static void Each(string op, Action<OpSample> law)
    {
        foreach (OpSample sample in Samples[op])
        {
            try
            {
                law(sample);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"{sample}: {e.Message}", e);
            }
        }
    }

    private static Grid Double(OpInput input) => new(input.Shape, [.. input.Values.Select(v => (double)v)]);

    private static void Same(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i])) Assert.Fail($"element {i} is {actual[i]:R}, expected {expected[i]:R}");
        }
    }

    private static void Near(double[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double e = expected[i], a = actual[i];
            if (e == a || (double.IsNaN(e) && double.IsNaN(a)) || Math.Abs(e - a) <= tolerance * Math.Max(1, Math.Abs(e))) continue;
            Assert.Fail($"{what} {i} is {a:R}, expected {e:R}");
        }
    }
}
