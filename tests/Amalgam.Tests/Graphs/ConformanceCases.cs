using System.Formats.Tar;
using System.IO.Compression;
using Amalgam.Checkpoints;
using Amalgam.Checkpoints.OnnxProtos;

namespace Amalgam.Tests.Graphs;

/// <summary>ONNX's operator tests: a model of one or a few nodes, inputs, and the outputs that are expected.</summary>
internal static class ConformanceCases
{
    private static readonly Lazy<SortedDictionary<string, Dictionary<string, byte[]>>> Files = new(Read);

    /// <summary>Names of the cases, such as <c>node/test_abs</c>.</summary>
    public static IEnumerable<string> Names => Files.Value.Keys.Where(name => !name.StartsWith("light/", StringComparison.Ordinal));

    /// <summary>Networks whose weights are one number each.</summary>
    public static IEnumerable<string> Light => Files.Value.Keys.Where(name => name.StartsWith("light/", StringComparison.Ordinal));

    /// <summary>Cases that do not pass, each with what fails, <c>run</c> or <c>export</c>, and the reason.</summary>
    public static readonly SortedDictionary<string, (string Stage, string Reason)> LeftOut = ReadLeftOut();

    /// <summary>What fails of a case; null where nothing does.</summary>
    public static string? StageLeftOut(string name) => LeftOut.TryGetValue(name, out var left) ? left.Stage : null;

    /// <summary>One file of a case.</summary>
    public static byte[] File(string name, string file) => Files.Value[name][file];

    /// <summary>The tensors of a case's files of one kind, in order.</summary>
    /// <exception cref="InvalidDataException">A file is no tensor that Amalgam reads.</exception>
    public static List<(Tensor Value, DType Type)> Tensors(string name, string kind, TemporaryFolder folder)
    {
        List<(Tensor, DType)> tensors = [];
        for (int i = 0; Files.Value[name].TryGetValue($"{kind}_{i}.pb", out byte[]? bytes); i++) tensors.Add(TensorOf(bytes, folder, $"{kind} {i}"));
        return tensors;
    }

    public static (Tensor Value, DType Type) TensorOf(byte[] bytes, TemporaryFolder folder, string what)
    {
        string path = folder["tensor.pb"];
        System.IO.File.WriteAllBytes(path, bytes);
        using OnnxTensors tensors = new(new(path), why => new($"{what}: {why}"));
        TensorEntry entry = tensors.Entry(TensorProto.Parser.ParseFrom(bytes), what);
        return (OnnxValues.Read(entry), entry.DType);
    }

    private static SortedDictionary<string, Dictionary<string, byte[]>> Read()
    {
        SortedDictionary<string, Dictionary<string, byte[]>> cases = new(StringComparer.Ordinal);
        foreach (string archive in (string[])["onnx-node-tests.tar.gz", "onnx-pytorch-and-light-tests.tar.gz"])
        {
            using GZipStream stream = new(System.IO.File.OpenRead(RealData.At("onnx-conformance", archive)), CompressionMode.Decompress);
            using TarReader tar = new(stream);
            while (tar.GetNextEntry() is { } entry)
            {
                string[] parts = entry.Name.Split('/');
                if (entry.DataStream is null || parts[^1] is "README.md") continue;
                string name = parts[0] == "light" ? "light/" + parts[1].Replace("_output_0.pb", "", StringComparison.Ordinal).Replace(".onnx", "", StringComparison.Ordinal) : $"{parts[0]}/{parts[1]}";
                string file = parts[0] != "light" ? parts[^1] : parts[1].EndsWith(".pb", StringComparison.Ordinal) ? "output_0.pb" : "model.onnx";
                using MemoryStream bytes = new();
                entry.DataStream.CopyTo(bytes);
                cases.TryAdd(name, []);
                cases[name].Add(file, bytes.ToArray());
            }
        }

        return cases;
    }

    private static SortedDictionary<string, (string, string)> ReadLeftOut()
    {
        using Stream stream = typeof(ConformanceCases).Assembly.GetManifestResourceStream("conformance-left-out.tsv")!;
        using StreamReader reader = new(stream);
        SortedDictionary<string, (string, string)> cases = new(StringComparer.Ordinal);
        foreach (string[] row in reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split('\t'))) cases.Add(row[0], (row[1], row[2]));
        return cases;
    }
}
