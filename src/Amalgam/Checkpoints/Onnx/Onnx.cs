using System.Collections.Immutable;
using System.Globalization;

namespace Amalgam.Checkpoints;

/// <summary>
/// The initialisers of an ONNX model, as a checkpoint. A graph cannot be made of tensors, so writing one takes an ONNX model whose tensors are replaced.
/// </summary>
public sealed class Onnx : CheckpointFormat
{
    public override string Name => "onnx";

    public override ImmutableArray<string> Extensions => [".onnx"];

    /// <summary>There is no magic number. Writers put the IR version first, a small number, and one of the model's other fields behind it.</summary>
    internal override bool Recognizes(ReadOnlySpan<byte> head, List<ZipEntry>? zip) =>
        zip is null && head is [0x08, > 0 and < 32, 0x12 or 0x1A or 0x22 or 0x28 or 0x32 or 0x3A or 0x42, ..];

    internal override Checkpoint OpenFile(string path, List<ZipEntry>? zip)
    {
        OnnxFile file = OnnxFile.Open(path);
        return new(path, Name, file.Initializers, [.. file.Storages], Notes(file));
    }

    internal override void CheckTensors(string path, IReadOnlyList<TensorSpec> tensors, string? model)
    {
        using OnnxFile file = Model(path, model);
        OnnxCopy.Check(path, tensors, file);
    }

    internal override CheckpointWriter Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata) => Create(path, tensors, metadata, null);

    /// <summary>A copy of the model with these tensors in the place of its own; its notes and everything else stay as they are.</summary>
    internal override CheckpointWriter Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, string? model)
    {
        using OnnxFile file = Model(path, model);
        OnnxCopy.Check(path, tensors, file);
        return OnnxCopy.Create(path, tensors, file);
    }

    private static OnnxFile Model(string path, string? model) => model is null
        ? throw new ArgumentException($"{path}: an ONNX file holds a graph, and tensors alone have none; begin with an ONNX model, as the base of the merge or its first model, or end the name in .safetensors", nameof(model))
        : OnnxFile.Open(model);

    private static ImmutableDictionary<string, string> Notes(OnnxFile file)
    {
        var notes = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var entry in file.Model.MetadataProps) notes[entry.Key] = entry.Value;
        notes["ir_version"] = file.Model.IrVersion.ToString(CultureInfo.InvariantCulture);
        notes["opset"] = string.Join(", ", file.Model.OpsetImport.Select(o => o.Domain.Length == 0 ? $"{o.Version}" : $"{o.Domain} {o.Version}"));
        if (file.Model.ProducerName.Length > 0) notes["producer"] = $"{file.Model.ProducerName} {file.Model.ProducerVersion}".TrimEnd();
        return notes.ToImmutable();
    }
}
