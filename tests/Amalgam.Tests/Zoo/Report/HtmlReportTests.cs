using System.Text.RegularExpressions;
using System.Xml.Linq;
using Amalgam.Zoo.Report;

namespace Amalgam.Tests.Zoo.Report;

public class HtmlReportTests
{
    [Fact]
    public void A_page_with_every_part_is_well_formed_and_needs_nothing_else()
    {
        string page = SampleReport.Make().Render();
        XElement root = Parse(page);
        Assert.Equal("html", root.Name.LocalName);
        foreach (Type part in typeof(ReportPart).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(ReportPart)))) Assert.Contains(SampleReport.Make().Parts.SelectMany(Flat), p => p.GetType() == part);
        Assert.DoesNotContain(root.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe");
        Assert.All(Addresses(root), address => Assert.StartsWith("data:image/png;base64,", address));
        Assert.DoesNotContain("NaN", root.Value);
        Assert.DoesNotContain("=\"NaN", page);
    }

    [Fact]
    public void The_same_parts_give_the_same_bytes() => Assert.Equal(SampleReport.Make().Render(), SampleReport.Make().Render());

    [Fact]
    public void Text_comes_back_as_it_was_given_whatever_it_holds()
    {
        const string Text = "a < b && c > \"d\" 'e' </p><script>alert(1)</script> 猫 😀";
        XElement root = Parse(new HtmlReport(Text, new Paragraph(Text), new CodeText(Text + "\n"), new DataTable(Text, [new(Text)], new TableSection(Text, [Text])), new HeatMap(Text, 1, 1, [1]) { RowLabels = [Text] }).Render());
        Assert.Equal(10, root.Descendants().Count(e => !e.HasElements && e.Value.TrimEnd('\n') == Text));
        Assert.Contains("\uFFFD\uFFFD", new HtmlReport("a\u0001\ud800").Render());
    }

    [Fact]
    public void The_best_value_of_each_section_is_bold_and_ties_are_both()
    {
        XElement root = Parse(new HtmlReport("t", new DataTable(
            "", [new("name"), new("high", "0.0%", Best.Highest), new("low", "0.00", Best.Lowest), new("plain")],
            new TableSection("", ["a", 0.5, 2, 1], ["b", 0.70001, 1, 2], ["c", 0.69999, double.NaN, 3]),
            new TableSection("alone", ["d", 0.1, 9, 4]))).Render());
        Assert.Equal(["70.0%", "1.00", "70.0%"], root.Descendants().Where(e => ((string?)e.Attribute("class"))?.EndsWith(" best") == true).Select(e => e.Value));
        Assert.All(root.Descendants().Where(e => e.Name.LocalName == "td" && Regex.IsMatch(e.Value, @"^[\d.]+%?$")), e => Assert.StartsWith("n", (string)e.Attribute("class")!));
    }

    [Theory]
    [InlineData(0, null, "0")]
    [InlineData(1234, null, "1234")]
    [InlineData(0.123456, null, "0.1235")]
    [InlineData(-12.3456, null, "−12.35")]
    [InlineData(0.00001234, null, "1.234e-5")]
    [InlineData(-0.00001, "0.00", "0.00")]
    [InlineData(0.97715, "0.0%", "97.7%")]
    [InlineData(double.NaN, "0.0", "–")]
    [InlineData(double.NegativeInfinity, null, "−∞")]
    public void Numbers_read_well(double value, string? format, string text) => Assert.Equal(text, Figures.Text(value, format));

    [Theory]
    [InlineData(0, 1, true, "0%|20%|40%|60%|80%|100%")]
    [InlineData(0.71, 0.743, true, "71%|72%|73%|74%|75%")]
    [InlineData(-3, 7, false, "−4|−2|0|2|4|6|8")]
    [InlineData(0.71, 0.735, true, "71.0%|71.5%|72.0%|72.5%|73.0%|73.5%")]
    [InlineData(5, 5, false, "2|3|4|5|6|7|8")]
    [InlineData(0, 3.5e7, false, "0|1e+7|2e+7|3e+7|4e+7")]
    public void Axes_have_round_marks(double low, double high, bool percent, string marks) =>
        Assert.Equal(marks, string.Join('|', new Axis(low, high, 6, percent).Marks.Select(m => m.Text)));

    [Fact]
    public void Epochs_are_whole_numbers() => Assert.Equal("1|2|3", string.Join('|', new Axis(1, 3, 8, widen: false, whole: true).Marks.Select(m => m.Text)));

    [Fact]
    public void Of_a_matrix_with_areas_only_these_are_drawn_and_chosen_cells_are_joined_past_the_others()
    {
        HeatMap map = new("", 3, 2, [1, 2, 3, 4, 5, 6]) { Areas = [(0, 0, 2, 1), (2, 1, 1, 1)], Chosen = [(0, 0), (2, 1)], Joined = true };
        XElement[] parts = [.. Parse(new HtmlReport("t", map).Render()).Descendants()];
        Assert.Equal([", 1: 1", ", 1: 3", ", 2: 6"], parts.Where(e => e.Name.LocalName == "title" && e.Parent!.Name.LocalName == "rect").Select(e => e.Value[1..]));
        Assert.Equal(2, parts.Count(e => (string?)e.Attribute("class") == "frame"));
        XElement line = parts.Single(e => e.Name.LocalName == "line" && (string?)e.Attribute("class") == "chosen");
        Assert.Equal(("38", "38", "38", "76"), ((string)line.Attribute("x1")!, Number(line, "y1", -4), (string)line.Attribute("x2")!, Number(line, "y2", -4)));

        static string Number(XElement e, string name, double plus) => (double.Parse((string)e.Attribute(name)!, System.Globalization.CultureInfo.InvariantCulture) + plus).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Layers_without_a_counterpart_are_hollow_and_all_others_have_a_line()
    {
        LayerLadder ladder = new("", "deep", "shallow", [new("blocks", [new("a", 4), new("b", 16), new("c", 4)], [new("x", 4), new("y", 8)], [(0, 0, "0.9"), (2, 1, "")])]);
        XElement[] parts = [.. Parse(new HtmlReport("t", ladder).Render()).Descendants()];
        XElement[] bars = [.. parts.Where(e => ((string?)e.Attribute("class"))?.StartsWith("layer") == true)];
        Assert.Equal(["layer", "layer alone", "layer", "layer", "layer"], bars.Select(e => (string)e.Attribute("class")!));
        Assert.Equal(["a and x: 0.9", "c and y"], parts.Where(e => (string?)e.Attribute("class") == "link").Select(e => e.Value));
        Assert.True(double.Parse((string)bars[1].Attribute("width")!, System.Globalization.CultureInfo.InvariantCulture) > double.Parse((string)bars[0].Attribute("width")!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(["deep", "shallow", "blocks", "a 4", "b 16", "c 4", "x 4", "y 8"], parts.Where(e => e.Name.LocalName == "text").Select(e => e.Value));
    }

    [Fact]
    public void A_small_matrix_has_a_cell_for_each_value_and_a_large_one_is_an_image()
    {
        const int Scale = 32;
        XElement small = Parse(new HtmlReport("t", new HeatMap("", 2, 3, [0, 1, 2, 3, 4, double.NaN]) { Chosen = [(1, 2)], Format = "0.0" }).Render());
        XElement[] cells = [.. small.Descendants().Where(e => e.Name.LocalName == "rect")];
        Assert.Equal(6 + 2 + Scale, cells.Length);
        Assert.Equal(["#440154", "#fde725", "#909090"], new[] { 0, 4, 5 }.Select(i => (string)cells[i].Attribute("fill")!));
        Assert.Equal(["0.0", "1.0", "2.0", "3.0", "4.0", "–"], small.Descendants().Where(e => e.Name.LocalName == "text").Take(6).Select(e => e.Value));
        XElement chosen = cells.Single(e => (string?)e.Attribute("class") == "chosen");
        Assert.Equal(((string)cells[5].Attribute("x")!, (string)cells[5].Attribute("y")!), ((string)chosen.Attribute("x")!, (string)chosen.Attribute("y")!));

        XElement large = Parse(new HtmlReport("t", new HeatMap("", 80, 70, [.. Enumerable.Range(0, 80 * 70).Select(i => (double)i)])).Render());
        Assert.Single(large.Descendants(), e => e.Name.LocalName == "image");
        Assert.Equal(Scale, large.Descendants().Count(e => e.Name.LocalName == "rect"));
    }

    [Fact]
    public void Values_on_both_sides_of_zero_have_zero_in_the_middle()
    {
        XElement page = Parse(new HtmlReport("t", new HeatMap("", 1, 3, [-4, 0, 1])).Render());
        string[] fills = [.. page.Descendants().Where(e => e.Name.LocalName == "rect").Take(3).Select(e => (string)e.Attribute("fill")!)];
        Assert.Equal(["#08519c", "#f4f4f2"], fills[..2]);
        Assert.Contains("−4", page.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value));
    }

    [Fact]
    public void Bars_are_as_long_as_their_values()
    {
        XElement root = Parse(new HtmlReport("t", new BarChart("", ["a", "b", "c"], new Series("s", 1, 2, -1))).Render());
        double[] widths = [.. root.Descendants().Where(e => e.Name.LocalName == "rect").Select(e => (double)e.Attribute("width")!)];
        Assert.Equal(3, widths.Length);
        Assert.Equal(2 * widths[0], widths[1], 0.02);
        Assert.Equal(widths[0], widths[2], 0.02);
    }

    [Fact]
    public void A_histogram_counts_every_value_once_in_the_bin_where_it_lies()
    {
        HistogramChart chart = HistogramChart.Of("", "x", 4, ("a", new float[] { 0, 0.9f, 1, 2, 4, float.NaN }), ("b", new float[] { 3.99f }), ("none", Array.Empty<float>()));
        Assert.Equal((0, 4), (chart.Low, chart.High));
        Assert.Equal([[0.4, 0.2, 0.2, 0.2], [0, 0, 0, 1], [0, 0, 0, 0]], chart.Series.Select(s => s.Values.ToArray()));
        HistogramChart equal = HistogramChart.Of("", "x", 3, ("a", new float[] { 0.5f, 0.5f }));
        Assert.True(equal.Low < 0.5 && equal.High > 0.5 && equal.Series[0].Values.Sum() == 1);
        string path = (string)Parse(new HtmlReport("t", chart).Render()).Descendants().First(e => (string?)e.Attribute("class") == "area").Attribute("d")!;
        Assert.Equal(5, Regex.Count(path, "V"));
    }

    [Fact]
    public void Shares_of_a_bar_fill_it()
    {
        XElement root = Parse(new HtmlReport("t", new ShareBars("", ["a", "b"], new Series("s", 0.25, 1), new Series("t", 0.75, 0))).Render());
        double[] widths = [.. root.Descendants().Where(e => e.Name.LocalName == "rect" && e.HasElements).Select(e => (double)e.Attribute("width")! + 1)];
        Assert.Equal(3, widths.Length);
        Assert.Equal(widths[2], widths[0] + widths[1], 0.05);
        Assert.Equal(3 * widths[0], widths[1], 0.05);
    }

    [Fact]
    public void A_series_of_another_length_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new HtmlReport("t", new ShareBars("", ["a"], new Series("s", 1, 2))).Render());
        Assert.Throws<ArgumentOutOfRangeException>(() => new HtmlReport("t", new HistogramChart("", "x", 0, 1, new Series("s", 1, 2), new Series("t", 1))).Render());
        Assert.Throws<ArgumentOutOfRangeException>(() => new HtmlReport("t", new BarChart("", ["a"], new Series("s", 1, 2))).Render());
        Assert.Throws<ArgumentOutOfRangeException>(() => new HtmlReport("t", new HeatMap("", 2, 2, [1])).Render());
        Assert.Throws<ArgumentOutOfRangeException>(() => new HtmlReport("t", new DataTable("", [new("a")], new TableSection("", ["x", 1]))).Render());
    }

    [Fact]
    public void Pictures_of_nothing_are_no_mistake() =>
        Parse(new HtmlReport("t", new BarChart("", [], new Series("s")), new ShareBars("", [], new Series("s")), new HistogramChart("", "x", 0, 0, new Series("s")), HistogramChart.Of("", "x", 3), new LineChart("", "x", "y"), new LineChart("", "x", "y", new Series("s", double.NaN)), new LineChart("", "x", "y", new Series("s", 3)), new HeatMap("", 1, 1, [double.NaN])).Render());

    [Fact]
    public void A_saved_page_takes_the_place_of_another_and_leaves_nothing_beside()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["r.html"], "old");
        new HtmlReport("new").Save(folder["r.html"]);
        Assert.Equal(new HtmlReport("new").Render(), File.ReadAllText(folder["r.html"]));
        Assert.Equal(["r.html"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    /// <summary>Reads a page as XML.</summary>
    internal static XElement Parse(string page)
    {
        Assert.StartsWith("<!DOCTYPE html>\n", page);
        return XElement.Parse(page[page.IndexOf('\n')..].TrimStart());
    }

    private static IEnumerable<string> Addresses(XElement root) => root.Descendants().SelectMany(e => e.Attributes()).Where(a => a.Name.LocalName is "src" or "href").Select(a => a.Value);

    private static IEnumerable<ReportPart> Flat(ReportPart part) => part is SideBySide side ? side.Parts.SelectMany(Flat).Prepend(side) : [part];
}
