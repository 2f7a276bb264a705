using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using BenchmarkDotNet.Attributes;

namespace Amalgam.Benchmarks;

/// <summary>What does each method cost beside linear, on one thread, without files? Baseline: linear of the same two models.</summary>
public class MethodsBench
{
    private const int Rows = 1024, Columns = 1024;
    private static readonly TensorSpec Spec = new("w", DType.BF16, new(Rows, Columns));
    private readonly MemoryStorage[] _models = [MemoryStorage.Random(0), MemoryStorage.Random(1), MemoryStorage.Random(2)];

    [Params("linear", "slerp", "karcher", "ties", "dare_ties", "breadcrumbs", "della", "model_stock", "sce", "arcee_fusion", "ram", "cki")]
    public string Name { get; set; } = "linear";

    [Benchmark(Baseline = true)]
    public long Linear() => Run("linear");

    [Benchmark]
    public long Merge() => Run(Name);

    private long Run(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        ParameterBlock parameters = ParameterBlock.Parse(entry.Parameters.Any(p => p.Name == "t") ? "{t: 0.5}" : entry.Parameters.Any(p => p.Name == "weight")
            ? entry.Parameters.Any(p => p.Name == "density") ? "{weight: 0.5, density: 0.5}" : "{weight: 0.5}" : "{}", name);
        bool origin = entry.Base == BaseRole.Origin;
        int count = Math.Clamp(2, entry.Least, entry.Most);
        ParameterLookup lookup = new(entry, [parameters], 0);
        MergeMethod method = entry.Create(lookup.Arguments(Spec, false, [.. Enumerable.Range(0, count).Select(i => (ParameterBlock.Empty, "w", $"{i}"))]))!;
        TensorEntry[] tensors = [.. _models.Select(m => new TensorEntry("w", DType.BF16, Spec.Shape, m, 0))];
        long written = 0;
        TensorOutput output = new(DType.BF16, (_, bytes) => written += bytes.Length);
        method.Merge(new(Spec, origin ? tensors[2] : null, [.. tensors[..count]], [.. Enumerable.Range(0, count)], method.Grain(Spec.Shape),
            new(new() { MaxDegreeOfParallelism = 1 }, seed: 0), output));
        return written;
    }

    private sealed class MemoryStorage(byte[] bytes) : Storage
    {
        public override string Path => "memory";

        public override long Length => bytes.Length;

        public static MemoryStorage Random(int seed)
        {
            Random random = new(seed);
            byte[] stored = new byte[2 * Rows * Columns];
            DType.BF16.Narrow([.. Enumerable.Range(0, Rows * Columns).Select(_ => random.NextSingle() - 0.5f)], stored);
            return new(stored);
        }

        public override void Read(long offset, Span<byte> target) => bytes.AsSpan((int)offset, target.Length).CopyTo(target);

        public override void Dispose()
        {
        }
    }
}
