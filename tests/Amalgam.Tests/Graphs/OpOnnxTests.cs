using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Checkpoints;

namespace Amalgam.Tests.Graphs;

/// <summary>The ONNX form of every operator that has one, on all of its small samples.</summary>
public class OpOnnxTests
{
    /// <summary>What ONNX Runtime has not: operators for some types, and LRN over an even number of channels.</summary>
    private static readonly string[] Lacks = ["NOT_IMPLEMENTED", "Could not find an implementation", "size_ % 2 == 1"];

    [Fact]
    public void What_is_written_reads_back_as_the_same_function()
    {
        using TemporaryFolder folder = new();
        List<string> failures = [];
        foreach (var (sample, graph, inputs, y) in Written(folder["model.onnx"]))
        {
            try
            {
                using OnnxModel model = OnnxModel.Open(folder["model.onnx"]);
                Graph back = model.ToGraph(batch: (int)(sample.Inputs.FirstOrDefault(x => x.Shape.Rank > 0)?.Shape[0] ?? 1));
                var (again, first) = (sample with { Inputs = [.. sample.Inputs.Where((_, i) => inputs[i].Name is { } name && back.Inputs.ContainsKey(name))] }, sample.Evaluate(graph, inputs)[y]);
                Node result = back.Outputs["y"];
                Assert.Equal(y.Shape, result.Shape);
                Assert.Equal(y.Type, result.Type);
                Tensor second = again.Evaluate(back, [.. inputs.Where(n => n.Name is not null && back.Inputs.ContainsKey(n.Name)).Select(n => back.Inputs[n.Name!])])[result];
                Close(first.Span, second.Span);
            }
            catch (Exception e)
            {
                failures.Add($"{sample}: {e.Message}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    [Fact]
    public void What_is_written_is_the_same_function_in_ONNX_Runtime()
    {
        OnnxRuntime.Require();
        using TemporaryFolder folder = new();
        List<(OpSample Sample, Graph Graph, Node[] Inputs, Node Y)> cases = [];
        foreach (var written in Written(folder["model.onnx"]))
        {
            // Of NaN it makes something else than ONNX's own reference.
            if (written.Sample.Inputs.Any(x => x.Values.Any(float.IsNaN))) continue;
            string place = Directory.CreateDirectory(folder[$"{cases.Count}"]).FullName;
            File.Move(folder["model.onnx"], Path.Combine(place, "model.onnx"));
            OnnxRuntime.Ask(place, written.Sample.Inputs.Zip(written.Inputs, (x, n) => (n.Name, n.Type, new Tensor(x.Shape, x.Values))).Where(x => x.Name is not null)!);
            cases.Add(written);
        }

        OnnxRuntime.Run(folder.Path);
        List<string> failures = [];
        int agreed = 0;
        for (int i = 0; i < cases.Count; i++)
        {
            var (sample, graph, inputs, y) = cases[i];
            var (error, outputs) = OnnxRuntime.Answer(folder[$"{i}"]);
            if (error is not null && Lacks.Any(lack => error.Contains(lack, StringComparison.Ordinal))) continue;
            Exception? e = Record.Exception(() =>
            {
                Assert.True(error is null, error);
                Assert.Equal(y.Shape, outputs["y"].Shape);
                Close(outputs["y"].Values, sample.Evaluate(graph, inputs)[y].Span);
            });
            if (e is null) agreed++;
            else failures.Add($"{sample}: {e.Message}");
        }

        Assert.True(failures.Count == 0, $"{agreed} agree\n{string.Join('\n', failures)}");
    }

    private static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            bool isSame = expected[i].Equals(found[i]) || Math.Abs(expected[i] - found[i]) <= 1e-5f + 1e-4f * Math.Abs(expected[i]);
            Assert.True(isSame, $"element {i} is {found[i]} here, {expected[i]} there");
        }
    }

    /// <summary>Writes one sample after the other; those whose operator has no ONNX form are left out.</summary>
    private static IEnumerable<(OpSample Sample, Graph Graph, Node[] Inputs, Node Y)> Written(string path)
    {
        foreach (OpSample sample in OpSamples.All.Where(s => !s.IsLarge && s.Inputs.All(input => !input.Shape.Sizes.Contains(0))))
        {
            var (graph, inputs, y) = sample.Make();
            // Truth values and integers are types of their own in ONNX, and what is stored as another type is an input of that type.
            if (sample.Op is Not or And or Or or Xor or Where && inputs[0].Type != DType.Bool) continue;
            if (sample.Inputs.Any(input => input.Type is { IsFloat: false } && input.Values.Any(v => v != MathF.Truncate(v)))) continue;
            if (sample.Op is Substitute || inputs.All(node => node.Known is not null)) continue;
            graph.Output("y", y);
            File.Delete(path);
            try
            {
                OnnxModel.Write(graph, path);
            }
            catch (GraphException e) when (e.Message.Contains("has no ONNX form", StringComparison.Ordinal) || e.Message.Contains("needs ONNX opset", StringComparison.Ordinal))
            {
                continue;
            }

            yield return (sample, graph, inputs, y);
        }
    }
}
