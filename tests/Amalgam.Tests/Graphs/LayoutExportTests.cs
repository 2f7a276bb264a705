using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>What moves elements, and recurrent layers, written as ONNX and read again.</summary>
public class LayoutExportTests
{
    /// <summary>Operations that training adds; a network that runs has none of them.</summary>
    private static readonly string[] OfTraining =
        ["DropoutMask", "GatherNDGradient", "PadGradient", "RecurrentSteps", "RecurrentStepsGradient", "ScatterAdd", "SliceGradient"];

    private static readonly OpSample[] Samples =
        [.. ShapeSamples.All.Concat(RecurrentSamples.All).Where(sample => !sample.IsLarge && !OfTraining.Contains(sample.Op.Name))];

    public static TheoryData<string> Names => [.. Samples.Select(sample => sample.Op.Name).Distinct()];

    [Theory, MemberData(nameof(Names))]
    public void An_exported_operation_computes_the_same(string name)
    {
        foreach (OpSample sample in Samples.Where(sample => sample.Op.Name == name))
        {
            using TemporaryFolder folder = new();
            string path = folder["model.onnx"];
            var (graph, inputs, y) = sample.Make();
            graph.Output("y", y);
            if (y.Shape.Count == 0 || sample.Op is Pad { Mode: PadMode.Wrap }) continue;
            OnnxModel.Write(graph, path);
            using OnnxModel written = OnnxModel.Open(path);
            Graph again = written.ToGraph(graph.Inputs.ToDictionary(input => input.Key, input => input.Value.Shape));
            Assert.Equal(y.Type, again.Outputs["y"].Type);
            Assert.Equal(y.Shape, again.Outputs["y"].Shape);
            Dictionary<string, Tensor> values = inputs.Zip(sample.Inputs).Where(p => p.First.Op is Input).ToDictionary(p => p.First.Name!, p => new Tensor(p.Second.Shape, p.Second.Values));
            Assert.Equal(Oracles.Value(y, values), Oracles.Value(again.Outputs["y"], values));
        }
    }
}
