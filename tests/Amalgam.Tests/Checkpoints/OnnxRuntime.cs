using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Tests.Checkpoints;

/// <summary>ONNX Runtime as a referee, by the script in <c>tests/onnxruntime</c>: models go in as files, and outputs come back.</summary>
internal static class OnnxRuntime
{
    private static readonly string Folder = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "onnxruntime"));

    private static readonly Dictionary<string, DType> Types = new()
    {
        ["float32"] = DType.F32,
        ["float64"] = DType.F64,
        ["float16"] = DType.F16,
        ["int64"] = DType.I64,
        ["int32"] = DType.I32,
        ["int16"] = DType.I16,
        ["int8"] = DType.I8,
        ["uint64"] = DType.U64,
        ["uint32"] = DType.U32,
        ["uint16"] = DType.U16,
        ["uint8"] = DType.U8,
        ["bool"] = DType.Bool,
    };

    /// <summary>Whether the referee can take values of this type.</summary>
    public static bool Takes(DType type) => Types.ContainsValue(type);

    /// <summary>Skips the test where ONNX Runtime is not installed; fails it where <c>AMALGAM_REQUIRE_ONNXRUNTIME</c> is set.</summary>
    public static void Require()
    {
        bool isThere = Directory.Exists(Path.Combine(Folder, "node_modules", "onnxruntime-node"));
        if (!isThere && Environment.GetEnvironmentVariable("AMALGAM_REQUIRE_ONNXRUNTIME") == "1")
            Assert.Fail("ONNX Runtime is not installed, and AMALGAM_REQUIRE_ONNXRUNTIME is set: npm ci --ignore-scripts in tests/onnxruntime");
        Assert.SkipUnless(isThere, "needs ONNX Runtime: npm ci --ignore-scripts in tests/onnxruntime");
    }

    /// <summary>Lays a model's inputs down beside it.</summary>
    /// <param name="folder">The folder, in which the model is <c>model.onnx</c>.</param>
    /// <param name="inputs">Name, type and value of each input.</param>
    public static void Ask(string folder, IEnumerable<(string Name, DType Type, Tensor Value)> inputs)
    {
        List<Value> request = [];
        foreach (var (name, type, value) in inputs)
        {
            string file = $"input{request.Count}.bin";
            File.WriteAllBytes(Path.Combine(folder, file), OnnxValues.Bytes(value.Span, type));
            request.Add(new(name, Types.First(t => t.Value == type).Key, value.Shape.Sizes.ToArray(), file));
        }

        File.WriteAllText(Path.Combine(folder, "request.json"), JsonSerializer.Serialize(request, Options));
    }

    /// <summary>Runs the models in the folders of a folder. One that brings ONNX Runtime down has that as its answer.</summary>
    public static void Run(string folder)
    {
        string[] waiting = Waiting(folder);
        while (waiting.Length > 0)
        {
            ProcessStartInfo start = new("node", ["run.cjs", folder]) { WorkingDirectory = Folder, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            waiting = Waiting(folder);
            if (waiting.Length > 0) File.WriteAllText(Path.Combine(waiting[0], "reply.json"), JsonSerializer.Serialize(new Reply($"node ended with {process.ExitCode}: {errors}", null), Options));
        }
    }

    private static string[] Waiting(string folder) =>
        [.. Directory.EnumerateDirectories(folder).Where(f => File.Exists(Path.Combine(f, "request.json")) && !File.Exists(Path.Combine(f, "reply.json"))).Order(StringComparer.Ordinal)];

    /// <summary>What the model of a folder gave, by name; or why it did not run.</summary>
    public static (string? Error, Dictionary<string, (Shape Shape, DType Type, float[] Values)> Outputs) Answer(string folder)
    {
        Reply reply = JsonSerializer.Deserialize<Reply>(File.ReadAllText(Path.Combine(folder, "reply.json")), Options)!;
        Dictionary<string, (Shape, DType, float[])> outputs = [];
        foreach (Value output in reply.Outputs ?? [])
        {
            DType type = Types[output.Type];
            float[] values = new float[new Shape(output.Dims).Count];
            type.Widen(File.ReadAllBytes(Path.Combine(folder, output.File)), values);
            outputs.Add(output.Name, (new(output.Dims), type, values));
        }

        return (reply.Error, outputs);
    }

    /// <summary>Writes a graph and runs it in both; each output must agree to 1e-4 of its largest value.</summary>
    /// <param name="save">Writes the model to the path given.</param>
    /// <param name="graph">The graph that it is.</param>
    /// <param name="inputs">Values of the inputs, by name.</param>
    public static void AssertAgrees(Action<string> save, Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        Require();
        using TemporaryFolder folder = new();
        string place = Directory.CreateDirectory(folder["0"]).FullName;
        save(Path.Combine(place, "model.onnx"));
        Ask(place, graph.Inputs.Select(i => (i.Key, i.Value.Type, inputs[i.Key])));
        Run(folder.Path);
        var (error, outputs) = Answer(place);
        Assert.True(error is null, error);

        Executor executor = new(graph);
        foreach (string name in graph.Inputs.Keys) inputs[name].Span.CopyTo(executor[name].Span);
        executor.Run();
        Assert.Equal(graph.Outputs.Keys, outputs.Keys);
        foreach (var (name, node) in graph.Outputs) AssertClose(name, outputs[name].Values, executor[node].Span, 1e-4f);
    }

    public static void AssertClose(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> found, float relative)
    {
        Assert.Equal(expected.Length, found.Length);
        float largest = 0;
        foreach (float value in expected) largest = float.IsFinite(value) ? Math.Max(largest, Math.Abs(value)) : largest;
        for (int i = 0; i < expected.Length; i++)
        {
            bool isSame = expected[i].Equals(found[i]) || Math.Abs(expected[i] - found[i]) <= relative * largest;
            Assert.True(isSame, $"'{name}' is {found[i]} at {i}, expected {expected[i]}; the largest is {largest}");
        }
    }

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private sealed record Value(string Name, string Type, long[] Dims, string File);

    private sealed record Reply(string? Error, Value[]? Outputs);
}
