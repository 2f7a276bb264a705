using System.Text.RegularExpressions;
using Amalgam.Cli;
using Amalgam.Tests.Zoo.Demo;
using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Cli;

[Collection(nameof(MiniatureDemo))]
public class DemoCommandTests(MiniatureDemo miniature)
{
    [Fact]
    public void Tells_every_score_in_eighty_columns()
    {
        string text = Text(miniature.Made, "demo");
        string[] prose = text[..text.IndexOf("The page:", StringComparison.Ordinal)].Split('\n');
        Assert.All(prose, line => Assert.InRange(line.Length, 0, 80));
        foreach (PairResult result in miniature.Made.Pairs)
        {
            foreach (NetworkScore score in result.Parents.Append(result.Ensemble).Concat(result.Merged.Select(m => m.Score)))
                Assert.Contains(prose, line => Regex.IsMatch(line, $@"^{Regex.Escape(score.Name)} +[\d.]+%( +[\d.]+%)* +[\d.]+$"));
            Assert.All(result.LeftOut, name => Assert.Contains(name, text));
        }
    }

    [Fact]
    public async Task The_one_liner_of_every_row_gives_the_file_of_its_recipe()
    {
        using TemporaryFolder folder = new();
        foreach (PairResult result in miniature.Made.Pairs)
        {
            string At(string path) => Path.Combine(miniature.Folder, result.Pair.Name, path);
            foreach (DemoMerge merge in result.Merged.Select(m => m.Merge))
            {
                string target = folder[$"{result.Pair.Name}-{merge.Entry.Name}.safetensors"];
                var (baseModel, models) = merge.Roles(At(result.Pair.First), At(result.Pair.Second), result.Pair.Base is { } origin ? At(origin) : null);
                await CommandLine.Succeeds(["merge", "-m", merge.Label, .. models, .. baseModel is null ? (string[])[] : ["-b", baseModel], "-o", target, "--seed", "3", "-q"]);
                Assert.Equal(File.ReadAllBytes(At($"merged/{merge.Entry.Name}.safetensors")), File.ReadAllBytes(target));
            }
        }
    }

    [Fact]
    public async Task What_to_try_next_works()
    {
        string[] lines = [.. DemoText.Commands(miniature.Made, miniature.Folder)];
        Assert.InRange(lines.Length, 3, 5);
        foreach (string line in lines) await CommandLine.Succeeds(line.Split(' ')[1..]);
        File.Delete(Path.Combine(miniature.Folder, "mine.safetensors"));
    }

    [Fact]
    public async Task The_pair_for_mnist_has_its_published_figures()
    {
        using TemporaryFolder folder = new();
        string text = await CommandLine.Succeeds("demo", "--data", Path.GetDirectoryName(RealData.At("models"))!, "-o", folder["demo"], "-q");
        foreach (var (name, percent) in new[] { ("mlp-mnist-a", 97.72), ("mlp-mnist-b", 97.75), ("ensemble", 97.88), ("linear", 73.84) })
            Assert.Equal(percent, double.Parse(Regex.Match(text, $@"^{name} +([\d.]+)%", RegexOptions.Multiline).Groups[1].Value), 0.0051);
        Assert.Contains("The plain average falls to 73.84%", text);
        Assert.True(File.Exists(folder["demo/report.html"]));
        Assert.True(File.Exists(folder["demo/mnist/merged/linear.onnx"]));
    }

    [Fact]
    public async Task Missing_data_is_told_in_a_sentence_and_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        await CommandLine.Refuses("mlp-mnist-a.safetensors is missing", "demo", "--data", folder.Path, "-o", folder["demo"], "-q");
        await CommandLine.Refuses("does not exist", "demo", "--data", folder["none"], "-o", folder["demo"], "-q");
        Directory.CreateDirectory(folder["models/mlp-mnist-pair"]);
        foreach (string name in new[] { "a", "b" }) File.WriteAllText(folder[$"models/mlp-mnist-pair/mlp-mnist-{name}.safetensors"], "");
        await CommandLine.Refuses("mnist/train-images-idx3-ubyte is missing", "demo", "--data", folder.Path, "-o", folder["demo"], "-q");
        Assert.Equal(["models"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Refuses_a_folder_that_holds_something()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["mine.txt"], "");
        await CommandLine.Refuses("is not empty", "demo", "-o", folder.Path);
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    internal static string Text(Demonstration made, string folder)
    {
        StringWriter output = new();
        DemoCommand.Write(output, made, folder);
        return output.ToString().ReplaceLineEndings("\n");
    }
}
