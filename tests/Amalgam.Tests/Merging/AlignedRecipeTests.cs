using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Tests.Merging.Planning;

namespace Amalgam.Tests.Merging;

/// <summary>Recipes with a section <c>align</c>, as far as merging goes: which files take the models' places, what is reset, what is left behind.</summary>
public sealed class AlignedRecipeTests : IDisposable
{
    private const string Recipe = """
        merge_method: linear
        models: [{model: a.safetensors}, {model: b.safetensors}]
        parameters: {weight: 1}
        align: {method: mudsc}
        """;

    private readonly Workplace _work = new();

    public AlignedRecipeTests()
    {
        _work.Vector("a.safetensors", 1, 2, 3).Vector("b.safetensors", 3, 1, 2).Vector("base.safetensors", 0, 0, 0);
    }

    public void Dispose() => _work.Dispose();

    /// <summary>Sorts every model's numbers, and writes the result beside.</summary>
    private static AlignedModels Sorted(MergePlan plan, string folder)
    {
        Directory.CreateDirectory(folder);
        return new([.. plan.Models.Select(m => TestModel.Write(Path.Combine(folder, $"{m.Number}.safetensors"), DType.F32, ("w", new(3), [.. TestModel.Values(m.Checkpoint.Tensors[0]).Order()])))], ["sorted"]);
    }

    [Fact]
    public void The_aligned_models_are_merged_and_nothing_else_is_left()
    {
        using RecipeRun run = _work.Read(Recipe);
        Assert.Equal(["sorted"], run.Run(_work["out.safetensors"], new() { Align = Sorted }));
        Assert.Equal([1f, 2f, 3f], TestModel.Read(_work["out.safetensors"])["w"].Values);
        Assert.False(Directory.Exists(_work["out.safetensors.stages"]));
    }

    [Fact]
    public void Task_vectors_are_taken_from_the_aligned_base()
    {
        _work.Vector("c.safetensors", 9, 7, 8);
        using RecipeRun run = _work.Read("""
            merge_method: task_arithmetic
            base_model: c.safetensors
            models: [{model: a.safetensors}, {model: b.safetensors}]
            parameters: {weight: 1}
            align: {method: mudsc}
            """);
        run.Run(_work["out.safetensors"], new() { Align = Sorted });
        // The base is 7, 8, 9 and both task vectors are -6.
        Assert.Equal([-5f, -4f, -3f], TestModel.Read(_work["out.safetensors"])["w"].Values);
    }

    [Fact]
    public void What_is_reset_is_computed_of_the_merged_checkpoint_and_written_in_its_place()
    {
        float[]? seen = null;
        using RecipeRun run = _work.Read(Recipe + "\ndtype: float16");
        run.Run(_work["out"], new()
        {
            Align = (plan, folder) => Sorted(plan, folder) with
            {
                Reset = merged =>
                {
                    seen = TestModel.Read(merged)["w"].Values;
                    return new Dictionary<string, Tensor> { ["w"] = new(new(3), [.. seen.Select(x => 10 * x)]) };
                },
            },
        }, _work["stages"]);
        Assert.Equal([1f, 2f, 3f], seen!);
        Assert.Equal([10f, 20f, 30f], TestModel.Read(_work["out"])["w"].Values);
        Assert.Equal(DType.F16, TestModel.Read(_work["out"])["w"].DType);
        Assert.True(File.Exists(Path.Combine(_work["stages"], ".aligned", "1.safetensors")));
    }

    [Fact]
    public void A_document_that_aligns_can_be_one_of_several()
    {
        using RecipeRun run = _work.Read($"name: first\n{Recipe}\n---\n{Recipe.Replace("a.safetensors", "first")}");
        List<string> folders = [];
        run.Run(_work["out.safetensors"], new()
        {
            Align = (plan, folder) =>
            {
                folders.Add(Path.GetFileName(folder));
                return Sorted(plan, folder);
            },
        });
        Assert.Equal(["first.aligned", ".aligned"], folders);
        Assert.Equal([1f, 2f, 3f], TestModel.Read(_work["out.safetensors"])["w"].Values);
    }

    [Fact]
    public void What_is_learned_is_learned_once_and_from_the_aligned_models()
    {
        int asked = 0;
        using RecipeRun run = _work.Read(Recipe + "\ntrain: {lr: 1}");
        run.Run(_work["out.safetensors"], new()
        {
            Align = (plan, folder) => Sorted(plan, folder) with { Reset = _ => new Dictionary<string, Tensor>() },
            Learn = plan =>
            {
                asked++;
                Assert.All(plan.Models, m => Assert.Contains(".aligned", m.Checkpoint.Path));
                return new Dictionary<string, Tensor> { ["w"] = new(new(3), [4, 5, 6]) };
            },
        });
        Assert.Equal(1, asked);
        Assert.Equal([4f, 5f, 6f], TestModel.Read(_work["out.safetensors"])["w"].Values);
    }

    [Fact]
    public void Where_nothing_aligns_the_recipe_is_refused_and_nothing_is_left()
    {
        using RecipeRun run = _work.Read(Recipe);
        Assert.Contains(":4:1: align: this program merges and knows of no networks", Assert.Throws<MergeException>(() => run.Run(_work["out.safetensors"], new())).Message);
        Assert.False(Path.Exists(_work["out.safetensors"]));
        Assert.False(Path.Exists(_work["out.safetensors.stages"]));
    }

    [Theory]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}\nalign: mudsc", ":4:8: expected align, a mapping")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}]\nparameters: {weight: 1}\nalign: {method: mudsc}", ":4:1: align: there is nothing to align a.safetensors with")]
    [InlineData("merge_method: linear\nslices: [{sources: [{model: a.safetensors, layer_range: [0, 1]}]}]\nparameters: {weight: 1}\nalign: {method: mudsc}", "align: whole networks are aligned")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}\naling: {method: mudsc}", "did you mean 'align'?")]
    [InlineData("name: x.aligned\nmerge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}", "has an ending that stands for something else")]
    public void What_cannot_be_is_said_with_its_line(string recipe, string message)
    {
        try
        {
            Assert.Contains(message, _work.Refusal(recipe));
        }
        finally
        {
            Assert.False(Directory.Exists(_work["out.safetensors.stages"]));
        }
    }
}
