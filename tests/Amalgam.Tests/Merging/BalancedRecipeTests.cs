using System.Collections.Immutable;
using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Tests.Merging.Planning;

namespace Amalgam.Tests.Merging;

/// <summary>Recipes with a section <c>balance</c>, as far as merging goes: over what a document is planned, which files take the models' places, what is left behind.</summary>
public sealed class BalancedRecipeTests : IDisposable
{
    private const string Text = """
        merge_method: linear
        models: [{model: a.safetensors}, {model: b.safetensors}]
        parameters: {weight: 1}
        balance: {method: add}
        """;

    private readonly Workplace _work = new();
    private readonly List<string> _written = [];

    public BalancedRecipeTests() => _work.Vector("a.safetensors", 1, 2, 3).Vector("b.safetensors", 5, 6);

    public void Dispose() => _work.Dispose();

    /// <summary>Every model becomes one of two numbers under another name: its first and its last.</summary>
    private BalancedModels Ends(Recipe recipe, ImmutableArray<PlannedModel> models) => new([new("ends", DType.F32, new(2))], IsNetwork: false, folder =>
    {
        Directory.CreateDirectory(folder);
        _written.Add(Path.GetFileName(folder));
        return new([.. models.Select(m => TestModel.Write(Path.Combine(folder, $"{m.Number}.safetensors"), DType.F32, ("ends", new(2), [TestModel.Values(m.Checkpoint.Tensors[0])[0], TestModel.Values(m.Checkpoint.Tensors[0])[^1]])))], ["written"]);
    }, ["balanced"]);

    private RecipeRun Read(string text) => RecipeRun.Parse(text, Path.GetDirectoryName(_work["x"])!, _work["recipe.yml"], balance: Ends);

    [Fact]
    public void A_document_is_planned_over_what_its_models_become_and_merged_so()
    {
        using RecipeRun run = Read(Text);
        Assert.Equal("ends", Assert.Single(run.Plans[0].Tensors).Output.Name);
        Assert.Equal(["a.safetensors", "b.safetensors"], run.Plans[0].Models.Select(m => m.Label));
        Assert.Equal([3, 2], run.Plans[0].Originals.Select(m => (int)m.Checkpoint.Tensors[0].Shape.Count));
        Assert.Contains("balanced", run.Plans[0].Notes);
        Assert.Empty(_written);

        Assert.Equal(["written"], run.Run(_work["out.safetensors"], new()));
        Assert.Equal([3f, 4.5f], TestModel.Read(_work["out.safetensors"])["ends"].Values);
        Assert.Equal([".balanced"], _written);
        Assert.False(Directory.Exists(_work["out.safetensors.stages"]));
    }

    [Fact]
    public void Balanced_models_are_aligned_next()
    {
        using RecipeRun run = Read(Text + "\nalign: {method: mudsc}");
        run.Run(_work["out.safetensors"], new()
        {
            Align = (plan, folder) =>
            {
                Assert.All(plan.Models, m => Assert.Contains(".balanced", m.Checkpoint.Path));
                Directory.CreateDirectory(folder);
                return new([.. plan.Models.Select(m => TestModel.Write(Path.Combine(folder, $"{m.Number}.safetensors"), DType.F32, ("ends", new(2), [.. TestModel.Values(m.Checkpoint.Tensors[0]).OrderDescending()])))], []);
            },
        });
        Assert.Equal([4.5f, 3f], TestModel.Read(_work["out.safetensors"])["ends"].Values);
    }

    [Fact]
    public void What_is_reset_is_computed_of_the_merged_checkpoint()
    {
        float[]? seen = null;
        using RecipeRun run = RecipeRun.Parse(Text, Path.GetDirectoryName(_work["x"])!, _work["recipe.yml"], balance: (recipe, models) =>
        {
            BalancedModels ends = Ends(recipe, models);
            return ends with
            {
                Write = folder => ends.Write(folder) with
                {
                    Reset = merged =>
                    {
                        seen = TestModel.Read(merged)["ends"].Values;
                        return new Dictionary<string, Tensor> { ["ends"] = new(new(2), [8, 9]) };
                    },
                },
            };
        });
        run.Run(_work["out.safetensors"], new(), _work["stages"]);
        Assert.Equal([3f, 4.5f], seen!);
        Assert.Equal([8f, 9f], TestModel.Read(_work["out.safetensors"])["ends"].Values);
        Assert.True(File.Exists(Path.Combine(_work["stages"], ".balanced", "1.safetensors")));
    }

    [Fact]
    public void A_balanced_document_can_be_one_of_several_and_takes_no_result_of_another()
    {
        string second = "merge_method: linear\nmodels: [{model: first}, {model: first}]\nparameters: {weight: 1}";
        using RecipeRun run = Read($"name: first\n{Text}\n---\n{second}");
        run.Run(_work["out.safetensors"], new());
        Assert.Equal(["first.balanced"], _written);
        Assert.Equal([3f, 4.5f], TestModel.Read(_work["out.safetensors"])["ends"].Values);

        string reversed = $"name: first\nmerge_method: linear\nmodels: [{{model: a.safetensors}}]\nparameters: {{weight: 1}}\n---\n{Text.Replace("a.safetensors", "first")}";
        Assert.Contains("'first' is made by another document", Assert.Throws<MergeException>(() => Read(reversed)).Message);
    }

    [Fact]
    public void Models_that_are_balanced_are_not_overwritten_and_another_model_is_another_plan()
    {
        using (RecipeRun run = Read(Text)) Assert.Contains("is itself an input", Assert.Throws<MergeException>(() => run.Run(_work["a.safetensors"], new() { Output = new(Overwrite: true) })).Message);
        string Fingerprint()
        {
            using RecipeRun run = Read(Text);
            return run.Plans[0].Fingerprint(Text, 0, 0);
        }

        string before = Fingerprint();
        Assert.Equal(before, Fingerprint());
        File.Delete(_work["b.safetensors"]);
        _work.Vector("b.safetensors", 5, 6, 7);
        Assert.NotEqual(before, Fingerprint());
    }

    [Theory]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}\nbalance: add", ":4:10: expected balance, a mapping")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}]\nparameters: {weight: 1}\nbalance: {method: add}", ":4:1: balance: there is nothing to balance a.safetensors with")]
    [InlineData("merge_method: linear\nslices: [{sources: [{model: a.safetensors, layer_range: [0, 1]}]}]\nparameters: {weight: 1}\nbalance: {method: add}", "balance: whole networks are balanced")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}\nbalanc: {method: add}", "did you mean 'balance'?")]
    [InlineData("name: x.balanced\nmerge_method: linear\nmodels: [{model: a.safetensors}]\nparameters: {weight: 1}", "has an ending that stands for something else")]
    public void What_cannot_be_is_said_with_its_line(string recipe, string message) => Assert.Contains(message, Assert.Throws<MergeException>(() => Read(recipe)).Message);

    [Fact]
    public void Where_nothing_knows_of_networks_the_recipe_is_refused() => Assert.Contains(":4:1: balance: this program merges and knows of no networks", _work.Refusal(Text));
}
