using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Amalgam.Checkpoints;
using Amalgam.Cli;
using Amalgam.Merging;
using Amalgam.Merging.Planning;

namespace Amalgam.Tests.Docs;

public class ReadmeTests
{
    /// <summary>The demonstration's numbers may differ from machine to machine by what the last digits of exp and tanh decide.</summary>
    private const double Points = 1;

    private static readonly Document Readme = new("README.md");

    [Fact]
    public void The_code_does_what_the_text_says()
    {
        using TemporaryFolder folder = new();
        foreach (var (name, shift) in new[] { ("base", 0f), ("tuned-a", 1f), ("tuned-b", 3f) })
            TestModel.Write(folder[name], DType.F32, ("w", new(2, 2), [1 + shift, 2 + shift, 3 + shift, 4 + shift]));

        Merge(folder.Path);

        Assert.Equal([3, 4, 5, 6], TestModel.Read(folder["merged"])["w"].Values);
    }

    [Fact]
    public void The_code_is_that_of_the_method_below()
    {
        string source = File.ReadAllText(ThisFile()).ReplaceLineEndings("\n");
        string body = Regex.Match(source, @"    private static void Merge\(string folder\)\n    \{\n(.*?)\n    \}\n", RegexOptions.Singleline).Groups[1].Value;
        string expected = Regex.Replace(body, "^        ", "", RegexOptions.Multiline) + "\n";
        string found = Assert.Single(Readme.Blocks("csharp"));
        Readme.Agrees($"```csharp\n{found}```", found, expected);
    }

    private static void Merge(string folder)
    {
        using RecipeRun run = RecipeRun.Parse("""
            merge_method: ties
            base_model: base
            models:
              - model: tuned-a
              - model: tuned-b
            parameters: {weight: 1, density: 1}
            """, folder, "my recipe");
        foreach (PlannedTensor tensor in run.Plans[^1].Tensors) Console.WriteLine($"{tensor.Output}: {tensor.Explanation}");
        run.Run(Path.Combine(folder, "merged"), new MergeOptions { Memory = 256 << 20 });

        using Checkpoint merged = Checkpoint.Open(Path.Combine(folder, "merged"));
        Console.WriteLine($"{merged.Tensors.Length} tensors, {merged.ByteCount} bytes");
    }

    [Fact]
    public void The_table_of_methods_is_the_registry()
    {
        StringBuilder text = new("| method | models | base | |\n|---|---|---|---|\n");
        foreach (MethodEntry m in MergeMethod.All)
            text.Append($"| [{m.Name}](docs/methods.md#{m.Name}) | {m.Models} | {(m.Base switch { BaseRole.Origin or BaseRole.First => "yes", BaseRole.OptionalOrigin => "optional", _ => "" })} | {m.Summary} |\n");
        string section = Readme.Section("## Methods");
        Readme.Agrees(section, Document.TableOf(section), text.ToString());
    }

    [Fact]
    public void The_table_of_formats_is_the_registry()
    {
        StringBuilder text = new("| format | endings | read | written |\n|---|---|---|---|\n");
        foreach (CheckpointFormat f in CheckpointFormat.All)
            text.Append($"| {f.Name} | {string.Join(' ', f.Extensions.Select(e => $"`{e}`"))} | yes | {(Writes(f) ? "yes" : "no")} |\n");
        string section = Readme.Section("## Formats");
        Readme.Agrees(section, Document.TableOf(section), text.ToString());
    }

    [Fact]
    public async Task The_output_of_the_demonstration_is_real()
    {
        StringWriter output = new();
        Assert.Equal(0, await Program.Run(["demo"], output, TextWriter.Null));
        string text = output.ToString().ReplaceLineEndings("\n"), real = text[..text.IndexOf("\nBy hand:", StringComparison.Ordinal)];
        string shown = Readme.Blocks("text").Single(b => b.StartsWith("A network of"));
        string[] ofReal = Rows(real), ofShown = Rows(shown);
        bool agrees = ofReal.Length == ofShown.Length && ofReal.Zip(ofShown).All(p => Label(p.First) == Label(p.Second) && Numbers(p.First).Zip(Numbers(p.Second)).All(n => Math.Abs(n.First - n.Second) <= Points));
        if (!agrees) Readme.Agrees($"```text\n{shown}```", shown, real);
    }

    private static string[] Rows(string text) => [.. text.Split('\n').Where(line => Regex.IsMatch(line, @"^\S+( +[\d.]+%){4}$"))];

    private static string Label(string row) => row.Split(' ')[0];

    private static IEnumerable<double> Numbers(string row) => Regex.Matches(row, @"([\d.]+)%").Select(m => double.Parse(m.Groups[1].Value));

    private static bool Writes(CheckpointFormat format) =>
        format.GetType().GetMethods(BindingFlags.Instance | BindingFlags.NonPublic).Any(m => m.Name == "Create" && m.DeclaringType != typeof(CheckpointFormat));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
