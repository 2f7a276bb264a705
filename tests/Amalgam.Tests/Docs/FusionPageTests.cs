using System.Text.RegularExpressions;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Docs;

public class FusionPageTests
{
    private static readonly Document Page = new("docs/fusion.md");

    [Fact]
    public void The_table_of_keys_has_what_a_section_may_say() =>
        Assert.Equal(FusionDescription.Keys.Order(), Rows("## In a recipe").SelectMany(row => Regex.Matches(row, "`([a-z_]+)`").Select(m => m.Groups[1].Value)).Order());

    [Fact]
    public void The_tables_of_layers_and_of_balancing_are_what_there_is()
    {
        string[] rows = [.. Rows("## What it does").Select(row => row.Trim('|', ' ', '`')).Where(row => row[0] != '-')];
        Assert.Equal([.. FusionWords.Measures.Words.Order(), .. BalanceMethod.All.Select(m => m.Name.Replace('_', '-')).Order()], [.. rows[..3].Order(), .. rows[3..].Order()]);
    }

    /// <summary>First cells of the rows of all tables of a section that begin with code.</summary>
    private static string[] Rows(string heading) => [.. Regex.Matches(Page.Section(heading), "^(\\|(?: `[a-z_-]+`,?)+ \\|)", RegexOptions.Multiline).Select(m => m.Groups[1].Value)];
}
