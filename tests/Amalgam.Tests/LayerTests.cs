using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Amalgam.Tests;

/// <summary>Layers point one way: a file names its own layer, one beside it, and lower ones.</summary>
public class LayerTests
{
    /// <summary>Lowest first; the root's is the empty name.</summary>
    private static readonly string[][] Layers = [["Numerics"], [""], ["Graphs"], ["Checkpoints"], ["Training"], ["Merging", "Alignment"], ["Transfer"], ["Zoo"], ["Cli"]];

    private static readonly string Source = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "src"));

    /// <summary>A namespace by its full name or from inside Amalgam, or a type of the root by its file's name.</summary>
    private static readonly Regex Reference = new(
        $@"\bAmalgam\.(?<layer>{string.Join('|', Layers.SelectMany(l => l).Where(l => l != ""))})\b|(?<![\w.""])(?<layer>{string.Join('|', Layers.SelectMany(l => l).Where(l => l != ""))})\.[A-Z]"
        + $@"|(?<root>(?<![\w.])({string.Join('|', Directory.GetFiles(Path.Combine(Source, "Amalgam"), "*.cs").Select(Path.GetFileNameWithoutExtension))})\b)");

    [Fact]
    public void No_file_refers_to_a_higher_layer()
    {
        string[] files = [.. Directory.GetFiles(Source, "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/"))];
        Assert.Contains(files, f => f.EndsWith("DType.cs"));
        Assert.Empty(files.SelectMany(f => UpwardReferences(Path.GetRelativePath(Source, f), File.ReadAllText(f))));
    }

    [Theory]
    [InlineData("Amalgam/Numerics/Sums.cs", "using Amalgam.Graphs;")]
    [InlineData("Amalgam/Numerics/Sums.cs", "static int Rank(Shape x) => 0;")]
    [InlineData("Amalgam/Shape.cs", "Numerics.Sums.Sum(x); Checkpoints.Checkpoint.Open(path);")]
    [InlineData("Amalgam/Checkpoints/Checkpoint.cs", "using static Amalgam.Merging.MergeMethod;")]
    [InlineData("Amalgam/Alignment/Deep/Zip.cs", "global::Amalgam.Transfer.Cka x;")]
    [InlineData("Amalgam.Zoo/Demo/Mlp.cs", "Amalgam.Cli.Program.Main();")]
    [InlineData("Amalgam/Merging/Ties.cs", "using Amalgam.Zoo.Demo;")]
    public void Upward_references_are_found(string path, string text) => Assert.Single(UpwardReferences(path, text));

    [Theory]
    [InlineData("Amalgam/Numerics/Sums.cs", "using System.Numerics.Tensors; // a Shape, Merging.Ties")]
    [InlineData("Amalgam/Merging/Ties.cs", "namespace Amalgam.Merging; using Amalgam.Alignment; using Amalgam.Numerics; Shape x;")]
    [InlineData("Amalgam.Zoo/Demo/Mlp.cs", "using Amalgam.Merging; Shape x;")]
    [InlineData("Amalgam.Cli/Program.cs", "using Amalgam.Zoo;")]
    public void Other_references_pass(string path, string text) => Assert.Empty(UpwardReferences(path, text));

    private static IEnumerable<string> UpwardReferences(string path, string text)
    {
        string[] parts = path.Replace('\\', '/').Split('/');
        int own = Rank(parts[0] != "Amalgam" ? parts[0]["Amalgam.".Length..] : parts.Length > 2 ? parts[1] : "");
        Assert.True(own >= 0, $"{path} is in a folder that is no layer; add it to the list");
        return Reference.Matches(Regex.Replace(text, "//.*", ""))
            .Where(m => Rank(m.Groups["layer"].Value) > own)
            .Select(m => $"{path} refers to '{m.Value}'");
    }

    private static int Rank(string layer) => Array.FindIndex(Layers, names => names.Contains(layer));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
