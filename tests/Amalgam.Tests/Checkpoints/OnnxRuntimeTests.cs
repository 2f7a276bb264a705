using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Graphs;

namespace Amalgam.Tests.Checkpoints;

/// <summary>Models that Amalgam writes run in ONNX Runtime and give there what they give here.</summary>
public class OnnxRuntimeTests
{
    [Theory]
    [InlineData("small-onnx/opt-mnist")]
    [InlineData("small-onnx/cnn_max_mninst2")]
    [InlineData("small-onnx/self-attention-mnist-pgd-medium-sim")]
    [InlineData("resnet20-cifar10/resnet20-cifar10")]
    [InlineData("resnet20-cifar10-halves/a")]
    [InlineData("cnn-mnist-fashion-pair/cnn-mnist")]
    public void A_real_model_agrees_after_its_round_trip(string file)
    {
        OnnxRuntime.Require();
        using OnnxModel model = OnnxModel.Open(RealData.At("models", file + ".onnx"));
        Graph graph = model.ToGraph(batch: 2);
        OnnxRuntime.AssertAgrees(path => model.Save(graph, path), graph, Inputs(graph));
    }

    /// <summary>Every operator's ONNX form is taken by ONNX Runtime, and means there what it means here.</summary>
    [Fact]
    public void The_operators_of_the_conformance_cases_agree()
    {
        OnnxRuntime.Require();
        RealData.At("onnx-conformance");
        using TemporaryFolder folder = new();
        List<(string Name, Graph Graph, Dictionary<string, Tensor> Inputs)> cases = [];
        foreach (string name in ConformanceCases.Names.Where(n => ConformanceCases.StageLeftOut(n) is null))
        {
            string place = folder[name.Replace('/', '-')];
            Directory.CreateDirectory(place);
            File.WriteAllBytes(folder["case.onnx"], ConformanceCases.File(name, "model.onnx"));
            var inputs = ConformanceCases.Tensors(name, "input", folder);
            using OnnxModel model = OnnxModel.Open(folder["case.onnx"]);
            Graph graph = ConformanceTests.Import(model, inputs);
            var values = inputs.Select((x, i) => (model.Inputs[i].Name, x.Value)).Where(x => graph.Inputs.ContainsKey(x.Name)).ToDictionary();
            if (!graph.Inputs.Values.Concat(graph.Outputs.Values).All(n => OnnxRuntime.Takes(n.Type))) continue;
            OnnxModel.Write(graph, Path.Combine(place, "model.onnx"));
            OnnxRuntime.Ask(place, graph.Inputs.Select(i => (i.Key, i.Value.Type, values[i.Key])));
            cases.Add((name, graph, values));
        }

        OnnxRuntime.Run(folder.Path);

        List<string> failures = [];
        int agreed = 0;
        foreach (var (name, graph, inputs) in cases)
        {
            var (error, outputs) = OnnxRuntime.Answer(folder[name.Replace('/', '-')]);
            // It has not every operator for every type: no 16-bit integers in arithmetic, for one.
            if (error?.Contains("NOT_IMPLEMENTED", StringComparison.Ordinal) == true || error?.Contains("Could not find an implementation", StringComparison.Ordinal) == true) continue;
            Exception? e = Record.Exception(() => Compare(graph, inputs, error, outputs));
            if (e is not null) failures.Add($"{name}: {e.Message}");
            else agreed++;
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
        Assert.True(agreed > 500, $"only {agreed} of {cases.Count} cases ran in ONNX Runtime");
    }

    private static void Compare(Graph graph, Dictionary<string, Tensor> inputs, string? error, Dictionary<string, (Shape Shape, DType Type, float[] Values)> outputs)
    {
        Assert.True(error is null, error);
        Executor executor = new(graph);
        foreach (string name in graph.Inputs.Keys) inputs[name].Span.CopyTo(executor[name].Span);
        executor.Run();
        foreach (var (name, node) in graph.Outputs)
        {
            Assert.Equal(node.Shape, outputs[name].Shape);
            Assert.Equal(node.Type, outputs[name].Type);
            OnnxRuntime.AssertClose(name, outputs[name].Values, executor[node].Span, node.Type == DType.F16 ? 2e-3f : 1e-4f);
        }
    }

    private static Dictionary<string, Tensor> Inputs(Graph graph)
    {
        Generator generator = new(1);
        return graph.Inputs.ToDictionary(i => i.Key, i => new Tensor(i.Value.Shape, generator.Floats((int)i.Value.Shape.Count)));
    }
}
