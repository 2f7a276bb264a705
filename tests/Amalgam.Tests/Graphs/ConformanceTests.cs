using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

/// <summary>Amalgam's operators give what ONNX's own tests expect, at the tolerances of ONNX's runner, and give it again after the graph went out to a file and in.</summary>
public class ConformanceTests
{
    private const double Relative = 1e-3, Absolute = 1e-7;

    public static TheoryData<string> Cases => Rows(name => ConformanceCases.StageLeftOut(name) is null);

    public static TheoryData<string> CasesLeftOut => Rows(name => ConformanceCases.StageLeftOut(name) is not null);

    [Theory, MemberData(nameof(Cases))]
    public void The_outputs_are_those_expected(string name)
    {
        RealData.At("onnx-conformance");
        Run(name, export: true);
    }

    /// <summary>So the list cannot hide a case that works.</summary>
    [Theory, MemberData(nameof(CasesLeftOut))]
    public void A_case_that_is_left_out_does_not_pass(string name)
    {
        RealData.At("onnx-conformance");
        bool isExport = ConformanceCases.StageLeftOut(name) == "export";
        if (isExport) Run(name, export: false);
        Exception? e = Record.Exception(() => Run(name, isExport));
        Assert.True(e is not null, $"{name} passes; take it from conformance-left-out.tsv");
        Assert.True(e is GraphException or Xunit.Sdk.XunitException, $"{name} is no refusal but a bug: {e}");
    }

    [Fact]
    public void Every_case_left_out_exists_and_has_a_reason()
    {
        RealData.At("onnx-conformance");
        Assert.Equal(747 + 114, ConformanceCases.Names.Count());
        Assert.Empty(ConformanceCases.LeftOut.Keys.Except(ConformanceCases.Names));
        Assert.All(ConformanceCases.LeftOut, c => Assert.True(c.Value is { Stage: "run" or "export", Reason.Length: > 10 }));
    }

    [Fact]
    public void Networks_of_the_model_zoo_are_imported_with_their_shapes()
    {
        RealData.At("onnx-conformance");
        using TemporaryFolder folder = new();
        foreach (string name in ConformanceCases.Light)
        {
            File.WriteAllBytes(folder["model.onnx"], ConformanceCases.File(name, "model.onnx"));
            var (value, type) = ConformanceCases.TensorOf(ConformanceCases.File(name, "output_0.pb"), folder, name);
            using OnnxModel model = OnnxModel.Open(folder["model.onnx"]);
            Node output = model.ToGraph().Outputs.Values.First();
            Assert.Equal((name, value.Shape, type), (name, output.Shape, output.Type));
        }
    }

    /// <summary>Attributes, shapes and operators that nobody wrote: refused in words, never by a bug.</summary>
    [Fact]
    public void Damaged_cases_are_imported_or_refused()
    {
        RealData.At("onnx-conformance");
        using TemporaryFolder folder = new();
        string path = folder["damaged.onnx"];
        string[] names = [.. ConformanceCases.Names];
        for (int seed = 0; seed < 1000; seed++)
        {
            Random random = new(seed);
            string name = names[random.Next(names.Length)];
            byte[] damaged = [.. ConformanceCases.File(name, "model.onnx")];
            for (int i = random.Next(1, 3); i > 0; i--) damaged[random.Next(damaged.Length)] = (byte)random.Next(random.Next(3) == 0 ? 256 : 8);
            File.WriteAllBytes(path, damaged);
            try
            {
                using OnnxModel model = OnnxModel.Open(path);
                OnnxModel.Write(model.ToGraph(), folder["again.onnx"], new(Overwrite: true));
            }
            catch (Exception e) when (e is InvalidDataException or GraphException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"damage {seed} to {name} gave {e}");
            }
        }
    }

    /// <summary>Runs a case as it is, and after a round trip through a file.</summary>
    private static void Run(string name, bool export)
    {
        using TemporaryFolder folder = new();
        string path = folder["model.onnx"], again = folder["again.onnx"];
        File.WriteAllBytes(path, ConformanceCases.File(name, "model.onnx"));
        var inputs = ConformanceCases.Tensors(name, "input", folder);
        var expected = ConformanceCases.Tensors(name, "output", folder);

        using OnnxModel model = OnnxModel.Open(path);
        Graph graph = Import(model, inputs);
        Check(graph, model, inputs, expected);
        if (!export) return;

        model.Save(graph, again);
        using OnnxModel written = OnnxModel.Open(again);
        Graph second = written.ToGraph(graph.Inputs.ToDictionary(i => i.Key, i => i.Value.Shape));
        Check(second, written, [.. inputs.Where((_, i) => graph.Inputs.ContainsKey(model.Inputs[i].Name))], expected);
    }

    /// <summary>Shapes, axes and the like, which an operator wants to know when the graph is built, are inputs in these cases; they become constants.</summary>
    internal static Graph Import(OnnxModel model, List<(Tensor Value, DType Type)> inputs)
    {
        for (int kept = inputs.Count; kept > 0; kept = kept > 1 ? 1 : 0)
        {
            try
            {
                return ToGraph(model, inputs, kept);
            }
            catch (GraphException e) when (e.Message.Contains("known when the graph is built", StringComparison.Ordinal))
            {
            }
        }

        return ToGraph(model, inputs, 0);
    }

    /// <summary>The graph with the first inputs left inputs and the others known.</summary>
    private static Graph ToGraph(OnnxModel model, List<(Tensor Value, DType Type)> inputs, int kept) => model.ToGraph(
        inputs.Take(kept).Select((x, i) => (model.Inputs[i].Name, x.Value.Shape)).ToDictionary(),
        known: inputs.Select((x, i) => (model.Inputs[i].Name, x.Value)).Skip(kept).ToDictionary());

    private static void Check(Graph graph, OnnxModel model, List<(Tensor Value, DType Type)> inputs, List<(Tensor Value, DType Type)> expected)
    {
        Executor executor = new(graph);
        for (int i = 0; i < inputs.Count; i++)
        {
            if (graph.Inputs.TryGetValue(model.Inputs[i].Name, out Node? input)) inputs[i].Value.Span.CopyTo(executor[input].Span);
        }

        executor.Run();
        Assert.Equal(expected.Count, graph.Outputs.Count);
        foreach (var ((name, node), (value, type)) in graph.Outputs.Zip(expected))
        {
            Assert.Equal(value.Shape, node.Shape);
            Assert.Equal(type, node.Type);
            ReadOnlySpan<float> found = executor[node].Span, wanted = value.Span;
            for (int i = 0; i < wanted.Length; i++)
            {
                bool isSame = found[i].Equals(wanted[i]) || Math.Abs((double)found[i] - wanted[i]) <= Absolute + Relative * Math.Abs(wanted[i]);
                Assert.True(isSame, $"'{name}' is {found[i]} at {i}, expected {wanted[i]}");
            }
        }
    }

    private static TheoryData<string> Rows(Func<string, bool> isIn)
    {
        try
        {
            return [.. ConformanceCases.Names.Where(isIn)];
        }
        catch (Exception)
        {
            // Without the data there is one row, which says so.
            return ["the cases of ONNX"];
        }
    }
}
