using Amalgam.Merging;
using Amalgam.Tests.Merging.Planning;

namespace Amalgam.Tests.Merging;

/// <summary>What a run of several documents refuses before it writes a byte.</summary>
public sealed class RecipeRunCheckTests : IDisposable
{
    private const string Two = """
        name: mean
        merge_method: linear
        parameters: {weight: 1}
        models: [{model: a.safetensors}, {model: b.safetensors}]
        ---
        merge_method: passthrough
        models: [{model: mean}]
        """;

    private static readonly MergeOptions Overwrite = new() { Output = new(Overwrite: true) };

    private readonly Workplace _work = new();

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData("a.safetensors", null)]
    [InlineData("link/b.safetensors", null)]
    [InlineData("out", "stages")]
    public void An_input_of_any_document_is_never_overwritten(string output, string? stages)
    {
        _work.Vector("a.safetensors", 1).Vector("b.safetensors", 3);
        Directory.CreateSymbolicLink(_work["link"], _work["."]);
        string recipe = Two;
        if (stages is not null)
        {
            TestModel.Write(Path.Combine(_work[stages], "mean"), DType.F32, ("w", new(1), [1]));
            File.WriteAllText(Path.Combine(_work[stages], ".amalgam-stages"), "");
            recipe = Two.Replace("a.safetensors", "stages/mean");
        }

        using RecipeRun run = _work.Read(recipe);
        Assert.Contains("is itself an input", Assert.Throws<MergeException>(() => run.Check(_work[output], Overwrite, stages is null ? null : _work[stages])).Message);
        Assert.Contains("is itself an input", Assert.Throws<MergeException>(() => run.Run(_work[output], Overwrite, stages is null ? null : _work[stages])).Message);
        Assert.Equal([1f], TestModel.Read(stages is null ? _work["a.safetensors"] : Path.Combine(_work[stages], "mean"))["w"].Values);
        Assert.False(Directory.Exists(_work[output] + ".stages"));
    }

    [Fact]
    public void A_document_may_have_the_name_of_the_output()
    {
        _work.Vector("a.safetensors", 1).Vector("b.safetensors", 3);
        using RecipeRun run = _work.Read(Two);
        string before = Environment.CurrentDirectory;
        run.Check(Path.Combine(before, "mean"), new());
        Assert.Equal([2f], _work.Run(Two, "mean")["w"].Values);
    }

    [Fact]
    public void Memory_and_types_of_all_documents_are_checked_first()
    {
        _work.Model("a.safetensors", DType.F8E4M3, ("w", new(1, 100), new float[100])).Model("b.safetensors", DType.F8E4M3, ("w", new(1, 100), new float[100]));
        using RecipeRun run = _work.Read(Two);
        Assert.Contains("--memory allows", Assert.Throws<MergeException>(() => run.Check(_work["out"], new() { Memory = 100 })).Message);
        Assert.Contains("F8_E4M3", Assert.Throws<InvalidDataException>(() => run.Check(_work["out.npz"], new())).Message);
        Assert.Throws<InvalidDataException>(() => run.Run(_work["out.npz"], new()));
        Assert.False(Directory.Exists(_work["out.npz.stages"]));
        run.Check(_work["out"], new());
    }

    [Fact]
    public void The_documents_results_must_fit_on_the_disk_together()
    {
        _work.Model("a.safetensors", DType.F32, ("w", new(100), new float[100])).Model("b.safetensors", DType.F32, ("w", new(100), new float[100]));
        using RecipeRun run = _work.Read(Two), one = _work.Read(Two.Split("---")[0]);
        run.FreeSpaceOf = one.FreeSpaceOf = _ => 799;
        one.Check(_work["one"], new());
        Assert.Contains("needs 800 bytes, with what is made on the way, and 799 are free on its disk", Assert.Throws<IOException>(() => run.Check(_work["out"], new())).Message);
        run.FreeSpaceOf = _ => 800;
        run.Check(_work["out"], new());
    }

    [Theory]
    [InlineData("a.partial", false)]
    [InlineData("a.fingerprint", false)]
    [InlineData("a.safetensors", false)]
    [InlineData("a.pt", false)]
    [InlineData(".a", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a-1_b.c", true)]
    public void A_documents_name_is_a_folders_that_collides_with_nothing(string name, bool allowed)
    {
        _work.Vector("x.safetensors", 1);
        string recipe = $"name: {name}\nmerge_method: passthrough\nmodels: [{{model: x.safetensors}}]\n---\nmerge_method: passthrough\nmodels: [{{model: {name}}}]\n";
        if (allowed) Assert.Equal([1f], _work.Run(recipe)["w"].Values);
        else Assert.Contains($"the name '{name}'", _work.Refusal(recipe));
    }

    [Fact]
    public async Task A_recipe_may_come_from_a_pipe()
    {
        if (OperatingSystem.IsWindows()) return;
        _work.Vector("x.safetensors", 1);
        string pipe = _work["pipe"];
        CancellationToken cancel = TestContext.Current.CancellationToken;
        using (var make = System.Diagnostics.Process.Start("mkfifo", pipe))
        {
            await make.WaitForExitAsync(cancel);
            Assert.SkipWhen(make.ExitCode != 0, "no pipe can be made here");
        }

        Task write = Task.Run(() => File.WriteAllText(pipe, "merge_method: passthrough\nmodels: [{model: x.safetensors}]\n"), cancel);

        // Whoever opens the pipe twice waits for a second writer, who does not come.
        using RecipeRun run = await Task.Run(() => RecipeRun.Read(pipe), cancel).WaitAsync(cancel);
        await write;
        Assert.StartsWith("merge_method", run.Text, StringComparison.Ordinal);
    }
}
