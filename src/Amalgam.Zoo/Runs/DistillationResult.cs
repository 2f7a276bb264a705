using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Zoo.Runs;

/// <summary>What a distillation came to.</summary>
public sealed record DistillationResult
{
    /// <summary>What the student is called in tables.</summary>
    public const string StudentName = "student";

    /// <summary>What the same network is called that was trained by the labels alone.</summary>
    public const string SoloName = "the same without a teacher";

    /// <summary>How the student learned.</summary>
    public required Distillation Method { get; init; }

    /// <summary>The networks: the teachers, the student, and where it was trained the same network without a teacher.</summary>
    public required ImmutableArray<SpliceRow> Rows { get; init; }

    /// <summary>Their sizes, in the same order.</summary>
    public required ImmutableArray<NetworkSize> Sizes { get; init; }

    /// <summary>The student's training.</summary>
    public required RunResult Student { get; init; }

    /// <summary>The training of the same network without a teacher; null where it was not asked for.</summary>
    public RunResult? Solo { get; init; }

    /// <summary>What a user should know of what was written.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>What a row is judged by on data: NDCG at 10 where items are ranked, else the accuracy, else the loss.</summary>
    /// <param name="row">The row.</param>
    /// <param name="onTest">On the test data; else on the validation data.</param>
    /// <returns>Null where nothing was measured.</returns>
    public static Measure? Decisive(SpliceRow row, bool onTest) =>
        new[] { ItemRanking.MeritName, "accuracy", "loss" }.Select(name => (onTest ? row.Test : row.Validation).FirstOrDefault(m => m.Name == name && !double.IsNaN(m.Value))).FirstOrDefault(m => m is not null);

    /// <summary>What the teacher added: the student's score less that of the same network without a teacher, by what a row is judged by.</summary>
    /// <param name="onTest">On the test data; else on the validation data.</param>
    /// <returns>Null where there is nothing to compare.</returns>
    public Measure? Difference(bool onTest)
    {
        SpliceRow? student = Rows.FirstOrDefault(row => row.Name == StudentName), solo = Rows.FirstOrDefault(row => row.Name == SoloName);
        return student is null || solo is null || Decisive(student, onTest) is not { } own || Decisive(solo, onTest) is not { } other || own.Name != other.Name ? null : own with { Value = own.Value - other.Value };
    }

    /// <summary>That difference in a sentence; nothing where there is nothing to compare.</summary>
    public string Comparison
    {
        get
        {
            static string Text(Measure measure, string data) =>
                string.Create(CultureInfo.InvariantCulture, $"{(measure.IsShare ? $"{100 * measure.Value:+0.00;-0.00;0.00} points of {measure.Name}" : $"{measure.Value:+0.0000;-0.0000;0.0000} of {measure.Name}")} on the {data} data");
            string[] parts = [.. new[] { (Measure: Difference(false), Data: "validation"), (Measure: Difference(true), Data: "test") }.Where(part => part.Measure is not null).Select(part => Text(part.Measure!, part.Data))];
            return parts.Length == 0 ? "" : $"Against {SoloName} the student has {string.Join(" and ", parts)}.";
        }
    }

    /// <summary>Of which epochs the scores of what was trained are, in a sentence.</summary>
    public string Epochs
    {
        get
        {
            static string Of(string name, RunResult run) => $"{name} {run.Best?.Epoch ?? run.Epochs.Count} of {run.Epochs.Count}";
            string each = Of(StudentName, Student) + (Solo is null ? "" : $", {Of(SoloName, Solo)}");
            return $"Scores are of the {(Student.Best is null ? "last epochs, for there is no validation data" : "epochs that did best on the validation data")}: {each}.";
        }
    }

    /// <summary>That the teacher was of no use, in a sentence: without it the same network does as well on the validation data. Null where it does not, or was not trained.</summary>
    public string? Warning
    {
        get
        {
            SpliceRow[] pair = [.. Rows.Where(row => row.Name is StudentName or SoloName)];
            if (pair is not [var student, var solo] || Decisive(student, false) is not { } own || Decisive(solo, false) is not { } other) return null;
            bool isBehind = own.Name == "loss" ? other.Value <= own.Value : other.Value >= own.Value;
            return isBehind ? $"On the validation data the student is no better than {SoloName}: {own.Name} {NetworkScores.Text(own)} against {NetworkScores.Text(other)}." : null;
        }
    }
}
