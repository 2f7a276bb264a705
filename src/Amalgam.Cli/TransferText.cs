using System.Collections.Immutable;
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
        foreach (TransferMember member in plan.Members)
        {
            LearnerRecord? own = training.RecordOf(member.Model.Name);
            models.Add(member.Model.Name, $"{member.Parameters:N0}", own is null ? "frozen" : $"{own.Steps:N0}", own is null ? "" : $"{member.Model.Steps:N0}");
        }

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
        WriteTransfers(output, plan, training);
        foreach (string note in plan.Notes.Concat(plan.NotesOn(training))) output.WriteLine($"note: {Printable.Line(note)}");
        output.WriteLine($"{Rounds(training.Rounds)}. Nothing was written.");
    }

    /// <summary>A line for each transfer.</summary>
    public static void WriteTransfers(TextWriter output, TransferPlan plan, JointTraining training)
    {
        for (int i = 0; i < plan.Transfers.Length; i++)
        {
            KnowledgeTransfer transfer = plan.Transfers[i];
            string every = transfer.Cycle == 1 ? "every round" : $"every {transfer.Cycle} rounds";
            long times = plan.TimesOf(training, i);
            output.WriteLine($"{ProposedIn(transfer, plan.Proposed[i])}{string.Join(" + ", transfer.Sources.Select(End))} -> {End(transfer.Target)}, {every}, {transfer.Adapter.Name} of {training.AdapterParameters(i):N0} parameters, {times:N0} {(times == 1 ? "transfer" : "transfers")}");
        }
    }

    /// <summary>So many rounds.</summary>
    public static string Rounds(long count) => $"{count:N0} {(count == 1 ? "round" : "rounds")}";

    /// <summary>What an epoch's transfers did to a network, such as <c>  fc2.weight changed by 12.3%</c>; nothing where none is written to it.</summary>
    public static string Changes(TransferRun run, string model, int epoch) => string.Concat(run.Plan.Transfers.Select((transfer, i) =>
        transfer.Target.Learner != model || run.Training.HistoryOf(i).FirstOrDefault(record => record.Epoch == epoch) is not { } record ? ""
        : $"  {Printable.Line(transfer.Target.Matrix.Name)} changed by {100 * record.Change:0.0}%"));

    /// <summary>Each network with transfers and by itself.</summary>
    public static void WriteResult(TextWriter output, TransferResult result)
    {
        foreach (var (name, onTest) in new[] { ("VALIDATION", false), ("TEST", true) })
        {
            var rows = result.RowsOf(onTest);
            if (rows.IsEmpty) continue;
            static string Of(ScoreRow row, double? value) => value is { } number && !double.IsNaN(number) ? Text(row.Score, number) : "-";
            List<(string Name, Func<ScoreRow, string> Cell)> columns = [($"{name} DATA", row => row.Name), ("MEASURE", row => row.Score.Measure)];
            if (result.HasGiven) columns.Add((">AS GIVEN", row => Of(row, row.Score.Given)));
            if (result.HasSolo) columns.Add((">SOLO", row => Of(row, row.Score.Solo)));
            columns.Add((">WITH TRANSFER", row => Of(row, row.Score.Together)));
            if (result.HasSolo) columns.Add((">DIFFERENCE", row => row.Remark ?? (row.Score.Difference is { } difference ? Signed(row.Score, difference) : "-")));
            Table table = new(1, [.. columns.Select(column => column.Name)]);
            foreach (ScoreRow row in rows) table.Add([.. columns.Select(column => column.Cell(row))]);

            output.WriteLine();
            table.Write(output, Screen.WidthOf(output));
        }

        output.WriteLine();
        foreach (string sentence in (string[])[TransferSentences.Epochs(result), TransferSentences.Frozen(result), TransferSentences.Comparison(result), TransferSentences.Cost(result)])
        {
            if (sentence != "") output.WriteLine(Printable.Line(sentence));
        }

        string[] changed = [.. result.Models.Where(model => !model.IsSameNetwork).Select(model => model.Name)];
        output.WriteLine(changed.Length == 0 ? "Every network is the one that was given, operator for operator: adapters and factors are gone." : $"Not the same operators as given: {string.Join(", ", changed)}.");
        foreach (string warning in TransferSentences.Warnings(result)) output.WriteLine($"warning: {Printable.Line(warning)}");
    }

    /// <summary>What of a transfer was proposed: all of it, one side of it, or some of several sources, which are named.</summary>
    private static string ProposedIn(KnowledgeTransfer transfer, ImmutableArray<TransferMatrix> proposed)
    {
        if (proposed.IsEmpty) return "";
        bool all = transfer.Sources.All(proposed.Contains), some = transfer.Sources.Any(proposed.Contains);
        string what = (all, some, proposed.Contains(transfer.Target)) switch
        {
            (true, _, true) => "",
            (true, _, false) => transfer.Sources.Length == 1 ? " source" : " sources",
            (_, false, _) => " target",
            _ => $" {string.Join(", ", proposed)}",
        };
        return $"proposed{Printable.Line(what)}: ";
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
            MatrixRole.Table => "table",
            _ => "hidden",
        };
        return candidate.IsTrained || member.Model.Frozen ? role : $"{role}, frozen";
    }

    private static string Use(TransferPlan plan, string model, string matrix)
    {
        bool Is(TransferMatrix end) => end.Learner == model && end.Matrix.Name == matrix;
        string[] uses = [.. plan.Transfers.Any(t => t.Sources.Any(Is)) ? (string[])["source"] : [], .. plan.Transfers.Any(t => Is(t.Target)) ? (string[])["target"] : []];
        return string.Join(", ", uses);
    }

    private static string Text(ComparedScore score, double value) => score.IsShare ? EvalCommand.Percent(value) : $"{value:0.0000}";

    private static string Signed(ComparedScore score, double difference) => score.IsShare ? $"{100 * difference:+0.00;-0.00;0.00} points" : $"{difference:+0.0000;-0.0000;0.0000}";
}
