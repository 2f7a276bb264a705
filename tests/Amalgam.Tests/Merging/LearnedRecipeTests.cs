using Amalgam.Merging;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;
using Amalgam.Tests.Merging.Planning;

namespace Amalgam.Tests.Merging;

/// <summary>Recipes with a section <c>train</c>, as far as merging goes: what they ask for, and what becomes of the values that who trains gives.</summary>
public sealed class LearnedRecipeTests : IDisposable
{
    private const string Cki = """
        merge_method: cki
        models: [{model: a.safetensors}, {model: b.safetensors}]
        parameters: {local: learned}
        train: {data: x, lr: 1, epochs: 1}
        """;

    private readonly Workplace _work = new();

    public LearnedRecipeTests()
    {
        foreach (var (name, shift) in new[] { ("a", 0f), ("b", 10f), ("base", 5f) })
            TestModel.Write(_work[$"{name}.safetensors"], DType.F32, ("fc.weight", new(2, 2), [1 + shift, 2, 3, 4 - shift]), ("fc.bias", new(2), [shift, 1]), ("other", new(1, 2), [shift, shift]));
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void What_is_learned_is_planned_and_written_in_the_type_that_was_asked_for()
    {
        using RecipeRun run = _work.Read(Cki + "\ndtype: float16");
        MergePlan plan = Assert.Single(run.Plans);
        Assert.Equal(["fc.weight", "other"], plan.Tensors.Where(t => t.Method is Learned).Select(t => t.Output.Name));
        Assert.All(plan.Tensors.Where(t => t.Method is Learned), t => Assert.EndsWith(", learned", t.Explanation));
        Tensor weight = new(new(2, 2), [7, 8, 9, 10]), other = new(new(1, 2), [0.5f, -0.5f]);
        MergePlan? seen = null;
        run.Run(_work["out.safetensors"], new()
        {
            Learn = p =>
            {
                seen = p;
                return new Dictionary<string, Tensor> { ["fc.weight"] = weight, ["other"] = other };
            },
        });
        Assert.Same(plan.Recipe, seen!.Recipe);
        var merged = TestModel.Read(_work["out.safetensors"]);
        Assert.Equal([7f, 8f, 9f, 10f], merged["fc.weight"].Values);
        Assert.Equal([0.5f, -0.5f], merged["other"].Values);
        Assert.Equal([0f, 1f], merged["fc.bias"].Values);
        Assert.All(merged.Values, t => Assert.Equal(DType.F16, t.DType));
    }

    [Fact]
    public void Tensors_that_training_changed_beside_are_written_too()
    {
        using RecipeRun run = _work.Read(Cki);
        run.Run(_work["out.safetensors"], new() { Learn = _ => new Dictionary<string, Tensor> { ["fc.weight"] = new(new(2, 2)), ["other"] = new(new(1, 2)), ["fc.bias"] = new(new(2), [-1, -2]) } });
        Assert.Equal([-1f, -2f], TestModel.Read(_work["out.safetensors"])["fc.bias"].Values);
    }

    [Fact]
    public void Each_document_that_trains_asks_once_and_its_result_is_a_model_of_the_next()
    {
        using RecipeRun run = _work.Read($"name: first\n{Cki}\n---\n{Cki.Replace("a.safetensors", "first")}");
        List<(string? Name, float First)> asked = [];
        run.Run(_work["out.safetensors"], new()
        {
            Learn = plan =>
            {
                asked.Add((plan.Recipe.Name, TestModel.Values(plan.Tensors.Single(t => t.Output.Name == "other").Inputs[0].Tensor)[0]));
                return plan.Tensors.Where(t => t.Method is Learned).ToDictionary(t => t.Output.Name, t => new Tensor(t.Output.Shape, [.. Enumerable.Repeat(asked.Count + 40f, (int)t.Output.Shape.Count)]));
            },
        });
        Assert.Equal([("first", 0f), (null, 41f)], asked);
        Assert.Equal([42f, 42f], TestModel.Read(_work["out.safetensors"])["other"].Values);
    }

    [Fact]
    public void Where_nothing_trains_the_recipe_is_refused_and_nothing_is_left()
    {
        using RecipeRun run = _work.Read(Cki);
        string message = Assert.Throws<MergeException>(() => run.Run(_work["out.safetensors"], new())).Message;
        Assert.Contains(":4:1: train: this program merges and does not train", message);
        Assert.False(File.Exists(_work["out.safetensors"]));
        Assert.Contains("is to be learned", Assert.Throws<MergeException>(() => run.Run(_work["out.safetensors"], new() { Learn = _ => new Dictionary<string, Tensor>() })).Message);
        Assert.Contains("was learned as [3]", Assert.Throws<MergeException>(() => run.Run(_work["out.safetensors"], new() { Learn = _ => new Dictionary<string, Tensor> { ["fc.weight"] = new(new(3)) } })).Message);
        Assert.False(File.Exists(_work["out.safetensors"]));
    }

    [Theory]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: learned}", ":3:21: cki: local: learned needs a section 'train'")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\ntrain: {lr: 1}", ":3:1: train: cki learns where local is learned")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: fixed}\ntrain:\n  lr: 1", ":4:1: train: cki learns where local is learned")]
    [InlineData("merge_method: karcher\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\ntrain: {lr: 1}", ":3:1: train: karcher has nothing to learn; linear, task_arithmetic, cki with local: learned have")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1, per: layer}", ":3:25: linear: per says how something is learned")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {start: zero}", ":3:14: cki: start says how something is learned")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: [{filter: fc, value: learned}, {value: none}]}\ntrain: {lr: 1}", "local: learned holds for all tensors")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: learned, a: [{filter: fc, value: 0.2}, {value: 0.4}]}\ntrain: {lr: 1}", "begins with one set of parameters")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: learned, entropy: row}\ntrain: {lr: 1}", "leave entropy out")]
    [InlineData("merge_method: cki\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: learned, include: [none]}\ntrain: {lr: 1}", "leave nothing to be learned")]
    [InlineData("merge_method: cki\nbase_model: base.safetensors\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {local: learned}\ntrain: {lr: 1}", ":5:1: train: what is not merged is that of the network that trains")]
    [InlineData("merge_method: linear\nslices: [{sources: [{model: a.safetensors, layer_range: [0, 1]}]}]\nparameters: {weight: 1}\ntrain: {lr: 1}", "train: whole networks learn")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}\ntrain: yes", ":4:8: expected train, a mapping")]
    [InlineData("merge_method: linear\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}\ntrian: {lr: 1}", "did you mean 'train'?")]
    public void What_does_not_go_together_is_said_with_its_line(string recipe, string message) =>
        Assert.Contains(message, Assert.Throws<MergeException>(() => _work.Read(recipe).Dispose()).Message);

    [Theory]
    [InlineData("linear", "{weight: 3}", "", new[] { 0.5, 0.5 })]
    [InlineData("linear", "{weight: 3, normalize: false, per: model}", "", new[] { 3.0, 3.0 })]
    [InlineData("task_arithmetic", "{weight: 2, lambda: 0.5}", "base_model: base.safetensors", new[] { 1.0, 1.0 })]
    [InlineData("task_arithmetic", "{weight: 2, lambda: 0.3, normalize: true}", "base_model: base.safetensors", new[] { 0.15, 0.15 })]
    public void Weights_are_where_the_coefficients_begin(string method, string parameters, string origin, double[] begin)
    {
        Recipe recipe = Assert.Single(RecipeFile.Parse($"merge_method: {method}\nmodels: [{{model: a.safetensors}}, {{model: b.safetensors}}]\nparameters: {parameters}\ntrain: {{lr: 1}}\n{origin}", "r.yml"));
        MergeMethod closed = TrainingRules.MethodOf(recipe).Closed;
        double[] factors = [.. closed switch { Linear linear => linear.Factors, TaskArithmetic tasks => tasks.Factors, _ => [] }];
        Assert.Equal(begin.Length, factors.Length);
        for (int k = 0; k < begin.Length; k++) Assert.Equal(begin[k], factors[k], 1e-12);
    }

    [Fact]
    public void A_base_that_stands_among_the_models_is_no_task()
    {
        Recipe recipe = RecipeFile.Parse("merge_method: task_arithmetic\nbase_model: base.safetensors\nmodels: [{model: base.safetensors}, {model: a.safetensors}, {model: b.safetensors}]\nparameters: {weight: 1}", "r.yml")[0];
        Assert.Equal(["a.safetensors", "b.safetensors"], TrainingRules.SourcesOf(recipe).Select(s => s.Model.Text));
    }
}
