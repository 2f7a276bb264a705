using Amalgam.Checkpoints;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Merging;
using Google.Protobuf;
using static Amalgam.Tests.Checkpoints.OnnxFiles;

namespace Amalgam.Tests.Checkpoints;

/// <summary>Tensors written into a copy of an ONNX model: what merging and converting make.</summary>
public sealed class OnnxCopyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Merging_models_changes_the_weights_and_no_other_byte()
    {
        ModelProto a = Small(), b = Small();
        b.Graph.Initializer[0] = Floats("w", new(3), 3, 4, 5);
        b.DocString = "the other";
        a.Write(_folder["a.onnx"]);
        b.Write(_folder["b.onnx"]);

        Merge("m.onnx", "a.onnx", "b.onnx");

        ModelProto merged = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder["m.onnx"]));
        ModelProto expected = a.Clone();
        expected.Graph.Initializer[0] = Floats("w", new(3), 2, 3, 4);
        Assert.Equal(expected, merged);
    }

    [Fact]
    public void A_copy_is_the_same_bytes()
    {
        byte[] bytes = Small().ToByteArray();
        File.WriteAllBytes(_folder["a.onnx"], bytes);
        Copy("a.onnx", "b.onnx");
        Assert.Equal(bytes, File.ReadAllBytes(_folder["b.onnx"]));
    }

    [Fact]
    public void Elements_that_lie_elsewhere_are_written_inside()
    {
        ModelProto model = Small();
        TensorProto b = model.Graph.Initializer[1];
        byte[] bytes = b.RawData.ToByteArray();
        File.WriteAllBytes(_folder["data"], bytes);
        b.RawData = ByteString.Empty;
        b.DataLocation = TensorProto.Types.DataLocation.External;
        b.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "data" });
        model.Graph.Initializer.Add(new TensorProto { Name = "i", DataType = 7, Dims = { 3 }, Int64Data = { 1, -1, 1 << 20 }, DocString = "packed" });
        model.Graph.Initializer.Add(new TensorProto { Name = "none", DataType = 1, Dims = { 0 } });
        model.Write(_folder["a.onnx"]);

        Copy("a.onnx", "b.onnx");

        File.Delete(_folder["data"]);
        using Checkpoint copy = Checkpoint.Open(_folder["b.onnx"]);
        Assert.Equal(["w", "b", "i", "none"], copy.Tensors.Select(t => t.Name));
        Assert.Equal([1, 2, 3, 4, 5, 6], copy.Values("b"));
        Assert.Equal(OnnxValues.Bytes([1, -1, 1 << 20], DType.I64), copy.Tensors[2].Bytes());
        using OnnxModel onnx = OnnxModel.Open(_folder["b.onnx"]);
        Assert.Equal("packed", onnx.Proto.Graph.Initializer[2].DocString);
        Assert.Equal(model.Graph.Node, onnx.Proto.Graph.Node);
    }

    [Fact]
    public void Tensors_without_a_graph_are_refused()
    {
        TestModel.Write(_folder["a.safetensors"], DType.F32, ("w", new(3), [1, 2, 3]));
        Assert.Contains("an ONNX file holds a graph, and tensors alone have none", Assert.Throws<InvalidDataException>(() => Copy("a.safetensors", "b.onnx")).Message);
        Assert.Contains("begin with an ONNX model", Assert.Throws<InvalidDataException>(() => Merge("m.onnx", "a.safetensors", "a.safetensors")).Message);
        Assert.False(File.Exists(_folder["b.onnx"]));
    }

    [Fact]
    public void Tensors_that_are_not_the_graphs_are_refused()
    {
        Small().Write(_folder["a.onnx"]);
        using Checkpoint model = Checkpoint.Open(_folder["a.onnx"]);
        Assert.Contains(
            "wants 'w' as F32[3], and it would be F16[3]",
            Assert.Throws<InvalidDataException>(() => new CheckpointCopy(DType.F16).Run(model, _folder["b.onnx"], new())).Message);
        Assert.Contains("has no tensor ''", Assert.Throws<InvalidDataException>(() => CheckpointOutput.Create(_folder["b.onnx"], [new("", DType.F32, new(1))], new Dictionary<string, string>(), new(), "", _folder["a.onnx"])).Message);
    }

    private void Copy(string from, string to)
    {
        using Checkpoint model = Checkpoint.Open(_folder[from]);
        new CheckpointCopy().Run(model, _folder[to], new());
    }

    private void Merge(string to, params string[] models)
    {
        string recipe = "merge_method: linear\nmodels:\n" + string.Concat(models.Select(m => $"  - model: {_folder[m]}\n    parameters: {{ weight: 0.5 }}\n"));
        using RecipeRun run = RecipeRun.Parse(recipe, _folder.Path, "recipe");
        run.Run(_folder[to], new());
    }
}
