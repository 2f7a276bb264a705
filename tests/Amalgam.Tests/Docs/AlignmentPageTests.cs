using System.Text;
using System.Text.RegularExpressions;
using Amalgam.Alignment;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Docs;

public class AlignmentPageTests
{
    private static readonly Document Page = new("docs/alignment.md");

    [Fact]
    public void The_table_of_methods_is_the_registry()
    {
        StringBuilder text = new("| method | data | what it does | source |\n|---|---|---|---|\n");
        foreach (AlignmentMethod m in AlignmentMethod.All) text.Append($"| `{m.Name}` | {(m.NeedsLabels ? "with labels" : m.NeedsData ? "needed" : "")} | {m.Summary} | {m.Source} |\n");
        string section = Page.Section("## Methods");
        Page.Agrees(section, Document.TableOf(section), text.ToString());
    }

    [Fact]
    public void The_table_of_keys_has_what_a_section_may_say() =>
        Assert.Equal(AlignmentDescription.Keys.Order(), Regex.Matches(Page.Section("## In a recipe"), "^\\| `([a-z_]+)` \\|", RegexOptions.Multiline).Select(m => m.Groups[1].Value).Order());
}
