using System.Text.Json;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

public class RecipeFileTests
{
    private const string Everything = """
        name: step
        merge_method: dare_ties
        base_model: base
        slices:
        - sources:
          - model: a
            layer_range: [0, 4]
            parameters: {weight: 0.5}
          - model: {model: {path: b, revision: main}, override_architecture: Llama}
            layer_range: [2, 6]
          base_model: a
          parameters: {density: [0.5, 1]}
          residual_weight: 0.1
        parameters:
          normalize: true
        dtype: torch.bfloat16
        out_dtype: float8_e4m3fn
        tensor_union: true
        integers: base
        tokenizer_source: union
        chat_template: auto
        """;

    [Fact]
    public void Reads_every_key()
    {
        Recipe recipe = Assert.Single(RecipeFile.Parse(Everything, "r.yml"));

        Assert.Equal(("step", "dare_ties", "base"), (recipe.Name, recipe.Method, recipe.BaseModel!.Path));
        Assert.Equal("r.yml:2:15", recipe.MethodPosition.ToString());
        Assert.Equal((DType.BF16, DType.F8E4M3), (recipe.DType, recipe.OutDType));
        Assert.Equal((true, false, IntegerRule.Base), (recipe.TensorUnion, recipe.TensorIntersection, recipe.Integers));
        Assert.Equal(1, recipe.Parameters["normalize"]!.Number("w", 0));
        Assert.Empty(recipe.Models);
        Assert.Empty(recipe.Modules);
        RecipeSlice slice = Assert.Single(recipe.Slices);
        Assert.Equal("a", slice.BaseModel!.Path);
        Assert.Equal(0.75, slice.Parameters["density"]!.Number("w", 0.5));
        Assert.Equal([(0, 4), (2, 6)], slice.Sources.Select(s => s.LayerRange!.Value));
        Assert.Equal(0.5, slice.Sources[0].Parameters["weight"]!.Number("w", 0));
        Assert.Equal("r.yml:9:5", slice.Sources[1].Position.ToString());
        Assert.Equal(["a", "b@main", "a", "base"], recipe.References.Select(r => r.Text));
        Assert.Equal([("tokenizer_source", 20, "union"), ("chat_template", 21, "auto"), ("override_architecture", 9, "Llama")],
            recipe.Features.Select(f => (f.Name, f.Position.Line, f.Value)));
    }

    [Fact]
    public void Reads_modules_in_their_order()
    {
        Recipe recipe = RecipeFile.Parse("""
            merge_method: linear
            modules:
              vision: {models: [{model: a}], parameters: {weight: 1}}
              text: {slices: [{sources: [{model: b, layer_range: [0, 1]}]}]}
            """, "r.yml")[0];

        Assert.Equal(["vision", "text"], recipe.Modules.Select(m => m.Name));
        Assert.Equal("a", recipe.Modules[0].Models[0].Model.Path);
        Assert.Null(recipe.Modules[0].Models[0].LayerRange);
        Assert.Equal((0, 1), recipe.Modules[1].Slices[0].Sources[0].LayerRange);
        Assert.Equal("1", recipe.Modules[0].Parameters["weight"]!.ToString());
    }

    [Fact]
    public void A_key_without_value_is_not_given()
    {
        Recipe recipe = RecipeFile.Parse("merge_method: linear\nmodels: [{model: a, parameters: }]\nbase_model: null\nslices: ~\nparameters:\ndtype:", "r.yml")[0];

        Assert.Null(recipe.BaseModel);
        Assert.Null(recipe.DType);
        Assert.Empty(recipe.Parameters.Entries);
        Assert.Equal((false, false, IntegerRule.Equal), (recipe.TensorUnion, recipe.TensorIntersection, recipe.Integers));
    }

    [Fact]
    public void Aliases_repeat_what_they_name()
    {
        Recipe recipe = RecipeFile.Parse("merge_method: linear\nmodels:\n- model: a\n  parameters: &p {weight: 0.5}\n- model: b\n  parameters: *p", "r.yml")[0];

        Assert.Equal(0.5, recipe.Models[1].Parameters["weight"]!.Number("w", 0));
    }

    [Theory]
    [InlineData("recipe_cases", 5)]
    [InlineData("flat_cases", 1)]
    [InlineData("multi_cases", 1)]
    public void Reads_the_recipes_of_the_conformance_cases(string group, int count)
    {
        string[] recipes = [.. Cases(group).Select(c => c.Recipe)];

        Assert.Equal(count, recipes.Length);
        foreach (string recipe in recipes) Assert.NotNull(RecipeOrder.Sort(RecipeFile.Parse(recipe, "r.yml")).Result);
    }

    [Theory]
    [InlineData("err_models_and_slices", "r.yml:6:1: a recipe needs exactly one of models, slices, modules, found models and slices")]
    [InlineData("err_bad_dtype", "r.yml:6:8: expected a floating-point type (float64, float32, bfloat16, float16, float8_e5m2, float8_e4m3fn), found 'bfloat' (did you mean")]
    [InlineData("err_multi_at_in_model", "r.yml:3:10: model 'p@v1@v2' has more than one '@'")]
    [InlineData("err_slerp_three", null)]
    public void Refuses_what_the_conformance_cases_say(string id, string? message)
    {
        string recipe = Cases("error_cases").Single(c => c.Id == id).Recipe;

        if (message is null) Assert.NotEmpty(RecipeFile.Parse(recipe, "r.yml")); // the method refuses it, not the schema
        else Assert.StartsWith(message, Assert.Throws<MergeException>(() => RecipeFile.Parse(recipe, "r.yml")).Message);
    }

    [Fact]
    public void Reads_a_file_and_names_it_in_errors()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "r.yml");
        File.WriteAllText(path, "\uFEFF" + Everything);
        Assert.Equal($"{path}:1:1", RecipeFile.Read(path)[0].Position.ToString());

        File.WriteAllText(path, "merge_method: 1\nmodel: a");
        Assert.StartsWith($"{path}:2:1: a recipe has no key 'model' (did you mean 'models'?)", Assert.Throws<MergeException>(() => RecipeFile.Read(path)).Message);
        File.WriteAllBytes(path, [(byte)'a', 0xFF, 0xFE]);
        Assert.Contains("UTF-8", Assert.Throws<MergeException>(() => RecipeFile.Read(path)).Message);
        File.WriteAllText(path, new string('#', (16 << 20) + 1));
        Assert.Contains("at most 16 MiB", Assert.Throws<MergeException>(() => RecipeFile.Read(path)).Message);
        Assert.Contains("cannot be read", Assert.Throws<MergeException>(() => RecipeFile.Read(path + "x")).Message);
        Assert.Contains("is a folder", Assert.Throws<MergeException>(() => RecipeFile.Read(folder.Path)).Message);
    }

    private static IEnumerable<(string Id, string Recipe)> Cases(string group)
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(RealData.At("merge-conformance", "cases.json")));
        return [.. cases.RootElement.GetProperty(group).EnumerateArray().Select(c => (c.GetProperty("id").GetString()!, c.GetProperty("recipe").GetString()!))];
    }
}
