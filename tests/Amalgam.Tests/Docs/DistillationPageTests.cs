using System.Text;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Tests.Docs;

public class DistillationPageTests
{
    public static TheoryData<string> Ways => [.. Distillation.All.Select(way => way.Name)];

    [Theory, MemberData(nameof(Ways))]
    public void The_table_of_parameters_is_the_registry(string name)
    {
        Document page = new("docs/distillation.md");
        StringBuilder text = new("| parameter | default | may be | what it is |\n|---|---|---|---|\n");
        foreach (TeachingParameter p in Distillation.Find(name)!.Parameters) text.Append($"| `{p.Name}` | {p.Value} | {p.Expected} | {p.What} |\n");
        string section = page.Section($"## {name}");
        page.Agrees(section, Document.TableOf(section), text.ToString());
    }
}
