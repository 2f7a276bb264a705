using System.Text.Json;
using Amalgam.Cli;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Tests.Checkpoints;

namespace Amalgam.Tests.Cli;

public class CommandTests
{
    public static TheoryData<string> Verbs => [.. Program.Create().Subcommands.Select(c => c.Name)];

    public static TheoryData<string> Methods => [.. MergeMethod.All.Select(m => m.Name)];

    [Theory, MemberData(nameof(Verbs))]
    public async Task Help_of_every_verb_ends_with_examples_that_parse(string verb)
    {
        var (code, output, _) = await Run(verb, "--help");
        Assert.Equal(0, code);
        string[] examples = [.. output[output.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n').Skip(1).Select(l => l.Trim()).Where(l => l.Length > 0)];
        Assert.NotEmpty(examples);
        foreach (string example in examples)
        {
            string line = example.Split("  #")[0].Split(" | ")[0].Split(" > ")[0].Replace("source <(", "").TrimEnd(' ', ')').Replace("'", "\"");
            Assert.Equal($"amalgam {verb}", string.Join(' ', line.Split(' ').Take(2)));
            Assert.Empty(Program.Create().Parse(line["amalgam ".Length..]).Errors);
        }
    }

    [Fact]
    public async Task Help_of_amalgam_lists_every_verb()
    {
        var (code, output, _) = await Run();
        Assert.Equal(0, code);
        Assert.All(Program.Create().Subcommands, c => Assert.Contains($"\n  {c.Name}", output));
        Assert.Contains("Examples:", output);
    }

    [Theory]
    [InlineData("there-is-no-such-thing does not exist", "inspect", "there-is-no-such-thing")]
    [InlineData("unknown command 'inspct' (did you mean 'inspect'?); see amalgam --help", "inspct", "x")]
    [InlineData("unknown option '--stat' (did you mean '--stats'?); see amalgam inspect --help", "inspect", "--stat")]
    [InlineData("unknown option '--stat' (did you mean '--stats'?); see amalgam inspect --help", "inspect", "x", "--stat")]
    [InlineData("unexpected argument 'y'; see amalgam inspect --help", "inspect", "x", "y")]
    [InlineData("Required argument 'path' missing", "inspect")]
    [InlineData("--top takes a whole number of 0 or more, got '-1'", "diff", "a", "b", "--top", "-1")]
    [InlineData("'bfloat15' is no floating-point type (did you mean 'bfloat16'?)", "convert", "a", "b", "--dtype", "bfloat15")]
    [InlineData("'5Q' is no size", "convert", "a", "b", "--shard-size", "5Q")]
    [InlineData("there is no merge method 'tise' (did you mean 'ties'?)", "methods", "tise")]
    public async Task A_mistake_ends_with_2_and_one_line(string message, params string[] line)
    {
        var (code, output, error) = await Run(line);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("error: ", error);
        Assert.Contains(message, error);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_damaged_file_ends_with_2()
    {
        using TemporaryFolder folder = new();
        string path = RawCheckpoint.Write(folder["a.safetensors"], RawCheckpoint.Vector("w", DType.F32, 1f, 2));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^3]);
        var (code, _, error) = await Run("inspect", path);
        Assert.Equal(2, code);
        Assert.Contains("cut short", error);
        (code, _, error) = await Run("inspect", Directory.CreateDirectory(folder["empty"]).FullName);
        Assert.Equal(2, code);
        Assert.Contains("holds no checkpoint", error);
    }

    [Fact]
    public async Task Names_from_a_file_cannot_write_to_the_terminal()
    {
        using TemporaryFolder folder = new();
        const string Name = "a\e[31m\n[red]\u202eb\u0007";
        string path = RawCheckpoint.Write(folder["a.safetensors"], RawCheckpoint.Vector(Name, DType.F32, 70000f));
        string other = RawCheckpoint.Write(folder["b.safetensors"], RawCheckpoint.Vector(Name, DType.F32, 1f));
        foreach (string[] line in (string[][])[["inspect", path], ["inspect", path, "--stats"], ["inspect", path, "--json"], ["diff", path, other], ["diff", path, other, "--json"], ["convert", path, folder["c"], "--dtype", "float16"]])
        {
            var (_, output, error) = await Run(line);
            Assert.DoesNotContain(output + error, c => c is '\e' or '\u202e' or '\a');
            Assert.Contains("[red]", output + error);
        }
    }

    [Fact]
    public async Task Inspect_shows_real_models_in_order()
    {
        string path = RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors");
        var (code, output, _) = await Run("inspect", path);
        Assert.Equal(0, code);
        Assert.Matches(@"fc1\.weight +F32 +\[400,784\] +1\.25 MB", output);
        Assert.Contains("414,600", output);

        (_, output, _) = await Run("inspect", path, "--stats", "--json", "--filter", "fc4");
        using JsonDocument json = JsonDocument.Parse(output);
        JsonElement tensor = Assert.Single(json.RootElement.GetProperty("tensors").EnumerateArray());
        Assert.Equal("fc4.weight", tensor.GetProperty("name").GetString());
        Assert.Equal(1000, tensor.GetProperty("histogram").EnumerateArray().Sum(c => c.GetInt64()));
    }

    [Fact]
    public async Task Diff_of_real_models()
    {
        string a = RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors"), b = RealData.At("models", "mlp-mnist-pair", "mlp-mnist-b.safetensors");
        var (code, output, _) = await Run("diff", a, a);
        Assert.Equal(0, code);
        Assert.Contains("identical: all 4 tensors", output);
        (code, output, _) = await Run("diff", a, b, "--top", "1");
        Assert.Equal(0, code);
        Assert.Contains("4 tensors differ (3 not shown), 0 are identical", output);
    }

    [Fact]
    public async Task Diff_lists_what_cannot_be_compared()
    {
        using TemporaryFolder folder = new();
        string a = RawCheckpoint.Write(folder["a.safetensors"], RawCheckpoint.Vector("same", DType.F32, 1f), RawCheckpoint.Vector("shape", DType.F32, 1f), RawCheckpoint.Vector("mine", DType.F32, 1f));
        string b = RawCheckpoint.Write(folder["b.safetensors"], RawCheckpoint.Vector("same", DType.F32, 1f), RawCheckpoint.Vector("shape", DType.F32, 1f, 2), RawCheckpoint.Vector("yours", DType.F32, 1f));
        var (code, output, _) = await Run("diff", a, b);
        Assert.Equal(0, code);
        Assert.Contains("0 tensors differ, 1 are identical", output);
        Assert.Contains("shapes differ: shape is [1] in A, [2] in B", output);
        Assert.Contains("only in A: mine F32[1]", output);
        Assert.Contains("only in B: yours F32[1]", output);
    }

    [Fact]
    public async Task Convert_makes_a_half_of_a_real_model_and_does_not_overwrite()
    {
        using TemporaryFolder folder = new();
        string path = RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors"), copy = folder["half.safetensors"];
        Assert.Equal(0, (await Run("convert", path, copy, "--dtype", "bfloat16")).Code);
        Assert.Matches(@"fc1\.weight +BF16", (await Run("inspect", copy)).Output);
        var (code, _, error) = await Run("convert", path, copy);
        Assert.Equal(2, code);
        Assert.Contains("--overwrite", error);
        Assert.Equal(0, (await Run("convert", path, copy, "--overwrite")).Code);
        Assert.Contains("identical: all", (await Run("diff", path, copy)).Output);
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task Every_method_is_explained_with_a_recipe_that_parses(string method)
    {
        var (code, output, _) = await Run("methods", method);
        Assert.Equal(0, code);
        MethodEntry entry = MergeMethod.Find(method)!;
        Assert.All(entry.AllParameters, p => Assert.Contains($"\n  {p.Name}", output));
        Assert.Single(RecipeFile.Parse(MethodsCommand.Recipe(entry), "recipe.yml"));
        Assert.Contains(method, (await Run("methods")).Output);
    }

    [Theory]
    [InlineData("amalgam ins", "inspect")]
    [InlineData("amalgam inspect --st", "--stats")]
    [InlineData("amalgam methods dare_", "dare_ties")]
    [InlineData("amalgam convert a b --dtype bf", "bfloat16")]
    [InlineData("amalgam reproduce mergenet --table ", "cycle")]
    [InlineData("amalgam reproduce clafusion --table 1", "10")]
    public async Task Shells_can_ask_what_may_follow(string line, string expected)
    {
        var (code, output, _) = await Run($"[suggest:{line.Length}]", line);
        Assert.Equal(0, code);
        Assert.Contains(expected, output.Split('\n').Select(l => l.Trim()));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public async Task There_is_a_script_for_the_shell(string shell) => Assert.Contains("[suggest:", (await Run("completion", shell)).Output);

    private static Task<(int Code, string Output, string Error)> Run(params string[] line) => CommandLine.Run(line);
}
