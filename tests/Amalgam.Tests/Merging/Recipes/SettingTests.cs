using System.Text.Json;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Merging.Recipes;

public class SettingTests
{
    [Fact]
    public void Gives_the_values_of_the_conformance_cases()
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(RealData.At("merge-conformance", "cases.json")));
        foreach (JsonElement c in cases.RootElement.GetProperty("parameter_cases").EnumerateArray())
        {
            var setting = Setting.Parse(c.GetProperty("setting").GetRawText(), c.GetProperty("id").GetString()!);

            double? value = setting.Number(c.GetProperty("tensor_name").GetString()!, c.GetProperty("t").GetDouble());

            Assert.NotNull(value);
            Assert.Equal(c.GetProperty("expected").GetDouble(), value.Value, 1e-12);
        }
    }

    [Theory]
    [InlineData("0.5", 0.5)]
    [InlineData("'0.5'", 0.5)]
    [InlineData("\"1e-3\"", 0.001)]
    [InlineData("1e-3", 0.001)]
    [InlineData("-2", -2)]
    [InlineData("+.5", 0.5)]
    [InlineData("true", 1)]
    [InlineData("No", 0)]
    [InlineData("[true, false]", 0.75)]
    [InlineData("{value: 3}", 3)]
    [InlineData("{value: 3, filter: w}", 3)]
    [InlineData("[{filter: x, value: 1}, {filter: 'glob:?', value: [0, 4]}]", 1)]
    [InlineData("[{filter: 'regex:^w$', value: 7}]", 7)]
    [InlineData("[{filter: , value: 7}]", 7)]
    public void Reads_every_way_to_write_a_number(string text, double expected) => Assert.Equal(expected, Setting.Parse(text, "s").Number("w", 0.25));

    [Fact]
    public void A_gradient_passes_through_its_knots_and_lines_between()
    {
        var gradient = Setting.Parse("[0, 1, 10]", "s");

        Assert.Equal([0, 0.5, 1, 5.5, 10], new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(t => gradient.Number("w", t)!.Value));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradient.Number("w", 1.01));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradient.Number("w", double.NaN));
    }

    [Fact]
    public void Is_unset_where_no_filter_matches()
    {
        Assert.Null(Setting.Parse("[{filter: mlp, value: 1}]", "s").Number("attn", 0));
        Assert.Null(Setting.Parse("{filter: mlp, value: soft}", "s").Word("attn"));
    }

    [Fact]
    public void Reads_words_and_patterns()
    {
        Assert.Equal("soft", Setting.Parse("soft", "s").Word("w"));
        Assert.Equal("b", Setting.Parse("[{filter: x, value: a}, {value: b}]", "s").Word("w"));
        Assert.Equal(["*.weight", "7"], Setting.Parse("['*.weight', 7]", "s").Patterns);
        Assert.Equal(["fc*"], Setting.Parse("fc*", "s").Patterns);
        Assert.Throws<MergeException>(() => Setting.Parse("[a, b]", "s").Word("w"));
        Assert.Throws<MergeException>(() => Setting.Parse("soft", "s").Number("w", 0));
    }

    [Fact]
    public void Prints_as_people_write_it()
    {
        Assert.Equal("[0, 0.5]", Setting.Parse("[0, 0.5]", "s").ToString());
        Assert.Equal("mlp: [0, 1]; 0.5", Setting.Parse("[{filter: mlp, value: [0, 1]}, {value: 0.5}]", "s").ToString());
    }

    [Theory]
    [InlineData("", "there is nothing here")]
    [InlineData("~", "s:1:1: expected a number, a word, a list")]
    [InlineData("[]", "found an empty list")]
    [InlineData("[1, [2]]", "s:1:5: expected a number or a word, found a list")]
    [InlineData("[1, {value: 2}]", "s:1:5: expected a number or a word, found a mapping")]
    [InlineData("[{value: 2}, 1]", "s:1:14: expected a conditional")]
    [InlineData("[{filter: a}]", "s:1:2: a conditional value has no 'value'")]
    [InlineData("[{value: {value: 1}}]", "s:1:10: expected a number")]
    [InlineData("[{value: 1, filer: a}]", "s:1:13: a conditional value has no key 'filer' (did you mean 'filter'?)")]
    [InlineData("[{value: 1, filter: [a]}]", "s:1:21: expected a part of tensor names, found a list")]
    [InlineData("[{value: 1, filter: 'regex:('}]", "s:1:21: '(' is not a regular expression")]
    [InlineData("[{value: 1, filter: ''}]", "s:1:21: name pattern '' is empty")]
    public void Refuses_what_is_no_setting(string text, string phrase) =>
        Assert.Contains(phrase, Assert.Throws<MergeException>(() => Setting.Parse(text, "s")).Message);
}
