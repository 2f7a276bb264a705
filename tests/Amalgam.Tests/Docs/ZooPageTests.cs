using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Docs;

public class ZooPageTests
{
    private static readonly Document Page = new("docs/zoo.md");

    [Fact]
    public void Every_architecture_has_a_section_in_the_order_of_the_registry() =>
        Assert.Equal(ZooModel.All.Select(m => m.Name), Regex.Matches(Page.Text, "^### ([a-z0-9_]+)$", RegexOptions.Multiline).Select(m => m.Groups[1].Value));

    [Fact]
    public void The_overview_says_what_the_registry_builds()
    {
        string section = Page.Section("## Architectures");
        StringBuilder text = new("| name | | parameters | inputs | result |\n|---|---|---|---|---|\n");
        foreach (ZooModel model in ZooModel.All)
        {
            Graph graph = model.With().Build(1, null);
            long count = graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count);
            text.Append(CultureInfo.InvariantCulture, $"| [{model.Name}](#{model.Name}) | {model.Summary} | {count:N0} | {Values(graph.Inputs)} | {Values(graph.Outputs)} |\n");
        }

        Page.Agrees(section, Document.TableOf(section), text.ToString());
    }

    [Fact]
    public void Sections_say_what_the_registry_says()
    {
        foreach (ZooModel model in ZooModel.All)
        {
            string section = Page.Section($"### {model.Name}");
            Match found = Regex.Match(section, @"^\*\*Source\*\*.*\n", RegexOptions.Multiline);
            Assert.True(found.Success, $"{model.Name} has no line that begins with **Source**");
            Page.Agrees(section, found.Value, $"**Source**: {model.Source}. **Start**: {model.Start}.\n");
        }
    }

    [Fact]
    public void Tables_of_options_are_those_of_the_registry()
    {
        foreach (ZooModel model in ZooModel.All)
        {
            string section = Page.Section($"### {model.Name}");
            StringBuilder text = new("| option | values | default | |\n|---|---|---|---|\n");
            foreach (ModelOption o in model.Options) text.Append($"| `{o.Name}` | {o.Range} | {(o.Default == "" ? "none" : o.Default)} | {o.Summary} |\n");
            Page.Agrees(section, Document.TableOf(section), text.ToString());
        }
    }

    [Fact]
    public void The_description_on_the_page_is_one() => Assert.NotEmpty(Sequential.Parse(Page.Blocks("yml").Single(), Page.Path).Build(1).Outputs);

    private static string Values(IReadOnlyDictionary<string, Node> values) => string.Join(", ", values.Select(v => $"`{v.Key}` [{string.Join(',', v.Value.Shape.Sizes.ToArray().Select((s, i) => i == 0 ? "N" : $"{s}"))}]"));
}
