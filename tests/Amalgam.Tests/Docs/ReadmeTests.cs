using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Tests.Cli;
using Amalgam.Tests.Zoo.Demo;
using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Docs;

[Collection(nameof(MiniatureDemo))]
public class ReadmeTests(MiniatureDemo miniature)
{
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

    /// <summary>The whole demonstration takes too long for a test: it is run where documents are updated, else a small one tells whether its rows are those of the page.</summary>
    [Fact]
    public void The_output_of_the_demonstration_is_real()
    {
        using TemporaryFolder folder = new();
        bool updates = Environment.GetEnvironmentVariable("AMALGAM_UPDATE_DOCS") == "1";
        Demonstration made = updates ? Demonstration.OfGlyphs(folder["demo"], new()) : miniature.Made;
        string text = DemoCommandTests.Text(made, "amalgam-demo"), real = text[..text.IndexOf("\nParameters of methods", StringComparison.Ordinal)];
        string shown = Readme.Blocks("text").Single(b => b.StartsWith("Glyphs of"));
        if (updates) Readme.Agrees($"```text\n{shown}```", shown, real);
        else Assert.Equal(Rows(real), Rows(shown));
    }

    /// <summary>Which networks have a row, without the parameters of their method, and how many numbers.</summary>
    private static string[] Rows(string text) => [.. text.Split('\n').Where(line => Regex.IsMatch(line, @"^\S+( +[\d.]+%)+ +[\d.]+$")).Select(line => $"{line.Split(' ', ':')[0]} {line.Count(c => c == '%')}")];

    private static bool Writes(CheckpointFormat format) =>
        format.GetType().GetMethods(BindingFlags.Instance | BindingFlags.NonPublic).Any(m => m.Name == "Create" && m.DeclaringType != typeof(CheckpointFormat));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
