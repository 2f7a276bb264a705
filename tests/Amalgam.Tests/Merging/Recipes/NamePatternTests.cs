using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

public class NamePatternTests
{
    [Theory]
    [InlineData("layers.1", "model.layers.1.mlp", true)]
    [InlineData("layers.1", "model.layers.12.mlp", true)]
    [InlineData("layers.1.", "model.layers.12.mlp", false)]
    [InlineData("mlp.*", "a.mlp.b", false)]
    [InlineData("*", "anything", true)]
    [InlineData("MLP", "a.mlp", false)]
    public void A_plain_filter_is_a_substring(string text, string name, bool matches) =>
        Assert.Equal(matches, NamePattern.Parse(text, plainIsGlob: false).Matches(name));

    [Theory]
    [InlineData("layer1.*", "layer1.0.conv1.weight", true)]
    [InlineData("layer1.*", "layer1", false)]
    [InlineData("*.weight", "fc.weight", true)]
    [InlineData("*.weight", "fc.weights", false)]
    [InlineData("fc?.bias", "fc1.bias", true)]
    [InlineData("fc?.bias", "fc.bias", false)]
    [InlineData("*a*b*c", "xxaxxbxxbxxc", true)]
    [InlineData("*a*b*c", "xxaxxbxxbxxcd", false)]
    [InlineData("fc", "fc", true)]
    [InlineData("fc", "fc.weight", false)]
    [InlineData("**", "", true)]
    [InlineData("[a]", "a", false)]
    public void A_glob_matches_the_whole_name(string text, string name, bool matches)
    {
        Assert.Equal(matches, NamePattern.Parse(text, plainIsGlob: true).Matches(name));
        Assert.Equal(matches, NamePattern.Parse("glob:" + text, plainIsGlob: false).Matches(name));
    }

    [Theory]
    [InlineData("regex:layers\\.[0-3]\\.", "model.layers.2.mlp", true)]
    [InlineData("regex:layers\\.[0-3]\\.", "model.layers.12.mlp", false)]
    [InlineData("regex:^fc$", "fc", true)]
    public void A_regular_expression_is_searched_for(string text, string name, bool matches)
    {
        Assert.Equal(matches, NamePattern.Parse(text, plainIsGlob: true).Matches(name));
        Assert.Equal(matches, NamePattern.Parse(text, plainIsGlob: false).Matches(name));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("glob:", "is empty")]
    [InlineData("regex:", "is empty")]
    [InlineData("regex:(", "not a regular expression")]
    [InlineData("regex:(?=a)b", "not a regular expression")]
    [InlineData("regex:(a)\\1", "not a regular expression")]
    [InlineData("regex:((a{100}){100}){100}", "not a regular expression")]
    public void Refuses_a_pattern_that_cannot_run(string text, string phrase) =>
        Assert.Contains(phrase, Assert.Throws<MergeException>(() => NamePattern.Parse(text, plainIsGlob: false)).Message);

    [Fact]
    public void Refuses_a_pattern_longer_than_any_name() =>
        Assert.Contains("at most 1000", Assert.Throws<MergeException>(() => NamePattern.Parse(new('a', 1001), plainIsGlob: true)).Message);

    [Theory]
    [InlineData("regex:(a+)+$")]
    [InlineData("*a*a*a*a*a*a*a*a*b")]
    public void A_hostile_pattern_takes_linear_time(string text)
    {
        string name = new string('a', 10_000) + "!";

        Assert.False(NamePattern.Parse(text, plainIsGlob: true, Timeout.InfiniteTimeSpan).Matches(name));
    }
}
