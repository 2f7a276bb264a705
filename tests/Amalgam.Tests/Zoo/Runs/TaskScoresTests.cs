using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class TaskScoresTests
{
    private static readonly int[] Labels = [0, 1, 2, 3];

    private static EvaluationTask[] Tasks => [EvaluationTask.Of("a", [0, 2], Labels), EvaluationTask.Of("b", [1, 3], Labels)];

    [Fact]
    public void A_task_is_measured_on_its_samples_among_its_classes()
    {
        // Sample by sample: right everywhere; right in its task alone; wrong even there; right everywhere.
        Tensor scores = Scores(4, [9, 0, 0, 0, /**/ 5, 4, 0, 3, /**/ 3, 0, 2, 0, /**/ 0, 1, 0, 2]);
        TaskScores measured = TaskScores.Of(scores, Tasks);
        Assert.Equal([0.5, 1.0], measured.Tasks.Select(t => t.Accuracy));
        Assert.Equal((0.75, 0.5), (measured.Average, measured.Joint));
        double lossA = (Math.Log(1 + Math.Exp(-9)) + Math.Log(1 + Math.Exp(1))) / 2, lossB = Math.Log(1 + Math.Exp(-1));
        Assert.Equal(lossA, measured.Tasks[0].Loss, 1e-6);
        Assert.Equal(lossB, measured.Tasks[1].Loss, 1e-6);
    }

    [Fact]
    public void Heads_are_compared_by_their_probabilities()
    {
        // The head of b has large scores, but is unsure where the sample is a's.
        Tensor a = Scores(2, [4, 0, /**/ 0, 1, /**/ 0, 4, /**/ 1, 0]), b = Scores(2, [100, 100, /**/ 103, 100, /**/ 101, 100, /**/ 90, 99]);
        TaskScores heads = TaskScores.OfHeads([a, b], Tasks);
        Assert.Equal((1.0, 1.0, 1.0), (heads.Joint, heads.Tasks[0].Accuracy, heads.Tasks[1].Accuracy));

        Tensor together = Scores(4, [4, 100, 0, 100, /**/ 0, 103, 1, 100, /**/ 0, 101, 4, 100, /**/ 1, 90, 0, 99]);
        Assert.Equal(heads.Joint, TaskScores.Of(together, Tasks, JointRule.Probabilities).Joint);
        Assert.Equal(0.5, TaskScores.Of(together, Tasks).Joint);
        Assert.Equal(a.Span.ToArray(), TaskScores.Columns(together, [0, 2]).Span.ToArray());
    }

    [Fact]
    public void Every_sample_may_belong_to_several_tasks_which_have_no_joint_accuracy()
    {
        EvaluationTask prime = new("prime", [0, 1], [0, 1, 1]), odd = new("odd", [2, 3], [0, 0, 1]);
        TaskScores measured = TaskScores.Of(Scores(4, [1, 0, 1, 0, /**/ 0, 1, 1, 0, /**/ 1, 0, 0, 1]), [prime, odd]);
        Assert.Equal([2.0 / 3, 1], measured.Tasks.Select(t => t.Accuracy));
        Assert.True(double.IsNaN(measured.Joint));
        Assert.Equal(measured.Tasks[0].Accuracy, TaskScores.Of(Scores(2, [1, 0, 0, 1, 1, 0]), [prime]).Joint);
    }

    [Fact]
    public void Of_equal_scores_the_first_counts_and_what_is_no_number_is_wrong()
    {
        EvaluationTask task = new("t", [0, 1], [0, 1, 0]);
        Assert.Equal(1.0 / 3, TaskScores.Of(Scores(2, [1, 1, 1, 1, float.NaN, 0]), [task]).Joint);
        TaskScores joint = TaskScores.Of(Scores(4, [2, 2, 2, 2, /**/ float.NaN, 1, 0, 0, /**/ 0, 0, 5, 0, /**/ 0, 0, 0, 1]), Tasks);
        Assert.Equal(0.75, joint.Joint);
    }

    [Fact]
    public void Accuracies_are_those_of_counting_by_hand() => Property.Holds(gen =>
    {
        int samples = gen.Random.Next(1, 30), classes = gen.Random.Next(2, 7), first = gen.Random.Next(1, classes);
        int[] labels = [.. Enumerable.Range(0, samples).Select(_ => gen.Random.Next(classes))];
        float[] scores = gen.Floats(samples * classes);
        int[][] groups = [[.. Enumerable.Range(0, first)], [.. Enumerable.Range(first, classes - first)]];
        TaskScores measured = TaskScores.Of(Scores(classes, scores), [.. groups.Select((group, i) => EvaluationTask.Of($"{i}", group, labels))]);
        ClassScores single = new(Scores(classes, scores));
        Assert.Equal(single.Accuracy(labels), measured.Joint);
        for (int t = 0; t < 2; t++) Assert.Equal(single.Accuracy(labels, among: groups[t]), measured.Tasks[t].Accuracy);
    });

    [Fact]
    public void Scores_of_other_samples_or_classes_are_refused()
    {
        Assert.Contains("expected scores for 4 samples and 4 classes", Assert.Throws<InvalidDataException>(() => TaskScores.Of(Scores(3, new float[12]), Tasks)).Message);
        Assert.Contains("1 heads for 2 tasks", Assert.Throws<InvalidDataException>(() => TaskScores.OfHeads([Scores(2, new float[8])], Tasks)).Message);
        Assert.Contains("found [3,2]", Assert.Throws<InvalidDataException>(() => TaskScores.OfHeads([Scores(2, new float[6]), Scores(2, new float[8])], Tasks)).Message);
    }

    private static Tensor Scores(int classes, float[] values) => new(new(values.Length / classes, classes), values);
}
