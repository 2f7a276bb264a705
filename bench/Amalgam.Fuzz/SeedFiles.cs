using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Fuzz;

/// <summary>A sound file, with the others of its folder when it is one of several.</summary>
internal sealed record Seed(string Name, byte[] Bytes, ImmutableArray<(string Name, byte[] Bytes)> Others);

/// <summary>The sound files that mutation begins with: small ones made here, and small real ones where <c>AMALGAM_DATA</c> names a folder of them.</summary>
internal static class SeedFiles
{
    private const long LargestReal = 300_000;
    private const int MostReal = 12;

    public static readonly ImmutableArray<string> Kinds = ["safetensors", "sharded", "pytorch-zip", "pytorch-legacy", "npz", "npz-deflated", "onnx", "recipe"];

    private static readonly ImmutableArray<string> Recipes =
    [
        "models:\n  - model: a\n    parameters: {weight: 0.3}\n  - model: b\n    parameters: {weight: 0.7}\nmerge_method: linear\ndtype: bfloat16\n",
        """
        # two documents
        name: first
        merge_method: ties
        base_model: base
        models:
          - model: tuned-a@main+lora
            parameters:
              density: [0.1, 0.5, 1]
              weight:
                - {filter: mlp, value: 0.5}
                - value: 1
          - model: tuned-b
        parameters: {normalize: true, int8_mask: false}
        ---
        merge_method: slerp
        slices:
          - sources:
              - model: first
                layer_range: [0, 16]
              - {model: other, layer_range: [16, 32]}
            parameters: &t
              t: [{filter: self_attn, value: [0, .5, 1]}, {value: 5e-1}]
        base_model: {model: {path: first, revision: main}}
        tokenizer_source: base
        """,
        "merge_method: passthrough\nmodules:\n  text:\n    slices:\n      - sources: [{model: 'a', layer_range: [0, 8], parameters: {scale: 1.0}}]\n  vision:\n    models: [{model: \"b\\u0020c\"}]\nparameters: {x: *n}\n",
    ];

    /// <summary>Writes all seed files, a folder for each kind.</summary>
    public static void Write(string folder)
    {
        foreach (string kind in Kinds) Directory.CreateDirectory(Path.Combine(folder, kind));
        TensorSpec[] few = [new("w", DType.F32, new(3, 4)), new("b", DType.F32, new(4))];
        TensorSpec[] some =
        [
            new("layers.0.weight", DType.F16, new(8, 8)), new("layers.0.bias", DType.F32, new(8)), new("layers.1.weight", DType.F64, new(2, 3, 4)),
            new("count", DType.I64, new()), new("none", DType.U8, new(0, 5)), new("mask", DType.Bool, new(17)), new("é\n\"'", DType.I32, new(5, 1, 2)),
        ];
        TensorSpec[] more = [.. some, .. Enumerable.Range(0, 40).Select(i => new TensorSpec($"model.layers.{i}.mlp.weight", DType.F32, new(i, 3)))];
        TensorSpec[] packed = [.. few, new("p", DType.F4, new(2, 4)), new("q", DType.F8E4M3, new(9)), new("r", DType.BF16, new(3, 3)), new("s", DType.F6E2M3, new(4, 4))];
        foreach (var (name, specs) in (ReadOnlySpan<(string, TensorSpec[])>)[("few", few), ("some", some), ("more", more)])
        {
            Save(Path.Combine(folder, "safetensors", name + ".safetensors"), specs);
            Save(Path.Combine(folder, "pytorch-zip", name + ".pt"), specs);
            Save(Path.Combine(folder, "npz", name + ".npz"), specs);
            Save(Path.Combine(folder, "sharded", name), specs);
            Deflate(Path.Combine(folder, "npz", name + ".npz"), Path.Combine(folder, "npz-deflated", name + ".npz"));
            File.WriteAllBytes(Path.Combine(folder, "pytorch-legacy", name + ".pt"), Pickles.Legacy([.. specs.Where(s => s.DType == DType.F32)]));
        }

        Save(Path.Combine(folder, "safetensors", "packed.safetensors"), packed);
        OnnxModel.Write(Network(), Path.Combine(folder, "onnx", "network.onnx"), new("N"));
        for (int i = 0; i < Recipes.Length; i++) File.WriteAllText(Path.Combine(folder, "recipe", $"{i}.yml"), Recipes[i]);
        CopyReal(folder);
    }

    /// <summary>The seed files of a kind, in a fixed order.</summary>
    public static ImmutableArray<Seed> Of(string folder, string kind)
    {
        string place = Path.Combine(folder, kind);
        if (kind != "sharded") return [.. Directory.GetFiles(place).Order(StringComparer.Ordinal).Select(f => new Seed("case" + Path.GetExtension(f), File.ReadAllBytes(f), []))];
        return [.. Directory.GetDirectories(place).Order(StringComparer.Ordinal).SelectMany(FilesOf)];
    }

    /// <summary>Each file of a folder as the one that is mutated; the index, which says most, three times.</summary>
    private static IEnumerable<Seed> FilesOf(string folder)
    {
        (string Name, byte[] Bytes)[] all = [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(f => ("case/" + Path.GetFileName(f), File.ReadAllBytes(f)))];
        foreach (var file in all)
            for (int i = file.Name.EndsWith(".json", StringComparison.Ordinal) ? 3 : 1; i > 0; i--)
                yield return new(file.Name, file.Bytes, [.. all.Where(f => f.Name != file.Name)]);
    }

    /// <summary>A graph with a few weights, of several types.</summary>
    private static Graph Network()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 4));
        graph.Output("y", x * graph.Parameter("scale", new(new Shape(4))) + graph.Parameter("bias", new(new Shape(4)), trainable: false) * 0.5f);
        graph.Output("z", graph.Parameter("half", new(new Shape(3, 3)), type: DType.F16) * graph.Parameter("none", new(new Shape(0, 3, 3)), type: DType.F16));
        return graph;
    }

    private static void Save(string path, TensorSpec[] tensors)
    {
        using CheckpointOutput output = CheckpointOutput.Create(path, tensors, new Dictionary<string, string> { ["format"] = "pt" }, new(ShardBytes: 300), "seed");
        Random random = new(1);
        foreach (TensorSpec tensor in tensors)
        {
            byte[] bytes = new byte[tensor.ByteCount];
            if (tensor.DType.Bits >= 8) random.NextBytes(bytes);
            output.Write(tensor.Name, 0, bytes);
        }

        output.Commit();
    }

    private static void Deflate(string stored, string deflated)
    {
        using ZipArchive from = ZipFile.OpenRead(stored), to = ZipFile.Open(deflated, ZipArchiveMode.Create);
        foreach (ZipArchiveEntry entry in from.Entries)
        {
            using Stream read = entry.Open(), written = to.CreateEntry(entry.FullName, CompressionLevel.Optimal).Open();
            read.CopyTo(written);
        }
    }

    private static void CopyReal(string folder)
    {
        string? data = Environment.GetEnvironmentVariable("AMALGAM_DATA");
        if (string.IsNullOrEmpty(data) || !Directory.Exists(data)) return;
        int copied = 0;
        foreach (string file in Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (copied == MostReal) return;
            if (CheckpointFormat.ByExtension(file) is null || new FileInfo(file).Length > LargestReal) continue;
            using Checkpoint? checkpoint = TryOpen(file);
            if (checkpoint is null) continue;
            string kind = checkpoint.Format switch { "pytorch" => "pytorch-zip", var format => format };
            File.Copy(file, Path.Combine(folder, kind, $"real-{copied++:00}{Path.GetExtension(file)}"));
        }
    }

    private static Checkpoint? TryOpen(string file)
    {
        try
        {
            return Checkpoint.Open(file);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

/// <summary>Writes Python pickles by hand.</summary>
internal static class Pickles
{
    /// <summary>What torch.save wrote before PyTorch 1.6, of float tensors.</summary>
    public static byte[] Legacy(TensorSpec[] tensors)
    {
        MemoryStream to = new();
        to.Write([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.', 0x80, 2, (byte)'M', 0xe9, 3, (byte)'.']);
        to.Write([0x80, 2, (byte)'}', (byte)'q', 0]);
        Text(to, "little_endian");
        to.Write([0x88, (byte)'s', (byte)'.', 0x80, 2]);
        to.Write("ccollections\nOrderedDict\n)R("u8);
        for (int i = 0; i < tensors.Length; i++)
        {
            Text(to, tensors[i].Name);
            to.Write("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
            Text(to, "storage");
            to.Write("ctorch\nFloatStorage\n"u8);
            Text(to, $"{i}");
            Text(to, "cpu");
            Integer(to, tensors[i].Shape.Count);
            to.Write("NtQ"u8);
            Integer(to, 0);
            long stride = tensors[i].Shape.Count;
            to.WriteByte((byte)'(');
            foreach (long size in tensors[i].Shape.Sizes) Integer(to, size);
            to.Write("t("u8);
            foreach (long size in tensors[i].Shape.Sizes) Integer(to, stride /= Math.Max(1, size));
            to.Write("t"u8);
            to.WriteByte(0x89);
            to.Write("ccollections\nOrderedDict\n)RtR"u8);
        }

        to.Write("u."u8);
        to.Write([0x80, 2, (byte)']', (byte)'(']);
        for (int i = 0; i < tensors.Length; i++) Text(to, $"{i}");
        to.Write("e."u8);
        foreach (TensorSpec tensor in tensors)
        {
            to.Write(BitConverter.GetBytes(tensor.Shape.Count));
            to.Write(new byte[tensor.ByteCount]);
        }

        return to.ToArray();
    }

    private static void Text(MemoryStream to, string text)
    {
        to.WriteByte((byte)'X');
        to.Write(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)));
        to.Write(Encoding.UTF8.GetBytes(text));
    }

    private static void Integer(MemoryStream to, long number)
    {
        to.WriteByte((byte)'J');
        to.Write(BitConverter.GetBytes((int)number));
    }
}
