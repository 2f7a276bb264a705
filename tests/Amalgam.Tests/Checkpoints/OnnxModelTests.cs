using Amalgam.Checkpoints;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Graphs;
using Google.Protobuf;
using static Amalgam.Tests.Checkpoints.OnnxFiles;

namespace Amalgam.Tests.Checkpoints;

public sealed class OnnxModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_becomes_a_graph_with_its_names()
    {
        using OnnxModel model = Open(Small());
        Graph graph = model.ToGraph(batch: 2);

        Assert.Equal(["'x' F32[N,1,3]"], model.Inputs.Select(i => i.ToString()));
        Assert.Equal(["'y' F32[N,2,3]"], model.Outputs.Select(i => i.ToString()));
        Assert.Equal(["w", "b"], graph.Parameters.Keys);
        Assert.All(graph.Parameters.Values, p => Assert.True(p.Trainable));
        Assert.Equal(["x", "w", "b", "h", "y"], graph.Nodes.Select(n => n.Name));
        Assert.Equal([1f + 1, 2 * 2 + 2, 3 * 3 + 3, 1 + 4, 4 + 5, 9 + 6, 4 + 1, 10 + 2, 18 + 3, 4 + 4, 10 + 5, 18 + 6], Run(graph, [1, 2, 3, 4, 5, 6]));
    }

    [Fact]
    public void A_symbol_has_one_size_wherever_it_stands()
    {
        ModelProto model = Small();
        model.Graph.Input.Add(Value("state", 2, "N", "M"));
        model.Graph.Node.Add(Node("Add", "y state", "z"));
        model.Graph.Output[0] = Value("z");
        using OnnxModel onnx = Open(model);

        Assert.Contains("does not say the shape of its input 'state' [2,N,M]; give the sizes", Assert.Throws<GraphException>(() => onnx.ToGraph()).Message);
        Assert.Equal(new Shape(2, 2, 3), onnx.ToGraph(new Dictionary<string, Shape> { ["state"] = new(2, 2, 3) }, batch: 7).Inputs["x"] is { } x ? new(x.Shape[0], 2, 3) : default);
        Assert.Contains("takes 'x' in the shape [N,1,3], [4,3] was given", Assert.Throws<GraphException>(() => onnx.ToGraph(new Dictionary<string, Shape> { ["x"] = new(4, 3) })).Message);
        Assert.Contains("has no input 'q'; its inputs are 'x', 'state'", Assert.Throws<GraphException>(() => onnx.ToGraph(new Dictionary<string, Shape> { ["q"] = new(4, 3) })).Message);
    }

    [Fact]
    public void All_nodes_that_cannot_be_imported_are_named_at_once()
    {
        ModelProto model = Small();
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        NodeProto fused = Node("BiasGelu", "h b", "y");
        fused.Domain = "com.microsoft";
        GraphProto body = new();
        body.Node.Add(Node("Add", "h b", "s"));
        body.Output.Add(Value("s"));
        model.Graph.Node.RemoveAt(1);
        model.Graph.Node.Add([
            fused, Node("Frobnicate", "x", "f"), Node("Loop", "h", "l", ("body", body)), Node("If", "h", "i", ("then_branch", body), ("else_branch", body)),
            Node("Mul", "x w", "m", ("tilt", 3)), Node("Mul", "l m", "depends"),
        ]);
        using OnnxModel onnx = Open(model);

        string message = Assert.Throws<GraphException>(() => onnx.ToGraph()).Message;

        Assert.Equal(
            $"{onnx.Path} has 5 nodes that Amalgam cannot import: 'node of y' (com.microsoft.BiasGelu, opset 1): Amalgam knows the operators of ai.onnx alone; "
            + "'node of f' (Frobnicate, opset 17): Amalgam does not have this operator; 'node of l' (Loop, opset 17): has sub-graphs, which Amalgam does not run; "
            + "'node of i' (If, opset 17): has sub-graphs, and its condition is known only when the graph runs; "
            + "'node of m' (Mul, opset 17): its attribute 'tilt' would have no effect here", message);
        Assert.Equal(["node of y", "node of f", "node of l"], onnx.Unsupported.Select(p => p.Node));
    }

    [Theory]
    [InlineData(1, 6)]
    [InlineData(0, 5)]
    public void A_branch_is_taken_when_its_condition_is_known(int condition, float expected)
    {
        ModelProto model = Model(Node("If", "c", "y", ("then_branch", Branch("Mul", 2)), ("else_branch", Branch("Add", 2))));
        model.Graph.Input.Add([Value("x", 1), Value("c", DType.Bool)]);
        model.Graph.Output.Add(Value("y", 1));
        using OnnxModel onnx = Open(model);

        Graph graph = onnx.ToGraph(known: new Dictionary<string, Tensor> { ["c"] = Tensor.Scalar(condition) });

        Assert.Equal(["x"], graph.Inputs.Keys);
        Assert.Equal([expected], Run(graph, [3]));
    }

    [Fact]
    public void Constants_are_constants_and_large_ones_parameters()
    {
        ModelProto model = Model(
            Node("Constant", "", "matrix", ("value", Floats("", new(2, 2), 1, 2, 3, 4))), Node("Constant", "", "number", ("value", Floats("", new(), 10))),
            Node("Constant", "", "two", ("value_float", 2f)), Node("Mul", "x matrix", "a"), Node("Mul", "a number", "b"), Node("Mul", "b two", "y"));
        model.Graph.Input.Add(Value("x", 2, 2));
        model.Graph.Output.Add(Value("y", 2, 2));
        using OnnxModel onnx = Open(model);

        Graph graph = onnx.ToGraph();

        Assert.Equal(["matrix"], graph.Parameters.Keys);
        Assert.IsType<Constant>(graph.Find("number")!.Op);
        Assert.Equal([20, 40, 60, 80], Run(graph, [1, 1, 1, 1]));
    }

    [Theory]
    [InlineData(16_777_216L, null)]
    [InlineData(16_777_217L, "holds 16777217; Amalgam computes with floats, in which that integer does not exist")]
    [InlineData(-16_777_217L, "holds -16777217")]
    [InlineData(2_147_483_646L, "holds 2147483646")]
    [InlineData(2_147_483_647L, null)]
    [InlineData(long.MaxValue, null)]
    [InlineData(long.MinValue, null)]
    public void Integers_are_exact_or_without_end(long value, string? phrase)
    {
        ModelProto model = Model(Node("Add", "x i", "y"));
        model.Graph.Initializer.Add(new TensorProto { Name = "i", DataType = 7, Dims = { 1 }, Int64Data = { value } });
        model.Graph.Input.Add(Value("x", DType.I64, 1));
        model.Graph.Output.Add(Value("y", DType.I64, 1));
        using OnnxModel onnx = Open(model);

        if (phrase is null) Assert.Equal(value, onnx.ToGraph().Find("i")!.Integers("i")[0], value is long.MaxValue or long.MinValue ? 0L : 1L);
        else Assert.Contains(phrase, Assert.Throws<GraphException>(() => onnx.ToGraph()).Message);
    }

    [Fact]
    public void A_graph_out_of_order_or_with_a_value_made_twice_is_refused()
    {
        ModelProto late = Small(), twice = Small(), missing = Small();
        (late.Graph.Node[0], late.Graph.Node[1]) = (late.Graph.Node[1], late.Graph.Node[0]);
        twice.Graph.Node[1].Output[0] = "h";
        missing.Graph.Output[0].Name = "nowhere";

        Assert.Contains("its node 'node of y' (Add) reads 'h', which nothing before it makes", Refusal(late));
        Assert.Contains("two things make its value 'h'", Refusal(twice));
        Assert.Contains("nothing makes its output 'nowhere'", Refusal(missing));
    }

    [Fact]
    public void Opsets_of_before_and_behind_are_refused()
    {
        ModelProto model = Small();
        model.OpsetImport[0].Version = 99;
        using OnnxModel onnx = Open(model);
        Assert.Contains("is written for opset 99; Amalgam imports 1 to 25", Assert.Throws<GraphException>(() => onnx.ToGraph()).Message);
    }

    [Fact]
    public void A_round_trip_changes_nothing_that_a_user_sees()
    {
        ModelProto model = Small();
        (model.DocString, model.Domain, model.ModelVersion) = ("what it is", "org.test", 7);
        model.MetadataProps.Add(new StringStringEntryProto { Key = "license", Value = "none" });
        model.Graph.DocString = "of the graph";
        model.Graph.Node[0].DocString = "of the node";
        model.Graph.Input[0].DocString = "of the input";
        model.Graph.ValueInfo.Add(Value("h", "N", 1, 3));
        using OnnxModel onnx = Open(model);

        onnx.Save(onnx.ToGraph(), _folder["again.onnx"]);

        ModelProto again = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder["again.onnx"]));
        Assert.Equal(model, again);
    }

    [Fact]
    public void The_same_graph_gives_the_same_bytes_and_once_more_the_same()
    {
        Property.Holds(generator =>
        {
            Graph graph = RandomGraph.Make(generator);
            string first = _folder["first.onnx"], second = _folder["second.onnx"], third = _folder["third.onnx"];
            OnnxModel.Write(graph, first, new(Overwrite: true));
            OnnxModel.Write(graph, second, new(Overwrite: true));
            using OnnxModel read = OnnxModel.Open(first);
            Graph again = read.ToGraph();
            read.Save(again, third, new(Overwrite: true));

            Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
            Assert.Equal(Parse(first), Parse(third));
            Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(third));
            var inputs = RandomGraph.Inputs(generator, graph);
            foreach (string name in again.Inputs.Keys) Assert.Equal(graph.Inputs[name].Shape, again.Inputs[name].Shape);
            var expected = RandomGraph.Run(graph, inputs);
            foreach (var (name, value) in RandomGraph.Run(again, inputs)) Assert.Equal(expected[name].Span.ToArray(), value.Span.ToArray());
        }, 25);
    }

    [Fact]
    public void Values_without_names_get_them_and_outputs_keep_theirs()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2)), w = graph.Parameter("w", Tensor.Vector(1, 2));
        Node y = -(x * w + 3f);
        graph.Output("y", y);
        graph.Output("same", y);
        graph.Output("weights", w);
        graph.Output("input", x);
        OnnxModel.Write(graph, _folder["m.onnx"]);

        using OnnxModel onnx = OnnxModel.Open(_folder["m.onnx"]);
        Graph again = onnx.ToGraph();

        Assert.Equal(["y", "same", "weights", "input"], again.Outputs.Keys);
        Executor executor = new(again);
        executor["x"].Span.Fill(1);
        executor.Run();
        Assert.Equal([-4, -5], executor["y"].Span.ToArray());
        Assert.Equal([-4, -5], executor["same"].Span.ToArray());
        Assert.Equal([1, 2], executor["weights"].Span.ToArray());
        Assert.Equal([1, 1], executor["input"].Span.ToArray());
    }

    [Fact]
    public void Names_of_values_stay_where_an_operator_is_written_as_two()
    {
        ModelProto model = OnnxFiles.Model(OnnxFiles.Node("Gemm", "x w b", "hidden"), OnnxFiles.Node("Relu", "hidden", "kept"), OnnxFiles.Node("Gemm", "kept w b", "y"));
        model.Graph.Input.Add(OnnxFiles.Value("x", 1, 2));
        model.Graph.Output.Add(OnnxFiles.Value("y", 1, 2));
        model.Graph.Initializer.Add(OnnxFiles.Floats("w", new(2, 2), 1, 2, 3, 4));
        model.Graph.Initializer.Add(OnnxFiles.Floats("b", new(2), 5, 6));
        model.Write(_folder["in.onnx"]);
        using OnnxModel file = OnnxModel.Open(_folder["in.onnx"]);
        file.Save(file.ToGraph(), _folder["out.onnx"]);

        GraphProto written = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder["out.onnx"])).Graph;
        string[] values = [.. written.Node.SelectMany(node => node.Output)];
        Assert.Equal(["hidden", "kept", "y"], values.Where(name => !name.StartsWith("MatMul_", StringComparison.Ordinal)));
        Assert.Equal(["node of hidden", "node of kept", "node of y"], written.Node.Select(node => node.Name).Where(name => name != ""));
        Assert.Equal("y", Assert.Single(written.Output).Name);
    }

    [Fact]
    public void An_output_with_the_name_of_another_value_is_that_value_under_a_new_name_or_refused()
    {
        Graph graph = new(), refused = new();
        Node h = graph.Add(new Neg(), "y", graph.Input("x", new(2)));
        graph.Output("y", h * 2f);
        OnnxModel.Write(graph, _folder["m.onnx"]);
        refused.Output("w", -refused.Parameter("w", Tensor.Vector(1)));

        using OnnxModel onnx = OnnxModel.Open(_folder["m.onnx"]);
        Assert.Equal([-2, -4], Run(onnx.ToGraph(), [1, 2]));
        Assert.Contains("the output 'w' has the name of %0 Parameter 'w'", Assert.Throws<GraphException>(() => OnnxModel.Write(refused, _folder["w.onnx"])).Message);
    }

    [Fact]
    public void Half_precision_stays_half_precision()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2), DType.F16);
        graph.Output("y", x * graph.Parameter("w", Tensor.Vector(0.1f, 2), type: DType.F16) * 0.5f);
        OnnxModel.Write(graph, _folder["m.onnx"]);

        using OnnxModel onnx = OnnxModel.Open(_folder["m.onnx"]);
        Graph again = onnx.ToGraph();

        Assert.All(again.Nodes, node => Assert.Equal(DType.F16, node.Type));
        Assert.Equal((float)(Half)0.1f, again.Parameters["w"].Value!.Span[0]);
    }

    [Theory]
    [InlineData(true, long.MaxValue)]
    [InlineData(false, 20_000)]
    public void Weights_go_beside_when_asked_or_when_there_are_too_many(bool asked, long limit)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 1000));
        float[] values = [.. Enumerable.Range(0, 10_000).Select(i => i * 0.25f)];
        graph.Output("y", x * graph.Parameter("large", new(new(10, 1000), values)) + graph.Parameter("small", Tensor.Vector(5)) + graph.Parameter("half", new(new(1000), values[..1000]), type: DType.F16));
        string path = _folder["m.onnx"];

        OnnxModel.Write(graph, path, new(ExternalData: asked) { InlineLimit = limit });

        Assert.Equal(4096 * 10 + 2000, new FileInfo(path + ".data").Length);
        Assert.True(new FileInfo(path).Length < 2000);
        using Checkpoint checkpoint = Checkpoint.Open(path);
        Assert.Equal(values, checkpoint.Values("large"));
        using OnnxModel onnx = OnnxModel.Open(path);
        Assert.Equal(values, onnx.ToGraph().Parameters["large"].Value!.Span.ToArray());
        Assert.Equal(["m.onnx", "m.onnx.data"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_only_when_told_and_a_failure_leaves_nothing()
    {
        Graph graph = new(), broken = new();
        graph.Output("y", -graph.Input("x", new(2)));
        broken.Output("y", broken.Add(new Foreign(), broken.Input("x", new(2))));
        string path = _folder["m.onnx"];
        OnnxModel.Write(graph, path);
        byte[] bytes = File.ReadAllBytes(path);

        Assert.Contains("exists", Assert.Throws<IOException>(() => OnnxModel.Write(graph, path)).Message);
        OnnxModel.Write(graph, path, new(Overwrite: true));
        Assert.Equal(bytes, File.ReadAllBytes(path));
        Assert.Contains("cannot be written as ONNX", Assert.Throws<GraphException>(() => OnnxModel.Write(broken, path, new(Overwrite: true))).Message);
        Assert.Contains("end its name in .onnx", Assert.Throws<IOException>(() => OnnxModel.Write(graph, _folder["m.pt"])).Message);
        Assert.Equal(bytes, File.ReadAllBytes(path));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_symbolic_batch_is_written_where_the_graph_takes_any()
    {
        Graph any = new(), one = new();
        Node x = any.Input("x", new(4, 6));
        any.Output("y", x.Reshape(0, 2, 3) * any.Parameter("w", Tensor.Vector(1, 2, 3)));
        one.Output("y", one.Input("x", new(4, 6)).Reshape(24));
        OnnxModel.Write(any, _folder["m.onnx"], new("N"));

        using OnnxModel onnx = OnnxModel.Open(_folder["m.onnx"]);
        Assert.Equal("'x' F32[N,6]", onnx.Inputs[0].ToString());
        Assert.Equal("'y' F32[N,2,3]", onnx.Outputs[0].ToString());
        Assert.Contains("takes 4 samples and no other number", Assert.Throws<GraphException>(() => OnnxModel.Write(one, _folder["one.onnx"], new("N"))).Message);
    }

    [Fact]
    public void Damaged_models_become_graphs_or_are_refused()
    {
        byte[] sound = Small().ToByteArray();
        string path = _folder["damaged.onnx"];
        for (int seed = 0; seed < 3000; seed++)
        {
            Random random = new(seed);
            byte[] damaged = [.. sound];
            for (int i = random.Next(1, 4); i > 0; i--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, damaged);
            try
            {
                using OnnxModel model = OnnxModel.Open(path);
                model.ToGraph();
            }
            catch (Exception e) when (e is InvalidDataException or GraphException)
            {
                Assert.Contains(path, e.Message, StringComparison.Ordinal);
            }
            catch (Exception e)
            {
                Assert.Fail($"damage {seed} gave {e}");
            }
        }
    }

    private OnnxModel Open(ModelProto model) => OnnxModel.Open(model.Write(_folder["model.onnx"]));

    private static ModelProto Parse(string path) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));

    private string Refusal(ModelProto model)
    {
        using OnnxModel onnx = Open(model);
        return Assert.Throws<InvalidDataException>(() => onnx.ToGraph()).Message;
    }

    /// <summary>An operation without an ONNX form.</summary>
    private sealed record Foreign : Unary
    {
        public override void Map(ReadOnlySpan<float> x, Span<float> y) => x.CopyTo(y);

        public override string Export(Node y, OnnxExport to) => throw new GraphException("Foreign has no ONNX form");
    }

    private static float[] Run(Graph graph, float[] x)
    {
        Executor executor = new(graph);
        x.CopyTo(executor["x"].Span);
        executor.Run();
        return executor["y"].Span.ToArray();
    }

    private static GraphProto Branch(string op, float number)
    {
        GraphProto branch = new() { Name = op };
        branch.Initializer.Add(Floats("n", new(), number));
        branch.Node.Add(Node(op, "x n", "r"));
        branch.Output.Add(Value("r", 1));
        return branch;
    }
}
