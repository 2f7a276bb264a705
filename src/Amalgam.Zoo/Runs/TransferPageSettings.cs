using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The part of the page about a transfer run that says what was run: how large the networks are, how they were trained, and the description with every key.</summary>
internal static class TransferPageSettings
{
    /// <summary>The part.</summary>
    public static IEnumerable<ReportPart> Of(TransferPlan plan)
    {
        yield return new Heading("What was run");
        yield return new DataTable(
            "The networks",
            [new("network"), new("parameters", "#,0"), new("operators", "0"), new("FLOP", "#,0"), new("epochs", "0"), new("batch", "#,0"), new("lr"), new("steps", "0"), new("seed", "0")],
            new TableSection("", [.. plan.Members.Select(Row)]));
        yield return new CodeText(ReadableYaml.Of(TransferYaml.Write(plan.Description, withOutput: false)).TrimEnd());
        yield return new Paragraph("FLOP are those of a sample, steps the batches of a round. Below the table stands the description with every key and every matrix, which gives the same run again; paths in it count from the folder that the command was called in.", Quiet: true);
    }

    private static ImmutableArray<Cell> Row(TransferMember member)
    {
        NetworkSize size = NetworkSize.Of(member.Learner.Network, member.Learner.Network.Inputs.Values.First().Shape.Size(0));
        ImmutableArray<Cell> training = member.Model.Run is { } run ? [run.Epochs, run.Batch, run.Rate, member.Model.Steps, run.Seed] : ["frozen", double.NaN, double.NaN, double.NaN, double.NaN];
        return [member.Model.Name, size.Parameters, size.Operators, size.Work, .. training];
    }
}
