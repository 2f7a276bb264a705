using System.Collections.Immutable;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Docs;

/// <summary>The teacher and the student that are described beside the page about distillation.</summary>
public class DistillExampleTests
{
    [Fact]
    public void The_student_learns_from_the_teacher()
    {
        using TemporaryFolder folder = new();
        RunDescription teacher = Small(Read("teacher.yml")), student = Small(Read("student.yml"));
        Assert.Equal(["runs/teacher"], student.Distill!.Teachers);
        Assert.Equal("runs/teacher", teacher.Output);
        new TrainingRun(teacher, folder["teacher"]).Train();
        DistillationResult result = new DistillationRun(student with { Distill = student.Distill with { Teachers = [folder["teacher"]] } }, folder["student"]).Train();
        Assert.Equal([$"teacher ({folder["teacher"]})", DistillationResult.StudentName, DistillationResult.SoloName], result.Rows.Select(row => row.Name));
        Assert.Empty(result.Notes);
    }

    private static RunDescription Read(string name) => RunDescription.Read(Path.Combine(Document.Root, "docs", "examples", "distill", name));

    /// <summary>The same on few samples, once.</summary>
    private static RunDescription Small(RunDescription run) =>
        run with { Epochs = 1, Data = run.Data with { Validation = 50, Limit = 100, Options = ImmutableDictionary<string, string>.Empty.Add("train", "150").Add("test", "50") } };
}
