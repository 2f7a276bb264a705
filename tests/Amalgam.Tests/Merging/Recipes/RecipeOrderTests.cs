using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

public class RecipeOrderTests
{
    [Fact]
    public void Runs_a_document_after_those_it_takes()
    {
        var order = Sort(Document(null, "second", "base"), Document("second", "first", "first"), Document("first", "p", "q"));

        Assert.Equal(["first", "second", null], order.Steps.Select(r => r.Name));
        Assert.Same(order.Steps[2], order.Result);
    }

    [Fact]
    public void Keeps_the_written_order_where_it_can() =>
        Assert.Equal(["b", "a", "c"], Sort(Document("b", "p"), Document("a", "p"), Document("c", "a", "b")).Steps.Select(r => r.Name));

    [Fact]
    public void A_single_document_is_the_result() => Assert.Equal("one", Sort(Document("one", "p")).Result.Name);

    [Theory]
    [InlineData("slices: [{sources: [{model: a, layer_range: [0, 1]}]}]")]
    [InlineData("slices: [{base_model: a, sources: [{model: p, layer_range: [0, 1]}]}]")]
    [InlineData("modules: {m: {models: [{model: a}]}}")]
    [InlineData("modules: {m: {slices: [{sources: [{model: a+lora, layer_range: [0, 1]}]}]}}")]
    [InlineData("{base_model: a, models: [{model: p}]}")]
    public void Finds_names_wherever_a_model_stands(string body)
    {
        string text = body.StartsWith('{') ? $"{body[1..^1].Replace(", models", "\nmodels", StringComparison.Ordinal)}\nmerge_method: m" : $"{body}\nmerge_method: m";

        Assert.Null(Sort(text, Document("a", "p")).Result.Name);
    }

    [Fact]
    public void Names_a_circle()
    {
        Assert.Contains("r.yml:1:1: documents need each other in a circle: a -> b -> c -> a", Refusal(Document("a", "b"), Document("b", "c"), Document("c", "a")));
        Assert.Contains("circle: a -> a; a folder of that name is written as ./a", Refusal(Document("a", "a"), Document(null, "p")));
        Assert.Contains("circle: b -> c -> b", Refusal(Document(null, "b"), Document("b", "c"), Document("c", "b")));
    }

    [Fact]
    public void Names_every_candidate_for_the_result()
    {
        Assert.Contains("found 2: 'a', 'b'", Refusal(Document("a", "p"), Document("b", "p")));
        Assert.Contains("found 2: the unnamed one at line 1, the unnamed one at line 5", Refusal(Document(null, "p"), Document(null, "q")));
    }

    [Fact]
    public void Refuses_a_document_that_nobody_uses() =>
        Assert.Contains("no other document uses 'a', and the result is the unnamed one at line 6", Refusal(Document("a", "p"), Document(null, "q")));

    [Fact]
    public void Orders_a_long_chain()
    {
        string[] chain = [.. Enumerable.Range(0, 1000).Select(i => Document($"n{i}", i == 999 ? "p" : $"n{i + 1}"))];

        var order = Sort(chain);

        Assert.Equal("n0", order.Result.Name);
        Assert.Equal("n999", order.Steps[0].Name);
    }

    private static string Document(string? name, params string[] models) =>
        (name is null ? "" : $"name: {name}\n") + "merge_method: linear\nmodels:\n" + string.Join("\n", models.Select(m => $"- model: {m}"));

    private static RecipeOrder Sort(params string[] documents) => RecipeOrder.Sort(RecipeFile.Parse(string.Join("\n---\n", documents), "r.yml"));

    private static string Refusal(params string[] documents) => Assert.Throws<MergeException>(() => Sort(documents)).Message;
}
