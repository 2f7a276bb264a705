using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging;

namespace Amalgam.Zoo.Runs;

/// <summary>What a learned splice leaves behind, beside what every run does (<see cref="RunFolder"/>), and how its networks are rounded: as the first model is.</summary>
public static class SpliceFolder
{
    /// <summary>What became of each weight, and of which models.</summary>
    public const string Weights = "splice.json";

    /// <summary>The recipe that makes the same weights.</summary>
    public const string Recipe = "amalgam.yml";

    /// <summary>All parameters, where weights are made for each sample and the network is in the ONNX files alone.</summary>
    public const string Parameters = "parameters.safetensors";

    /// <summary>The page for people.</summary>
    public const string Report = "report.html";

    /// <summary>The first model, trained on alone.</summary>
    public const string Baseline = "baseline.safetensors";

    /// <summary>What the training of that needs to go on.</summary>
    public const string BaselineState = "baseline.state.safetensors";

    /// <summary>Every file that a splice may leave.</summary>
    public static readonly ImmutableArray<string> All = [.. RunFolder.All, RunFolder.Last, RunFolder.LastOnnx, Weights, Recipe, Parameters, Report, Baseline, BaselineState];

    /// <summary>Files that go with a model's weights in its folder: configuration and tokenizer.</summary>
    internal static ImmutableArray<string> SideFilesOf(ParentModel model) => model.IsFolder ? [.. SideFiles.Of(model.Path).Order(StringComparer.Ordinal)] : [];

    /// <summary>Rounds the weights of a network to the types that a model's checkpoint has them in, so that what is measured is what is written.</summary>
    internal static void Round(Graph network, ParentModel like)
    {
        using Checkpoint origin = Checkpoint.Open(like.File);
        foreach (TensorEntry tensor in origin.Tensors.Where(t => t.DType.IsFloat))
        {
            if (!network.Parameters.TryGetValue(tensor.Name, out Node? node)) continue;
            byte[] bytes = new byte[tensor.DType.BytesOf(TensorBlocks.LargestOf(tensor.Shape))];
            foreach (var (first, count) in TensorBlocks.Of(tensor.Shape))
            {
                Span<float> values = node.Value!.Span.Slice((int)first, count);
                Span<byte> block = bytes.AsSpan(0, (int)tensor.DType.BytesOf(count));
                tensor.DType.Narrow(values, block);
                tensor.DType.Widen(block, values);
            }
        }
    }
}
