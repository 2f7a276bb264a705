using Amalgam.Merging;

namespace Amalgam.Tests.Merging.Planning;

/// <summary>What becomes of tensors that not all models have, that differ in shape or type, or that are not merged.</summary>
public sealed class TensorDecisionTests : IDisposable
{
    private const string Ab = "merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\n";
    private const string Task = "merge_method: task_arithmetic\nparameters: {weight: 1}\nbase_model: base.safetensors\nmodels: [{model: a.safetensors}]\n";

    private readonly Workplace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_tensor_that_a_model_lacks_is_refused_left_out_or_merged_from_the_others()
    {
        _work.Model("a.safetensors", DType.F32, ("w", new(1), [2]), ("v", new(1), [8])).Vector("b.safetensors", 4);
        string message = _work.Refusal(Ab);
        Assert.Contains("'v' is not in b.safetensors", message);
        Assert.Contains("tensor_union: true", message);
        Assert.Equal(["w"], _work.Run(Ab + "tensor_intersection: true", "i.safetensors").Keys);
        Assert.Equal([8f], _work.Run(Ab + "tensor_union: true", "u.safetensors")["v"].Values);
    }

    [Fact]
    public void A_bias_may_be_absent_in_a_model()
    {
        _work.Model("a.safetensors", DType.F32, ("w", new(1), [2]), ("w.bias", new(1), [8])).Vector("b.safetensors", 4);
        Assert.Equal([8f], _work.Run(Ab)["w.bias"].Values);
        Assert.Contains(_work.Notes(Ab), n => n.Contains("'w.bias' is not in b.safetensors"));
    }

    [Fact]
    public void A_tensor_that_only_the_base_has_is_the_bases()
    {
        _work.Vector("a.safetensors", 2).Model("base.safetensors", DType.F32, ("w", new(1), [1]), ("only.bias", new(1), [5]));
        Assert.Equal([5f], _work.Run(Task)["only.bias"].Values);

        // The base of linear without a weight of its own does not take part; its tensors still are to be had.
        string unlisted = "merge_method: linear\nbase_model: base.safetensors\nmodels: [{model: a.safetensors, parameters: {weight: 1}}]\n";
        Assert.Equal([5f], _work.Run(unlisted, "u.safetensors")["only.bias"].Values);
    }

    [Fact]
    public void A_tensor_that_the_base_lacks_has_no_task_vectors()
    {
        _work.Vector("base.safetensors", 1).Model("a.safetensors", DType.F32, ("w", new(1), [2]), ("v", new(1), [3])).Model("b.safetensors", DType.F32, ("w", new(1), [2]), ("v", new(1), [3]));
        Assert.Equal([3f], _work.Run(Task + "tensor_union: true")["v"].Values);
        string two = Task.Replace("[{model: a.safetensors}]", "[{model: a.safetensors}, {model: b.safetensors}]") + "tensor_union: true\n";
        Assert.Contains("not in the base base.safetensors, so it has no task vectors; exclude takes it unmerged from a.safetensors", _work.Refusal(two));
        Assert.Equal([3f], _work.Run(two.Replace("weight: 1", "weight: 1, exclude: [v]"), "x.safetensors")["v"].Values);
        Assert.DoesNotContain("v", _work.Run(two.Replace("union", "intersection"), "y.safetensors").Keys);
        Assert.Contains("'v' is not in base.safetensors", _work.Refusal(Task));
    }

    [Fact]
    public void Excluded_tensors_are_the_bases_and_need_not_be_everywhere()
    {
        _work.Model("a.safetensors", DType.F32, ("w", new(1), [2]), ("v", new(2), [8, 8]), ("x", new(1), [1])).Model("b.safetensors", DType.F32, ("w", new(1), [4]), ("y", new(1), [1]));
        string recipe = Ab.Replace("weight: 0.5", "weight: 0.5, exclude: [v, x, y]");
        var merged = _work.Run(recipe);
        Assert.Equal(["v", "w", "x"], merged.Keys.Order());
        Assert.Equal([3f], merged["w"].Values);
        Assert.Contains(_work.Notes(recipe), n => n.Contains("'y'") && n.Contains("the result does not have it"));
    }

    [Fact]
    public void A_tied_head_stands_for_its_embedding()
    {
        _work.Model("a.safetensors", DType.F32, ("model.embed_tokens.weight", new(2, 1), [1, 2]), ("lm_head.weight", new(2, 1), [5, 6]))
            .Model("b.safetensors", DType.F32, ("model.embed_tokens.weight", new(2, 1), [3, 4]));
        Assert.Equal([4f, 5], _work.Run(Ab)["lm_head.weight"].Values);
    }

    [Theory]
    [InlineData("output.weight", "token_embedding.weight")]
    [InlineData("text.lm_head.weight", "image.embeddings.weight")]
    public void A_head_is_not_tied_to_an_embedding_of_another_shape_or_part(string head, string embedding)
    {
        int rows = head == "output.weight" ? 1 : 2;
        _work.Model("a.safetensors", DType.F32, (embedding, new(2, 1), [1, 2]), (head, new(rows, 1), [.. Enumerable.Repeat(5f, rows)])).Model("b.safetensors", DType.F32, (embedding, new(2, 1), [3, 4]));
        Assert.Contains($"'{head}' is not in b.safetensors", _work.Refusal(Ab));
    }

    [Fact]
    public void A_tied_head_of_another_vocabulary_is_cut_with_its_embedding()
    {
        _work.Model("a.safetensors", DType.F32, ("embed_tokens.weight", new(3, 1), [1, 2, 3]), ("lm_head.weight", new(3, 1), [5, 6, 7])).Model("b.safetensors", DType.F32, ("embed_tokens.weight", new(2, 1), [3, 4]));
        Assert.Equal([4f, 5], _work.Run(Ab)["lm_head.weight"].Values);
    }

    [Fact]
    public void A_layers_output_is_no_head()
    {
        _work.Model("a.safetensors", DType.F32, ("embed_tokens.weight", new(2, 1), [1, 2]), ("layers.0.output.weight", new(2, 1), [5, 6])).Model("b.safetensors", DType.F32, ("embed_tokens.weight", new(2, 1), [3, 4]));
        Assert.Contains("'layers.0.output.weight' is not in b.safetensors", _work.Refusal(Ab));
        _work.Model("c.safetensors", DType.F32, ("embed_tokens.weight", new(2, 1), [1, 2]), ("layers.0.output.weight", new(3, 1), [5, 6, 7]));
        Assert.Contains("[2,1]", _work.Refusal(Ab.Replace("b.", "c.")));
    }

    [Fact]
    public void Other_shapes_are_refused_with_both()
    {
        _work.Vector("a.safetensors", 1, 2).Vector("b.safetensors", 1, 2, 3);
        Assert.Contains("'w' is [2] in a.safetensors and [3] in b.safetensors", _work.Refusal(Ab));
    }

    [Fact]
    public void Embeddings_are_cut_to_what_all_have_and_to_the_base()
    {
        const string Name = "model.embed_tokens.weight";
        _work.Model("a.safetensors", DType.F32, (Name, new(3, 2), [1, 2, 3, 4, 5, 6])).Model("b.safetensors", DType.F32, (Name, new(2, 3), [3, 4, 0, 5, 6, 0])).Model("base.safetensors", DType.F32, (Name, new(2, 2), [1, 1, 1, 1]));
        var merged = _work.Run(Ab);
        Assert.Equal(new(2, 2), merged[Name].Shape);
        Assert.Equal([2f, 3, 4, 5], merged[Name].Values);
        Assert.Equal([1f, 2, 3, 4], _work.Run(Task, "t.safetensors")[Name].Values);
        Assert.Contains(_work.Notes(Ab), n => n.Contains("check vocab_size"));
    }

    [Theory]
    [InlineData("task_arithmetic", false)]
    [InlineData("ram", false)]
    [InlineData("model_stock", true)]
    [InlineData("arcee_fusion", true)]
    [InlineData("nuslerp", true)]
    public void A_base_with_a_larger_embedding_is_refused_or_cut_as_the_method_says(string method, bool cuts)
    {
        const string Name = "lm_head.weight";
        _work.Model("base.safetensors", DType.F32, (Name, new(3, 1), [1, 1, 9])).Model("a.safetensors", DType.F32, (Name, new(2, 1), [2, 1])).Model("b.safetensors", DType.F32, (Name, new(2, 1), [2, 1]));
        string weight = method is "task_arithmetic" or "nuslerp" ? ", parameters: {weight: 1}" : "";
        string recipe = $"merge_method: {method}\nbase_model: base.safetensors\nmodels:\n- {{model: a.safetensors{weight}}}\n" + (method == "arcee_fusion" ? "" : $"- {{model: b.safetensors{weight}}}\n");
        if (cuts) Assert.Equal(new(2, 1), _work.Run(recipe)[Name].Shape);
        else Assert.Contains("a base that is larger than its fine-tunes cannot be cut", _work.Refusal(recipe));
    }

    [Fact]
    public void Integers_must_be_equal_or_are_the_bases()
    {
        _work.Mixed("a.safetensors", ("n", DType.I64, new(1), [1, 0, 0, 0, 0, 0, 0, 0]), ("m", DType.Bool, new(2), [1, 0]))
            .Mixed("b.safetensors", ("n", DType.I64, new(1), [2, 0, 0, 0, 0, 0, 0, 0]), ("m", DType.Bool, new(2), [1, 0]))
            .Mixed("base.safetensors", ("n", DType.I64, new(1), [3, 0, 0, 0, 0, 0, 0, 0]), ("m", DType.Bool, new(2), [1, 0]));
        string message = _work.Refusal(Ab);
        Assert.Contains("'n' is I64[1] in a.safetensors and I64[1] in b.safetensors, with other values", message);
        Assert.DoesNotContain("'m'", message);
        var merged = _work.Run(Ab + "integers: base\ndtype: float16");
        Assert.Equal(DType.I64, merged["n"].DType);
        Assert.Equal([1f], merged["n"].Values);
        Assert.Equal([3f], _work.Run("merge_method: cki\nintegers: base\nbase_model: base.safetensors\nmodels: [{model: a.safetensors}, {model: b.safetensors}]", "c.safetensors")["n"].Values);
    }

    [Theory]
    [InlineData("F16", "BF16", "", "F32")]
    [InlineData("F16", "F16", "", "F16")]
    [InlineData("F16", "F32", "", "F32")]
    [InlineData("F32", "F64", "", "F64")]
    [InlineData("F16", "F16", "dtype: bfloat16", "BF16")]
    [InlineData("F16", "F16", "dtype: bfloat16\nout_dtype: float32", "F32")]
    public void The_type_is_the_recipes_or_holds_all_inputs(string a, string b, string keys, string expected)
    {
        _work.Model("a.safetensors", DType.Find(a)!, ("w", new(), [1])).Model("b.safetensors", DType.Find(b)!, ("w", new(), [2]));
        var merged = _work.Run(Ab + keys)["w"];
        Assert.Equal(DType.Find(expected), merged.DType);
        Assert.Equal(new(), merged.Shape);
        Assert.Equal([1.5f], merged.Values);
    }

    [Theory, InlineData("task_arithmetic"), InlineData("slerp")]
    public void With_a_base_the_type_is_the_bases(string method)
    {
        _work.Model("base.safetensors", DType.BF16, ("w", new(2), [1, 0])).Model("a.safetensors", DType.F32, ("w", new(2), [0, 1]));
        string recipe = $"merge_method: {method}\nbase_model: base.safetensors\nmodels: [{{model: a.safetensors}}]\nparameters: {(method == "slerp" ? "{t: 0.5}" : "{weight: 1}")}";
        Assert.Equal(DType.BF16, _work.Run(recipe)["w"].DType);
    }

    [Fact]
    public void Two_spellings_of_a_path_are_one_model()
    {
        _work.Vector("a.safetensors", 1).Vector("b.safetensors", 3);
        string recipe = "merge_method: slerp\nbase_model: ./a.safetensors\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {t: 0.5}";
        Assert.Equal([2f], _work.Run(recipe)["w"].Values);
        using RecipeRun run = _work.Read(recipe);
        Assert.Equal(2, run.Plans[0].Models.Length);
    }
}
