using Amalgam.Merging;

namespace Amalgam.Tests.Merging.Planning;

/// <summary>Models that are put together from ranges of layers.</summary>
public sealed class SliceTests : IDisposable
{
    private readonly Workplace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Layers_are_numbered_on_and_what_is_outside_comes_from_the_first_and_the_last_slice()
    {
        _work.Layers("a", 4, 10).Layers("b", 12, 50);
        var merged = _work.Run("merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [2, 4]}]\n- sources: [{model: b, layer_range: [9, 12]}]");
        Assert.Equal([12f, 13, 59, 60, 61], Enumerable.Range(0, 5).Select(i => merged[$"model.layers.{i}.mlp.weight"].Values[0]));
        Assert.Equal(7, merged.Count);
        Assert.Equal(110, merged["model.embed_tokens.weight"].Values[0]);
        Assert.Equal(250, merged["model.norm.weight"].Values[0]);
    }

    [Fact]
    public void A_slice_may_have_a_base_of_its_own()
    {
        _work.Layers("a", 2, 0).Layers("b", 2, 10);
        var merged = _work.Run("""
            merge_method: slerp
            base_model: a
            parameters: {t: 0}
            slices:
            - sources: [{model: a, layer_range: [0, 1]}, {model: b, layer_range: [0, 1]}]
            - sources: [{model: a, layer_range: [1, 2]}, {model: b, layer_range: [1, 2]}]
              base_model: b
            """);
        Assert.Equal(0, merged["model.layers.0.mlp.weight"].Values[0]);
        Assert.Equal(11, merged["model.layers.1.mlp.weight"].Values[0]);
        Assert.Equal(100, merged["model.embed_tokens.weight"].Values[0]);
        Assert.Equal(210, merged["model.norm.weight"].Values[0]);
    }

    [Theory]
    [InlineData("linear", "{weight: 0.5}", "", 2f)]
    [InlineData("slerp", "{t: 0.5}", "base_model: a", 2f)]
    [InlineData("task_arithmetic", "{weight: 1}", "base_model: a", 3f)]
    public void A_model_may_take_part_twice_with_other_layers(string method, string parameters, string keys, float expected)
    {
        _work.Layers("a", 4);
        var merged = _work.Run($"merge_method: {method}\nparameters: {parameters}\n{keys}\nslices:\n- sources: [{{model: a, layer_range: [1, 2]}}, {{model: a, layer_range: [3, 4]}}]");
        Assert.Equal(expected, merged["model.layers.0.mlp.weight"].Values[0]);
    }

    [Fact]
    public void A_model_that_takes_part_twice_draws_two_masks()
    {
        float[] ones = [.. Enumerable.Repeat(1f, 400)];
        _work.Model("a.safetensors", DType.F32, ("layers.0.w", new(400), ones), ("layers.1.w", new(400), ones)).Model("base.safetensors", DType.F32, ("layers.0.w", new(400), new float[400]), ("layers.1.w", new(400), new float[400]));
        float[] merged = _work.Run("""
            merge_method: dare_linear
            base_model: base.safetensors
            parameters: {weight: 1, density: 0.5, rescale: false}
            slices:
            - sources: [{model: a.safetensors, layer_range: [0, 1]}, {model: a.safetensors, layer_range: [1, 2]}, {model: base.safetensors, layer_range: [0, 1]}]
            """)["layers.0.w"].Values;
        Assert.Equal([0f, 1, 2], merged.Distinct().Order());
    }

    [Fact]
    public void Layers_without_end_are_refused()
    {
        _work.Layers("a", 2);
        const string Slice = "- sources: [{model: a, layer_range: [0, 2147483647]}]\n";
        Assert.Contains("a, which has 2", _work.Refusal("merge_method: passthrough\nslices:\n" + Slice + Slice));
    }

    [Fact]
    public void Documents_may_use_the_results_of_others()
    {
        _work.Vector("a.safetensors", 2).Vector("b.safetensors", 4);
        string recipe = """
            name: mean
            merge_method: linear
            parameters: {weight: 1}
            models: [{model: a.safetensors}, {model: b.safetensors}]
            ---
            merge_method: task_arithmetic
            base_model: mean
            parameters: {weight: 2}
            models: [{model: a.safetensors}]
            """;
        Assert.Equal([1f], _work.Run(recipe)["w"].Values);
        Assert.False(Directory.Exists(_work["out.safetensors.stages"]));
        using RecipeRun run = _work.Read(recipe);
        run.Run(_work["again.safetensors"], new(), _work["stages"]);
        Assert.Equal([3f], TestModel.Read(Path.Combine(_work["stages"], "mean"))["w"].Values);
    }

    [Fact]
    public void Configuration_and_card_of_a_stack_say_how_many_layers_it_has()
    {
        _work.Layers("a", 3);
        File.WriteAllText(Path.Combine(_work["a"], "config.json"), """{"num_hidden_layers": 3, "model_type": "llama", "torch_dtype": "bfloat16"}""");
        _work.Run("merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 3]}]\n- sources: [{model: a, layer_range: [1, 3]}]", "out");
        string config = File.ReadAllText(Path.Combine(_work["out"], "config.json")), card = File.ReadAllText(Path.Combine(_work["out"], "README.md"));
        Assert.Contains("\"num_hidden_layers\": 5", config);
        Assert.Contains("\"torch_dtype\": \"float32\"", config);
        Assert.Contains("5 layers", card);
        Assert.DoesNotContain("inference cost of one", card);
        Assert.Contains("merge_method: passthrough", card);
    }

    [Fact]
    public void A_stack_whose_configuration_has_no_layer_count_is_noted()
    {
        _work.Layers("a", 2);
        string recipe = "merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 2]}]\n- sources: [{model: a, layer_range: [1, 2]}]";
        File.WriteAllText(Path.Combine(_work["a"], "config.json"), """{"text_config": {"num_hidden_layers": 2}}""");
        Assert.Contains(_work.Notes(recipe), n => n.Contains("the result has 3 layers"));
        File.WriteAllText(Path.Combine(_work["a"], "config.json"), """{"n_layer": 2}""");
        Assert.Empty(_work.Notes(recipe));
    }

    [Fact]
    public void Vocabularies_of_every_kind_go_with_the_model()
    {
        _work.Layers("a", 1);
        string[] files = ["sentencepiece.bpe.model", "tekken.json", "qwen.tiktoken", "tokenizer.json"];
        foreach (string file in files) File.WriteAllText(Path.Combine(_work["a"], file), file);
        _work.Run("merge_method: passthrough\nmodels: [{model: a}]\ntokenizer_source: base", "out");
        Assert.All(files, f => Assert.Equal(f, File.ReadAllText(Path.Combine(_work["out"], f))));
    }

    [Fact]
    public void The_card_names_models_without_their_folders_and_keeps_what_looks_like_markup()
    {
        _work.Layers("a", 1);
        _work.Layers("say \"x\": y", 1);
        _work.Run($"# ````\nmerge_method: linear\nparameters: {{weight: 1}}\nmodels: [{{model: '{_work["a"]}'}}, {{model: 'say \"x\": y'}}]", "out");
        string card = File.ReadAllText(Path.Combine(_work["out"], "README.md")), front = card.Split("---")[1];
        Assert.Contains("base_model:\n- \"a\"\n- \"say \\\"x\\\": y\"\n", front);
        Assert.Contains("\n`````yaml\n# ````\n", card);
        Assert.EndsWith("\n`````\n", card, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_with_a_key_twice_is_refused()
    {
        _work.Layers("a", 1);
        File.WriteAllText(Path.Combine(_work["a"], "config.json"), """{"n_layer": 2, "n_layer": 3}""");
        Assert.Contains("config.json is not JSON", Assert.Throws<InvalidDataException>(() => _work.Run("merge_method: passthrough\nmodels: [{model: a}]", "out")).Message);
    }

    [Fact]
    public void A_configuration_that_is_not_json_stops_the_merge()
    {
        _work.Layers("a", 1);
        File.WriteAllText(Path.Combine(_work["a"], "config.json"), "{");
        Assert.Contains("config.json is not JSON", Assert.Throws<InvalidDataException>(() => _work.Run("merge_method: passthrough\nmodels: [{model: a}]", "out")).Message);
        Assert.False(Directory.Exists(_work["out"]));
    }
}
