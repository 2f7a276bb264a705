using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Tests.Zoo.Models;

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

    /// <summary>Written for any number of samples from an instance for two, and run with three.</summary>
    [Theory]
    [InlineData("mlp", "")]
    [InlineData("resnet20", "")]
    [InlineData("resnet18", "width=0.25")]
    [InlineData("mobilenetv2", "width=0.5")]
    [InlineData("vit_tiny", "depth=4")]
    [InlineData("bert", "vocabulary=1000;hidden=128;depth=4;inner=512;length=32;positions=64")]
    public void An_architecture_agrees(string model, string options)
    {
        OnnxRuntime.Require();
        Graph graph = ZooModelTests.Build(model, options, 2, 1), three = Rewrite.Resize(graph, 3).Graph;
        OnnxRuntime.AssertAgrees(path => OnnxModel.Write(graph, path, new("batch")), three, ZooInputs(three));
    }

    [Fact]
    public void All_architectures_agree_when_they_are_small()
    {
        OnnxRuntime.Require();
        using TemporaryFolder folder = new();
        List<(string Name, string Place, Graph Graph, Dictionary<string, Tensor> Inputs)> cases = [];
        foreach (var (model, options) in ZooModelTests.Networks.Select(row => row.Data))
        {
            Graph graph = ZooModelTests.Build(model, options, 2, 1), three = Rewrite.Resize(graph, 3).Graph;
            Dictionary<string, Tensor> inputs = ZooInputs(three);
            string place = Directory.CreateDirectory(folder[$"{cases.Count}"]).FullName;
            OnnxModel.Write(graph, Path.Combine(place, "model.onnx"), new("batch"));
            OnnxRuntime.Ask(place, three.Inputs.Select(i => (i.Key, i.Value.Type, inputs[i.Key])));
            cases.Add(($"{model} {options}", place, three, inputs));
        }

        OnnxRuntime.Run(folder.Path);

        List<string> failures = [];
        foreach (var (name, place, graph, inputs) in cases)
        {
            var (error, outputs) = OnnxRuntime.Answer(place);
            if (Record.Exception(() => Compare(graph, inputs, error, outputs)) is { } e) failures.Add($"{name}: {e.Message}");
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
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

    private static Dictionary<string, Tensor> ZooInputs(Graph graph)
    {
        Executor executor = new(graph);
        ZooModelTests.Fill(executor, graph, 5);
        return graph.Inputs.ToDictionary(i => i.Key, i => executor[i.Value].Copy());
    }

    private static Dictionary<string, Tensor> Inputs(Graph graph)
    {
        Generator generator = new(1);
        return graph.Inputs.ToDictionary(i => i.Key, i => new Tensor(i.Value.Shape, generator.Floats((int)i.Value.Shape.Count)));
    }
}
