using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>Networks that teach each other as people read it: what teaches what, the matrices that there are, what came of it.</summary>
internal static class TransferText
{
    /// <summary>What a run would do: sizes, all matrices, and the transfers.</summary>
    public static void WritePlan(TextWriter output, TransferPlan plan, JointTraining training)
    {
        Table models = new(1, "MODEL", ">PARAMETERS", ">STEPS", ">IN A ROUND");
        foreach (var (member, trainer) in plan.Members.Zip(training.Trainers))
            models.Add(member.Model.Name, $"{member.Parameters:N0}", trainer is null ? "frozen" : $"{trainer.Steps:N0}", trainer is null ? "" : $"{member.Model.Steps:N0}");
        models.Write(output, Screen.WidthOf(output));
        output.WriteLine();
        Table matrices = new(2, "MODEL", "MATRIX", ">ROWS", ">COLUMNS", "WHAT", "USE");
        foreach (TransferMember member in plan.Members)
        {
            foreach (TransferCandidate candidate in plan.Candidates[member.Model.Name])
                matrices.Add(member.Model.Name, Printable.Line(candidate.Matrix.Name), $"{candidate.Matrix.Rows:N0}", $"{candidate.Matrix.Columns:N0}", What(candidate, member), Use(plan, member.Model.Name, candidate.Matrix.Name));
        }

        matrices.Write(output, Screen.WidthOf(output));
        output.WriteLine();
        WriteTransfers(output, plan, training.AdapterParameters);
        output.WriteLine($"{training.Rounds:N0} rounds. Nothing was written.");
    }

    /// <summary>A line for each transfer.</summary>
    public static void WriteTransfers(TextWriter output, TransferPlan plan, Func<int, long> adapterParameters)
    {
        for (int i = 0; i < plan.Transfers.Length; i++)
        {
            KnowledgeTransfer transfer = plan.Transfers[i];
            string every = transfer.Cycle == 1 ? "every round" : $"every {transfer.Cycle} rounds";
            output.WriteLine($"{(plan.IsProposed ? "proposed: " : "")}{End(transfer.Source)} -> {End(transfer.Target)}, {every}, {transfer.Adapter.Name} of {adapterParameters(i):N0} parameters");
        }
    }

    /// <summary>Each network with transfers and by itself.</summary>
    public static void WriteResult(TextWriter output, TransferResult result)
    {
        foreach (var (name, onTest) in new[] { ("VALIDATION", false), ("TEST", true) })
        {
            var rows = result.Models.Select(model => (model.Name, Score: model.Compared(onTest))).Where(row => row.Score is not null).ToArray();
            if (rows.Length == 0) continue;
            Table table = new(1, $"{name} DATA", "MEASURE", ">SOLO", ">WITH TRANSFER", ">DIFFERENCE");
            foreach (var (model, score) in rows)
                table.Add(model, score!.Measure, score.Solo is { } solo ? Text(score, solo) : "-", Text(score, score.Together), score.Difference is { } difference ? Signed(score, difference) : "-");
            output.WriteLine();
            table.Write(output, Screen.WidthOf(output));
        }

        output.WriteLine();
        string[] changed = [.. result.Models.Where(model => !model.IsSameNetwork).Select(model => model.Name)];
        output.WriteLine(changed.Length == 0 ? "Every network is the one that was given, operator for operator: adapters and factors are gone." : $"Not the same operators as given: {string.Join(", ", changed)}.");
    }

    private static string End(TransferMatrix end) => Printable.Line($"{end} [{end.Matrix.Rows}, {end.Matrix.Columns}]");

    private static string What(TransferCandidate candidate, TransferMember member)
    {
        string role = candidate.Role switch
        {
            MatrixRole.First => "first",
            MatrixRole.Output => "output",
            MatrixRole.Values => "values of the last attention",
            MatrixRole.Channelwise => "by channel",
            _ => "hidden",
        };
        return candidate.IsTrained || member.Model.Frozen ? role : $"{role}, frozen";
    }

    private static string Use(TransferPlan plan, string model, string matrix)
    {
        bool Is(TransferMatrix end) => end.Learner == model && end.Matrix.Name == matrix;
        string[] uses = [.. plan.Transfers.Any(t => Is(t.Source)) ? (string[])["source"] : [], .. plan.Transfers.Any(t => Is(t.Target)) ? (string[])["target"] : []];
        return string.Join(", ", uses);
    }

    private static string Text(ComparedScore score, double value) => score.IsShare ? EvalCommand.Percent(value) : $"{value:0.0000}";

    private static string Signed(ComparedScore score, double difference) => score.IsShare ? $"{100 * difference:+0.00;-0.00;0.00} points" : $"{difference:+0.0000;-0.0000;0.0000}";
}
