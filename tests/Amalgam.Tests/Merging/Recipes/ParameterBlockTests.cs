using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

public class ParameterBlockTests
{
    private static readonly MethodParameter[] Known =
    [
        new("weight", ParameterKind.Number, "Share of a model") { PerModel = true, Required = true },
        new("density", ParameterKind.Number, "Share of entries kept") { PerModel = true, Low = (0, false), High = (1, true) },
        new("normalize", ParameterKind.Flag, "Divide by the sum of weights") { Default = 1 },
        new("bins", ParameterKind.Number, "Bins of the histogram") { Whole = true, Low = (1, true) },
        new("splice", ParameterKind.Word, "How to join") { Words = ["soft", "hard"] },
        new("include", ParameterKind.Patterns, "Tensors to merge"),
    ];

    [Theory]
    [InlineData("{weight: -1.5, density: 1, normalize: false, bins: 10, splice: hard, include: [a*, 'regex:b']}")]
    [InlineData("{weight: [0, 1], density: [{filter: mlp, value: [0.1, 1]}, {value: '0.5'}], normalize: 1, include: fc*}")]
    [InlineData("{splice: [{filter: mlp, value: hard}, {value: soft}], bins: [{filter: a, value: 3}, {value: 4}]}")]
    public void Takes_what_the_method_knows(string text)
    {
        var block = ParameterBlock.Parse(text, "p");

        block.Check("cki", Known, perModelLevel: false);

        Assert.NotEmpty(block.Entries);
    }

    [Fact]
    public void Keeps_the_order_and_finds_by_name()
    {
        var block = ParameterBlock.Parse("weight: 1\ndensity: 0.5", "p");

        Assert.Equal(["weight", "density"], block.Entries.Select(e => e.Name));
        Assert.Equal("p:2:1", block.Entries[1].Position.ToString());
        Assert.Equal(0.5, block["density"]!.Number("w", 0));
        Assert.Null(block["normalize"]);
        Assert.Null(ParameterBlock.Empty["weight"]);
    }

    [Theory]
    [InlineData("densty: 1", "p:1:1: ties has no parameter 'densty' (did you mean 'density'?); it has weight, density,")]
    [InlineData("foo: 1", "p:1:1: ties has no parameter 'foo'; it has")]
    [InlineData("weight: high", "p:1:9: ties: weight must be a number (any number), found 'high'")]
    [InlineData("weight: [1, x]", "p:1:13: ties: weight must be a number")]
    [InlineData("weight: .inf", "p:1:9: ties: weight must be a finite number")]
    [InlineData("weight: 1e999", "p:1:9: ties: weight must be a finite number")]
    [InlineData("density: 0", "p:1:10: ties: density must be in (0, 1], got 0")]
    [InlineData("density: [0.5, 1.5]", "p:1:16: ties: density must be in (0, 1], got 1.5")]
    [InlineData("density: [{filter: a, value: 2}]", "p:1:30: ties: density must be in (0, 1], got 2")]
    [InlineData("normalize: ture", "p:1:12: ties: normalize must be true or false, found 'ture'")]
    [InlineData("bins: 2.5", "p:1:7: ties: bins must be a whole number")]
    [InlineData("bins: [2, 4]", "p:1:8: ties: bins is a whole number, found a gradient")]
    [InlineData("splice: sotf", "p:1:9: ties: splice must be soft | hard, found 'sotf' (did you mean 'soft'?)")]
    [InlineData("splice: 1", "p:1:9: ties: splice must be soft | hard, found '1'")]
    [InlineData("splice: [soft]", "p:1:10: ties: splice is one word")]
    [InlineData("include: ['regex:(']", "p:1:11: '(' is not a regular expression")]
    [InlineData("include: {value: a}", "p:1:10: include is a list of name patterns")]
    [InlineData("include: [{value: a}]", "p:1:10: include is a list of name patterns")]
    public void Refuses_what_the_method_does_not_know(string text, string phrase) =>
        Assert.Contains(phrase, Refusal(text, perModelLevel: false));

    [Theory]
    [InlineData("normalize: true", false)]
    [InlineData("splice: soft", false)]
    [InlineData("include: [a]", false)]
    [InlineData("weight: 1", true)]
    [InlineData("density: 1", true)]
    public void Only_a_parameter_per_model_may_stand_under_a_model(string text, bool allowed)
    {
        ParameterBlock.Parse(text, "p").Check("ties", Known, perModelLevel: false);

        if (allowed) ParameterBlock.Parse(text, "p").Check("ties", Known, perModelLevel: true);
        else Assert.Contains("move it up", Refusal(text, perModelLevel: true));
    }

    [Theory]
    [InlineData("a", "expected parameters, a mapping")]
    [InlineData("[a]", "expected parameters, a mapping")]
    [InlineData("a:", "p:1:3: expected a number, a word")]
    public void Refuses_what_is_no_block(string text, string phrase) =>
        Assert.Contains(phrase, Assert.Throws<MergeException>(() => ParameterBlock.Parse(text, "p")).Message);

    private static string Refusal(string text, bool perModelLevel) =>
        Assert.Throws<MergeException>(() => ParameterBlock.Parse(text, "p").Check("ties", Known, perModelLevel)).Message;
}
