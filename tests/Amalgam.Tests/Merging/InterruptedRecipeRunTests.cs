using Amalgam.Merging;

namespace Amalgam.Tests.Merging;

public class InterruptedRecipeRunTests
{
    private const string Text = """
        name: first
        merge_method: linear
        models: [{model: a.safetensors, parameters: {weight: 1}}, {model: b.safetensors, parameters: {weight: 1}}]
        ---
        merge_method: linear
        models: [{model: first, parameters: {weight: 1}}, {model: a.safetensors, parameters: {weight: 1}}]
        """;

    [Fact]
    public void A_run_that_was_killed_before_it_removed_its_intermediate_results_is_finished_by_the_next()
    {
        using TemporaryFolder folder = Models();
        Run(folder, new(), stages: folder["out.safetensors.stages"]);

        Assert.Throws<IOException>(() => Run(folder, new()));
        Run(folder, new(Resume: true));

        AssertDone(folder);
    }

    [Theory]
    [InlineData(".amalgam-stages")]
    [InlineData("out.safetensors")]
    public void A_run_that_was_killed_earlier_is_gone_on_with(string lost)
    {
        using TemporaryFolder folder = Models();
        Run(folder, new(), stages: folder["out.safetensors.stages"]);
        if (lost == "out.safetensors") File.Delete(folder[lost]);
        else File.WriteAllText(folder["out.safetensors.stages/" + lost], "another run's");

        if (lost != "out.safetensors") Assert.Throws<IOException>(() => Run(folder, new(Resume: true)));
        Run(folder, new(Resume: true, Overwrite: lost != "out.safetensors"));

        AssertDone(folder);
    }

    private static TemporaryFolder Models()
    {
        TemporaryFolder folder = new();
        TestModel.Write(folder["a.safetensors"], DType.F32, ("w", new Shape(2), [1, 2]));
        TestModel.Write(folder["b.safetensors"], DType.F32, ("w", new Shape(2), [3, 4]));
        return folder;
    }

    private static void Run(TemporaryFolder folder, Amalgam.Checkpoints.OutputOptions output, string? stages = null)
    {
        using RecipeRun run = RecipeRun.Parse(Text, folder.Path, "recipe");
        run.Run(folder["out.safetensors"], new() { Output = output }, stages);
    }

    private static void AssertDone(TemporaryFolder folder)
    {
        Assert.Equal([1.5f, 2.5f], TestModel.Read(folder["out.safetensors"])["w"].Values);
        Assert.Equal(["a.safetensors", "b.safetensors", "out.safetensors"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
    }
}
