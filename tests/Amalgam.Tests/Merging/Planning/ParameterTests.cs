namespace Amalgam.Tests.Merging.Planning;

/// <summary>Which value a parameter has for which tensor. A model of ones, weighted and not normalised, shows its weights.</summary>
public sealed class ParameterTests : IDisposable
{
    private readonly Workplace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Gradients_go_over_the_layers_and_start_outside_them()
    {
        Ones("a", 5);
        var merged = _work.Run("merge_method: linear\nmodels: [{model: a, parameters: {weight: [0, 1, 3]}}]\nparameters: {normalize: false}");
        Assert.Equal([0f, 0.5f, 1, 2, 3], Layers(merged, 5));
        Assert.Equal(0, merged["model.embed_tokens.weight"].Values[0]);
        Assert.Equal(0, merged["model.norm.weight"].Values[0]);
    }

    [Fact]
    public void A_single_layer_stands_at_the_end_of_a_gradient_and_every_slice_starts_anew()
    {
        Ones("a", 4);
        var merged = _work.Run("""
            merge_method: linear
            slices:
            - sources: [{model: a, layer_range: [0, 3], parameters: {weight: [0, 1]}}]
            - sources: [{model: a, layer_range: [3, 4], parameters: {weight: [5, 7]}}]
            - sources: [{model: a, layer_range: [1, 3], parameters: {weight: [2, 4]}}]
            parameters: {normalize: false}
            """);
        Assert.Equal([0, 0.5f, 1, 7, 2, 4], Layers(merged, 6));
        Assert.Equal(0, merged["model.embed_tokens.weight"].Values[0]);
        Assert.Equal(2, merged["model.norm.weight"].Values[0]);
    }

    [Fact]
    public void The_first_filter_that_matches_counts_and_without_one_the_search_goes_on_outward()
    {
        Ones("a", 2);
        var merged = _work.Run("""
            merge_method: linear
            models:
            - model: a
              parameters:
                weight: [{filter: layers.1, value: 3}, {filter: mlp, value: 4}]
            parameters: {normalize: false, weight: [{filter: norm, value: 5}, {value: 6}]}
            """);
        Assert.Equal([4f, 3], Layers(merged, 2));
        Assert.Equal(5, merged["model.norm.weight"].Values[0]);
        Assert.Equal(6, merged["model.embed_tokens.weight"].Values[0]);
    }

    [Fact]
    public void Values_are_looked_up_from_the_source_outward()
    {
        Ones("a", 4);
        string Slice(int layer, string source, string slice) =>
            $"    - {{sources: [{{model: a, layer_range: [{layer}, {layer + 1}]{source}}}]{slice}}}\n";
        var merged = _work.Run("merge_method: linear\nparameters: {weight: 1, normalize: false}\nmodules:\n  default:\n    parameters: {weight: 2}\n    slices:\n"
            + Slice(0, ", parameters: {weight: 4}", ", parameters: {weight: 3}") + Slice(1, "", ", parameters: {weight: 3}") + Slice(2, "", ""));
        Assert.Equal([4f, 3, 2], Layers(merged, 3));
        Assert.Equal([1f, 1], Layers(_work.Run("merge_method: linear\nparameters: {weight: 1, normalize: false}\nslices:\n"
            + Slice(0, "", "").Replace("    - ", "- ") + Slice(3, "", "").Replace("    - ", "- "), "b.safetensors"), 2));
    }

    [Fact]
    public void Patterns_are_taken_from_the_nearest_level_that_gives_them()
    {
        _work.Layers("a", 3).Layers("b", 3, 2);
        static string Slice(int layer, string parameters) =>
            $"    - {{sources: [{{model: a, layer_range: [{layer}, {layer + 1}]}}, {{model: b, layer_range: [{layer}, {layer + 1}]}}], parameters: {{{parameters}}}}}\n";
        var merged = _work.Run("merge_method: linear\nparameters: {weight: 1, exclude: ['*norm*']}\nmodules:\n  default:\n    parameters: {include: ['*embed*', '*norm*']}\n    slices:\n"
            + Slice(0, "") + Slice(1, "include: ['*mlp*']") + Slice(2, "include: ['*'], exclude: ['*mlp*']"));
        Assert.Equal([0f, 2, 2], Layers(merged, 3));
        Assert.Equal(101, merged["model.embed_tokens.weight"].Values[0]);
        Assert.Equal(201, merged["model.norm.weight"].Values[0]);
    }

    [Fact]
    public void Parameters_of_a_model_look_at_the_input_names_and_others_at_the_output_names()
    {
        Ones("a", 4);
        var merged = _work.Run("""
            merge_method: linear
            slices:
            - sources:
              - {model: a, layer_range: [2, 3], parameters: {weight: [{filter: layers.2, value: 8}, {value: 1}]}}
              - {model: a, layer_range: [3, 4], parameters: {weight: [{filter: layers.0, value: 100}, {value: 2}]}}
            parameters: {normalize: [{filter: layers.0, value: false}, {value: true}]}
            """);
        Assert.Equal([10f], Layers(merged, 1));
        Assert.Equal(1, merged["model.norm.weight"].Values[0]);
    }

    [Fact]
    public void A_missing_required_parameter_names_the_model()
    {
        Ones("a", 1).Layers("b", 1);
        string message = _work.Refusal("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b}]");
        Assert.Contains("linear: weight is required, and not given for model b", message);
        Assert.Contains("slerp: t is required", _work.Refusal("merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}]"));
    }

    [Theory]
    [InlineData("merge_method: tyes\nbase_model: a\nmodels: [{model: a}]", "did you mean 'ties'")]
    [InlineData("merge_method: linear\nmodels: [{model: a, parameters: {wieght: 1}}]", "did you mean 'weight'")]
    [InlineData("merge_method: ties\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, density: 1.5}}]", "density must be in [0, 1], got 1.5")]
    [InlineData("merge_method: ties\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, density: 0.1}}]", "keeps none of the 1 entries")]
    [InlineData("merge_method: ties\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]", "ties needs base_model")]
    [InlineData("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: -1}}]", "sum to 0")]
    [InlineData("merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}, {model: c}]\nparameters: {t: 0.5}", "slerp merges 2 models, found 3")]
    [InlineData("merge_method: passthrough\nmodels: [{model: a}, {model: b}]", "passthrough merges 1 model, found 2")]
    [InlineData("merge_method: model_stock\nbase_model: a\nmodels: [{model: a}, {model: b}]", "model_stock merges 2 or more models beside the base, found 1")]
    [InlineData("merge_method: passthrough\nmodels: [{model: a+lora}]", "LoRA adapter 'lora'")]
    [InlineData("merge_method: passthrough\nmodels: [{model: a@v1}]", "revision 'v1'")]
    [InlineData("merge_method: passthrough\nmodels: [{model: someone/model-7b}]", "Amalgam does not download")]
    [InlineData("merge_method: passthrough\nmodels: [{model: nothing}]", "does not exist, neither in")]
    [InlineData("merge_method: passthrough\nmodels: [{model: a}]\ntokenizer: {source: union}", "tokenizer asks for tokenizers to be merged")]
    [InlineData("merge_method: passthrough\nmodels: [{model: a}]\ntokenizer_source: union", "tokenizer_source asks")]
    [InlineData("merge_method: passthrough\nmodels: [{model: a}]\nchat_template: auto", "chat_template asks")]
    [InlineData("merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 3]}]}]", "asks for layers 0 to 2 of a, which has 1")]
    public void What_cannot_be_done_is_refused_with_the_line(string recipe, string expected)
    {
        Ones("a", 1).Layers("b", 1).Layers("c", 1);
        string message = _work.Refusal(recipe);
        Assert.Contains(expected, message);
        Assert.Contains("recipe.yml", message);
    }

    private Workplace Ones(string name, int layers) => _work.Model(name, DType.F32,
    [
        ("model.embed_tokens.weight", new(1, 1), [1]),
        .. Enumerable.Range(0, layers).Select(i => ($"model.layers.{i}.mlp.weight", new Shape(1, 1), new float[] { 1 })),
        ("model.norm.weight", new(1), [1]),
    ]);

    private static float[] Layers(Dictionary<string, (Shape Shape, DType DType, float[] Values)> merged, int layers)
    {
        Assert.Equal(layers + 2, merged.Count);
        return [.. Enumerable.Range(0, layers).Select(i => merged[$"model.layers.{i}.mlp.weight"].Values[0])];
    }
}
