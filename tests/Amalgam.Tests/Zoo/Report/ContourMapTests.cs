using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Amalgam.Zoo.Report;

namespace Amalgam.Tests.Zoo.Report;

public partial class ContourMapTests
{
    private static readonly ImmutableArray<double> Places = [.. Enumerable.Range(0, 11).Select(i => i - 5.0)];

    [Fact]
    public void Lines_lie_where_the_height_passes_their_level()
    {
        // A cone: its lines are circles.
        ContourMap map = new("", Places, Places, [.. Places.SelectMany(y => Places.Select(x => Math.Sqrt(x * x + y * y)))]) { Bands = 2, High = 6 };
        XElement path = HtmlReportTests.Parse(new HtmlReport("t", map).Render()).Descendants().Single(e => (string?)e.Attribute("stroke-width") == "0.7");
        double[] numbers = [.. Number().Matches((string)path.Attribute("d")!).Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture))];
        Assert.True(numbers.Length > 40);
        double left = 46, top = 8, size = 460;
        for (int i = 0; i < numbers.Length; i += 2)
        {
            double x = (numbers[i] - left) / size * 10 - 5, y = 5 - (numbers[i + 1] - top) / size * 10;
            Assert.Equal(3, Math.Sqrt(x * x + y * y), 0.08);
        }
    }

    [Fact]
    public void Heights_between_points_are_interpolated()
    {
        ContourMap map = new("", [0, 1, 2], [0, 10], [0, 1, 2, 10, 11, 12]);
        Assert.Equal(6.5, map.At(1.5, 5), 1e-12);
        Assert.Equal(12, map.At(2, 10), 1e-12);
    }

    [Fact]
    public void Marks_within_the_map_are_named_and_others_left_out()
    {
        ContourMap map = new("heights", Places, Places, [.. Places.SelectMany(y => Places.Select(x => x + y))]) { Marks = [new(1, 1, "merged", true), new(9, 0, "outside")] };
        XElement page = HtmlReportTests.Parse(new HtmlReport("t", map).Render());
        Assert.Single(page.Descendants(), e => e.Name.LocalName == "circle");
        Assert.Contains("merged", page.Value);
        Assert.DoesNotContain("outside", page.Value);
    }

    [Fact]
    public void A_level_map_and_one_with_holes_are_drawn()
    {
        HtmlReportTests.Parse(new HtmlReport("t", new ContourMap("", [0, 1], [0, 1], [2, 2, 2, 2]), new ContourMap("", [0, 1], [0, 1], [double.NaN, 2, 3, 2])).Render());
        Assert.Throws<ArgumentOutOfRangeException>(() => new HtmlReport("t", new ContourMap("", [0, 1], [0, 1], [1])).Render());
    }

    [GeneratedRegex(@"-?\d+(\.\d+)?")]
    private static partial Regex Number();
}
