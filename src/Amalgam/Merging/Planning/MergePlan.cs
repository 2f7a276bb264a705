using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>Everything that a merge will do, decided and checked before the first byte is written.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Tensors">The tensors of the output, in natural order of their names.</param>
/// <param name="Models">The models that are read, in the order in which the recipe names them.</param>
/// <param name="Donor">The model that lends configuration and tokenizer files.</param>
/// <param name="Layers">The number of layers of the output where slices changed it.</param>
/// <param name="Notes">What the user should know, one sentence each.</param>
public sealed record MergePlan(
    Recipe Recipe,
    ImmutableArray<PlannedTensor> Tensors,
    ImmutableArray<PlannedModel> Models,
    PlannedModel Donor,
    int? Layers,
    ImmutableArray<string> Notes)
{
    /// <summary>Where <see cref="Models"/> are balanced forms of others, the models as they are; else empty.</summary>
    public ImmutableArray<PlannedModel> Originals { get; init; } = [];

    /// <summary>The models that are read from their places: <see cref="Originals"/> where there are some.</summary>
    public ImmutableArray<PlannedModel> Sources => Originals.IsEmpty ? Models : Originals;

    /// <summary>Bytes of the output's tensors.</summary>
    public long OutputBytes => Tensors.Sum(t => t.Output.ByteCount);

    /// <summary>Bytes that are read, each once.</summary>
    public long InputBytes => Tensors.Sum(t => t.InputBytes);

    /// <summary>Numbers of the output.</summary>
    public long Parameters => Tensors.Sum(t => t.Output.Shape.Count);

    /// <summary>The type of most of the output's floating-point numbers.</summary>
    public DType MainType => Tensors.Where(t => t.Output.DType.IsFloat).GroupBy(t => t.Output.DType).MaxBy(g => g.Sum(t => t.Output.Shape.Count))?.Key ?? DType.F32;

    /// <summary>Which of <see cref="Models"/> a reference of the recipe means.</summary>
    internal int NumberOf(ModelReference reference) =>
        (Models.FirstOrDefault(m => m.Label == reference.Text) ?? Models.First(m => Path.GetFullPath(m.Checkpoint.Path) == Path.GetFullPath(reference.Path))).Number;

    /// <summary>The output as it will be, for planning what takes it as an input; its values cannot be read yet.</summary>
    internal Checkpoint AsCheckpoint(string name)
    {
        PendingStorage storage = new(name);
        return new(name, "planned", [.. Tensors.Select(t => new TensorEntry(t.Output.Name, t.Output.DType, t.Output.Shape, storage, 0))], [storage]);
    }

    /// <summary>A short text that only the same plan over the same files has.</summary>
    /// <param name="recipe">The recipe's text, for what the explanations of the tensors round.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="shardBytes">Largest size of a shard.</param>
    internal string Fingerprint(string recipe, long seed, long shardBytes)
    {
        StringBuilder text = new(recipe);
        text.Append($"\namalgam {typeof(MergePlan).Assembly.GetName().Version} seed {seed} shards {shardBytes}\n");
        foreach (string file in Sources.SelectMany(m => m.Checkpoint.Files).Distinct().Order(StringComparer.Ordinal))
            text.Append($"{file} {(File.Exists(file) ? $"{new FileInfo(file).Length} {File.GetLastWriteTimeUtc(file):O}" : "")}\n");
        foreach (PlannedTensor t in Tensors)
        {
            text.Append($"{t.Output} {t.Explanation}");
            foreach (PlannedInput input in t.Inputs.Concat(t.Base is null ? [] : [t.Base])) text.Append($" {input.Model.Number}:{input.Tensor}@{input.Tensor.Offset}");
            text.Append('\n');
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}

/// <summary>The bytes of a checkpoint that another document of the recipe has yet to make.</summary>
internal sealed class PendingStorage(string name) : Storage
{
    public override string Path => name;

    public override long Length => 0;

    public override void Read(long offset, Span<byte> bytes) => throw new InvalidOperationException($"{name} is not merged yet");

    public override void Dispose()
    {
    }
}
