using System.Text;
using System.Text.RegularExpressions;
using Amalgam.Merging;

namespace Amalgam.Tests.Docs;

public class MethodsPageTests
{
    private static readonly Document Page = new("docs/methods.md");

    [Fact]
    public void Every_method_has_a_section_in_the_order_of_the_registry() =>
        Assert.Equal(MergeMethod.All.Select(m => m.Name), Regex.Matches(Page.Text, "^## ([a-z_]+)$", RegexOptions.Multiline).Select(m => m.Groups[1].Value));

    [Fact]
    public void Sections_say_when_and_whence_as_the_registry_does()
    {
        foreach (MethodEntry method in MergeMethod.All)
        {
            string section = Page.Section($"## {method.Name}");
            Match found = Regex.Match(section, @"^\*\*When\*\*.*\n", RegexOptions.Multiline);
            Assert.True(found.Success, $"{method.Name} has no line that begins with **When**");
            Page.Agrees(section, found.Value, $"**When**: {method.Use}. **Source**: {method.Source}. **Models**: {method.Models}. **Base**: {Base(method)}.\n");
        }
    }

    [Fact]
    public void Parameter_tables_are_those_of_the_registry()
    {
        foreach (MethodEntry method in MergeMethod.All.Where(m => !m.Parameters.IsEmpty))
        {
            string section = Page.Section($"## {method.Name}"), found = Document.TableOf(section);
            Assert.True(found != "", $"{method.Name} has no table of parameters");
            Page.Agrees(section, found, Table(method.Parameters));
        }

        string common = Page.Section("# What all methods share");
        Page.Agrees(common, Document.TableOf(common), Table(MethodEntry.Common));
    }

    private static string Table(IEnumerable<MethodParameter> parameters)
    {
        StringBuilder text = new("| parameter | of | values | default | |\n|---|---|---|---|---|\n");
        foreach (MethodParameter p in parameters)
            text.Append($"| `{p.Name}` | {(p.PerModel ? "each model" : "all")} | {p.Range.Replace(" | ", " or ")} | {p.DefaultText} | {p.Summary} |\n");
        return text.ToString();
    }

    private static string Base(MethodEntry method) => method.Base switch
    {
        BaseRole.Origin => "needed",
        BaseRole.OptionalOrigin => "optional",
        BaseRole.First => "needed, the first of the two",
        _ => "not needed",
    };
}
