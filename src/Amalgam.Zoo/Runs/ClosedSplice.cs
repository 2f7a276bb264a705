using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>What can be made of the spliced weights without training: their average, and CKI in closed form. All other weights are the host's.</summary>
/// <param name="integration">Which weights.</param>
/// <param name="start">The integrated network as it is before training, baked.</param>
/// <param name="models">The models.</param>
internal sealed class ClosedSplice(Integration integration, Graph start, IReadOnlyList<ParentModel> models)
{
    private const string Memory = "models in memory";

    /// <summary>The network with the mean of the models' weights.</summary>
    public Graph Average() => With((_, parents, y) =>
    {
        for (int i = 0; i < y.Length; i++)
        {
            double sum = 0;
            foreach (Tensor parent in parents) sum += parent.Span[i];
            y[i] = (float)(sum / parents.Length);
        }
    });

    /// <summary>The network with the models' weights merged by a method that asks for nothing but them.</summary>
    public Graph Merged(MergeMethod method) => With((name, parents, y) =>
    {
        Shape shape = parents[0].Shape;
        byte[] bytes = new byte[y.Length * sizeof(float)];
        TensorOutput output = new(DType.F32, (first, written) => written.CopyTo(bytes.AsSpan((int)first * sizeof(float))));
        TensorEntry[] entries = [.. parents.Select(p => new TensorEntry(name, DType.F32, shape, new MemoryStorage(Memory, MemoryMarshal.AsBytes<float>(p.Span).ToArray()), 0))];
        method.Merge(new(new(name, DType.F32, shape), null, [.. entries], [.. Enumerable.Range(0, entries.Length)], method.Grain(shape), new(new(), 0), output));
        MemoryMarshal.Cast<byte, float>(bytes).CopyTo(y);
    });

    private Graph With(FillWeights fill)
    {
        Graph copy = Surgery.Copy(start);
        foreach (string name in integration.Spliced)
            if (copy.Parameters.TryGetValue(name, out Node? node)) fill(name, [.. models.Select(m => m.Graph.Parameters[name].Value!)], node.Value!.Span);
        return copy;
    }

    private delegate void FillWeights(string name, Tensor[] parents, Span<float> y);
}
