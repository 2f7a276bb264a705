using System.Text.RegularExpressions;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>What is said to make an adapter smaller does, and makes it as small as is said.</summary>
public class AdapterAdviceTests
{
    private static readonly Dictionary<string, (string Adapter, string End)> Followed = new()
    {
        ["layers: 1"] = ("layers: 1", ""),
        ["unfoldings: rows"] = ("unfoldings: rows", ""),
        ["layers: 1 and unfoldings: rows"] = ("unfoldings: rows, layers: 1", ""),
        ["name: mlp, width: 16"] = ("name: mlp, width: 16", ""),
        ["rank: usual of all matrices"] = ("", ", rank: usual"),
        ["half of the rows of all"] = ("", ", rows: [0, HALF]"),
    };

    private static (long Parameters, string Advice) Of(string adapter, string end, string hidden)
    {
        string half = $"{int.Parse(hidden.Split(", ")[^1]) / 2}";
        string End(string model, string matrix, string rows) => $"{{model: {model}, matrix: {matrix}{end.Replace("HALF", rows)}}}";
        TransferPlan plan = new(TransferDescription.Parse($$"""
            data: {name: glyphs, options: {train: 60, test: 10} }
            lr: 0.01
            epochs: 1
            adapter: { {{adapter}} }
            models: {a: {model: {name: mlp, hidden: [20]} }, b: {model: {name: mlp, hidden: [{{hidden}}]} } }
            transfers: [{from: {{End("a", "fc2.weight", "5")}}, to: {{End("b", "fc2.weight", half)}} }]
            """.Replace("{ , ", "{ "), "run.yml"));
        return (plan.Begin().AdapterParameters(0), AdapterAdvice.For(plan.Transfers[0]));
    }

    [Theory]
    [InlineData("heads: 3", "12, 12")]
    [InlineData("heads: 3", "400, 400")]
    [InlineData("heads: 3", "16, 400")]
    [InlineData("form: published, layers: 3", "40, 40")]
    [InlineData("form: published, layers: 3, source_evolves: true", "30, 30")]
    [InlineData("unfoldings: rows", "24, 24")]
    [InlineData("layers: 1, mixing: average", "24, 24")]
    [InlineData("name: mlp", "24, 24")]
    [InlineData("name: mlp, width: 16", "24, 24")]
    public void A_change_leaves_as_many_parameters_as_is_said(string adapter, string hidden)
    {
        var (now, advice) = Of(adapter, "", hidden);
        foreach (string part in advice.Split("; "))
        {
            if (part == "a longer cycle makes it cost less") continue;
            Match match = Regex.Match(part, "^(it would have )?([0-9,]+) with (.+)$");
            Assert.True(match.Success, advice);
            long said = long.Parse(match.Groups[2].Value.Replace(",", ""));
            Assert.True(said <= 0.75 * now, $"{part} of {now}");
            var (own, end) = Followed[match.Groups[3].Value];
            string kept = own.Contains("mlp") ? "" : string.Join(", ", adapter.Split(", ").Where(key => !own.Split(", ").Any(other => other.Split(':')[0] == key.Split(':')[0])));
            Assert.Equal(said, Of(string.Join(", ", new[] { kept, own }.Where(text => text != "")), end, hidden).Parameters);
        }
    }

    /// <summary>Several sources: their sizes count, and the perceptrons, which take one, are not named.</summary>
    [Fact]
    public void Of_several_sources_all_count()
    {
        TransferPlan Plan(string adapter) => new(TransferDescription.Parse($$"""
            data: {name: glyphs, options: {train: 60, test: 10} }
            lr: 0.01
            epochs: 1
            adapter: { {{adapter}} }
            models: {a: {model: {name: mlp, hidden: [20]} }, b: {model: {name: mlp, hidden: [18, 16]} }, c: {model: {name: mlp, hidden: [12, 14]} } }
            transfers: [{from: [a, b], to: c}]
            """, "run.yml"));
        string advice = AdapterAdvice.For(Plan("form: published").Transfers[0]);
        Assert.DoesNotContain("mlp", advice);
        Assert.StartsWith(FormattableString.Invariant($"it would have {Plan("form: published, layers: 1").Begin().AdapterParameters(0):#,0} with layers: 1; "), advice);
    }

    /// <summary>A rank of 1 on one side leaves 93 % of an adapter between small matrices, so it is not named there; where rows are many it is.</summary>
    [Fact]
    public void What_hardly_helps_is_not_named()
    {
        Assert.Matches("^it would have [0-9,]+ with layers: 1; ", Of("heads: 8", "", "8, 8").Advice);
        Assert.DoesNotContain("half of the rows", Of("heads: 8", "", "8, 8").Advice);
        Assert.Equal("a longer cycle makes it cost less", Of("name: mlp, width: 4", ", rank: 1", "8, 8").Advice);
        Assert.Contains("rank: usual of all matrices", Of("heads: 1", "", "16, 400").Advice);
    }
}
