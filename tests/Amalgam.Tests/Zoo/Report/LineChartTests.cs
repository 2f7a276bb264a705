using System.Globalization;
using System.Xml.Linq;
using Amalgam.Zoo.Report;

namespace Amalgam.Tests.Zoo.Report;

public class LineChartTests
{
    /// <summary>Width of a character of a label, at least.</summary>
    private const double CharacterWidth = 6.4;

    [Theory]
    [InlineData("0.00%", 0.250006, 0.250009)]
    [InlineData("0.00%", 0.249994, 0.2500061)]
    [InlineData(null, 40.91738, 40.91745)]
    [InlineData(null, -12345.678, -12345.671)]
    [InlineData(null, 0, 1)]
    [InlineData("0.0%", 0, 1)]
    [InlineData(null, -3e-9, 4e-9)]
    [InlineData(null, 0.25, 0.25)]
    [InlineData(null, 40.917384, 40.91738400001)]
    [InlineData(null, 1_000_000, 250_000_000)]
    [InlineData(null, 0.002, 0.03, 1000, 123_000)]
    public void Labels_are_whole_and_differ(string? format, double low, double high, double firstX = 1, double lastX = 5)
    {
        LineChart chart = new("curve", "epoch", "norm", new Series("a", low, (low + high) / 2, high) { X = [firstX, Math.Floor((firstX + lastX) / 2), lastX] }) { Format = format };
        XElement drawing = XDocument.Parse(new HtmlReport("page", chart).Render().Replace("<!DOCTYPE html>\n", "")).Descendants().First(e => e.Name.LocalName == "svg");
        double width = Number(drawing.Attribute("viewBox")!.Value.Split(' ')[2]);
        foreach (XElement text in drawing.Elements().Where(e => e.Name.LocalName == "text"))
        {
            double at = Number(text.Attribute("x")!.Value), size = CharacterWidth * text.Value.Length;
            double begin = text.Attribute("text-anchor")?.Value switch { "end" => at - size, "middle" => at - size / 2, _ => at };
            Assert.True(begin >= 0 && begin + size <= width, $"'{text.Value}' stands from {begin} to {begin + size} in a drawing of {width}");
        }

        XElement[] marks = [.. drawing.Elements().Where(e => e.Attribute("class")?.Value == "mark" && e.Attribute("text-anchor")?.Value == "end")];
        Assert.InRange(marks.Length, 2, 12);
        Assert.Equal(marks.Length, marks.Select(mark => mark.Value).Distinct().Count());
        Assert.All(marks, mark => Assert.InRange(mark.Value.Length, 1, 12));

        // The curve begins right of the labels, and no point of it lies outside of the drawing.
        double axis = marks.Max(mark => Number(mark.Attribute("x")!.Value));
        Assert.All(drawing.Descendants().Where(e => e.Name.LocalName == "circle"), circle => Assert.InRange(Number(circle.Attribute("cx")!.Value), axis, width));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
