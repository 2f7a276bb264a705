using System.Text.RegularExpressions;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Zoo.Runs;
using Net = Amalgam.Zoo.Models.Layers;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>The page about which layer belongs to which.</summary>
public class LayersPageTests
{
    [Fact]
    public void Long_names_are_shortened_and_the_pictures_stand_below_each_other()
    {
        string page = Page("encoder.embeddings.of_patches_of_images", "encoder.embeddings", 0.5);
        Assert.DoesNotContain("class=\"side\"", page);
        Assert.Contains(">\u2026of_patches_of_images.layer0<", page);
        Assert.Contains(">encoder.embeddings.of_patches_of_images.layer0</td>", page);
        Assert.Contains("class=\"side\"", Page("net", "net", 0.5));
    }

    [Fact]
    public void Names_that_would_look_like_one_stay_whole()
    {
        NetworkLayers layers = Network("x", ["first.with_a_rather_long_name.projection", "second.with_a_rather_long_name.projection", "third.short"]);
        Assert.Equal(["first.with_a_rather_long_name.projection", "second.with_a_rather_long_name.projection", "third.short"], new ShortNames(layers.Layers).All);
        Assert.Equal(["a", "b"], new ShortNames(Network("x", ["model.layer.a", "model.layer.b"]).Layers).All);
        Assert.Equal(["a.b"], new ShortNames(Network("x", ["a.b"]).Layers).All);
    }

    /// <summary>What a reader sees at the ends of the colours are different numbers, and layers that are alike have nearly one colour.</summary>
    [Theory]
    [InlineData(0.004, 0.1)]
    [InlineData(0.0, 0.1)]
    [InlineData(0.5, 0.5)]
    public void Colours_run_over_a_range_that_numbers_tell(double difference, double range)
    {
        string page = Page("net", "net", difference);
        string heat = page[page.IndexOf("class=\"heat\"", StringComparison.Ordinal)..];
        double[] marks = [.. Regex.Matches(heat, "class=\"mark\"[^>]*>([0-9.]+)</text>").Select(mark => double.Parse(mark.Groups[1].Value))];
        Assert.Equal(range, marks.Max() - marks.Min(), 0.006);
        Assert.InRange(marks.Max(), 0, 1);
        Assert.Equal(3, marks.Distinct().Count());
    }

    [Fact]
    public void A_layer_without_a_counterpart_is_a_dash() => Assert.Matches("<td class=\"t\">\u2013</td><td class=\"n\">\u2013</td>", Page("net", "net", 0.5));

    /// <summary>Three layers and two, whose alignment differs by no more than that.</summary>
    private static string Page(string first, string second, double difference)
    {
        NetworkLayers a = Network("a", [.. Enumerable.Range(0, 3).Select(i => $"{first}.layer{i}"), "other"]), b = Network("b", [.. Enumerable.Range(0, 2).Select(i => $"{second}.layer{i}"), "other"]);
        double[] costs = [.. Enumerable.Range(0, 12).Select(i => 0.07 + (difference * (i % 5) / 4))];
        LayerMapping mapping = new(a, b, [new(a.Groups[0], b.Groups[0], costs, [0, 1, 3])]);
        return LayersPage.Of(mapping, "a", "b", LayerMeasure.Cka, null).Render();
    }

    private static NetworkLayers Network(string name, string[] layers)
    {
        Graph graph = new();
        Net net = new(graph, 0);
        Node x = graph.Input("x", new(1, 4));
        foreach (string layer in layers) x = net.Linear(x, layer, 4).Relu();
        graph.Output("y", net.Linear(x, "out", 2));
        return NetworkLayers.Of(graph, name);
    }
}
