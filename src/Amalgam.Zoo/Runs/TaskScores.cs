using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Zoo.Runs;

/// <summary>One of several tasks that a network is measured by: which scores belong to it, and what is right.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Columns">Its classes, by column of the scores.</param>
/// <param name="Labels">For each sample the position of its class in <see cref="Columns"/>; -1 for a sample of another task.</param>
public sealed record EvaluationTask(string Name, ImmutableArray<int> Columns, ImmutableArray<int> Labels)
{
    /// <summary>The task of telling some classes apart, on the samples of these.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="classes">The classes, whose numbers are their columns.</param>
    /// <param name="labels">Class of each sample.</param>
    public static EvaluationTask Of(string name, IReadOnlyList<int> classes, ReadOnlySpan<int> labels)
    {
        var positions = ImmutableArray.CreateBuilder<int>(labels.Length);
        foreach (int label in labels) positions.Add(classes.ToList().IndexOf(label));
        return new(name, [.. classes], positions.MoveToImmutable());
    }

    /// <summary>Number of its samples.</summary>
    public int Samples => Labels.Count(label => label >= 0);
}

/// <summary>How the classes of several tasks are compared with one another, for a network with one head.</summary>
public enum JointRule
{
    /// <summary>By their scores, as cosines with class vectors are.</summary>
    Scores,

    /// <summary>By their probabilities within the task, as scores of heads that learned apart have no common scale.</summary>
    Probabilities,
}

/// <summary>What a network is worth in one task.</summary>
/// <param name="Name">The task.</param>
/// <param name="Accuracy">Share of its samples that are right where only its classes may be predicted.</param>
/// <param name="Loss">Cross-entropy among its classes, the mean over its samples.</param>
public sealed record TaskScore(string Name, double Accuracy, double Loss);

/// <summary>What a network is worth in several tasks (Stoica et al., ZipIt!, section 5; Xu et al., MuDSC, section 4.1).</summary>
/// <param name="Tasks">Each task by itself.</param>
/// <param name="Joint">Share of all samples that are right where every class of every task may be predicted; NaN where a sample belongs to several tasks, or to none.</param>
public sealed record TaskScores(ImmutableArray<TaskScore> Tasks, double Joint)
{
    /// <summary>The mean of the tasks' accuracies, which counts each task alike.</summary>
    public double Average => Tasks.Average(task => task.Accuracy);

    /// <summary>Of a network with one head.</summary>
    /// <param name="scores">A score for each sample and class, <c>[samples, classes]</c>.</param>
    /// <param name="tasks">The tasks.</param>
    /// <param name="rule">How classes of different tasks are compared.</param>
    /// <exception cref="InvalidDataException">The scores are not those of the tasks' samples and classes.</exception>
    public static TaskScores Of(Tensor scores, IReadOnlyList<EvaluationTask> tasks, JointRule rule = JointRule.Scores)
    {
        Check(scores, tasks[0].Labels.Length, tasks.Max(task => task.Columns.Max()) + 1);
        return Of([.. tasks.Select(task => Select(scores, task.Columns))], tasks, rule == JointRule.Probabilities);
    }

    /// <summary>Of a network with a head for each task, or of an ensemble whose networks answer for a task each.</summary>
    /// <param name="heads">Of each task a score for each sample and class of the task, in the order of its columns, <c>[samples, task's classes]</c>.</param>
    /// <param name="tasks">The tasks.</param>
    /// <exception cref="InvalidDataException">The scores are not those of the tasks' samples and classes.</exception>
    public static TaskScores OfHeads(IReadOnlyList<Tensor> heads, IReadOnlyList<EvaluationTask> tasks)
    {
        if (heads.Count != tasks.Count) throw new InvalidDataException($"{heads.Count} heads for {tasks.Count} tasks; each task has one");
        for (int t = 0; t < heads.Count; t++) Check(heads[t], tasks[t].Labels.Length, tasks[t].Columns.Length);
        return Of([.. heads.Select(head => head.Span.ToArray())], tasks, probabilities: true);
    }

    /// <summary>The scores of some classes, <c>[samples, classes]</c>.</summary>
    public static Tensor Columns(Tensor scores, ImmutableArray<int> classes) => new(new(scores.Shape.Size(0), classes.Length), Select(scores, classes));

    /// <summary>Makes scores probabilities. The largest is taken off first, without which scores above 88 would leave the range of floats.</summary>
    internal static void Softmax(Span<float> scores)
    {
        TensorPrimitives.Subtract(scores, TensorPrimitives.Max<float>(scores), scores);
        TensorPrimitives.SoftMax<float>(scores, scores);
    }

    private static void Check(Tensor scores, int samples, int classes)
    {
        if (scores.Shape.Rank != 2 || scores.Shape[0] != samples || scores.Shape[1] < classes)
            throw new InvalidDataException($"expected scores for {samples} samples and {classes} classes, [samples, classes], found {scores.Shape}");
    }

    private static float[] Select(Tensor scores, ImmutableArray<int> columns)
    {
        int samples = scores.Shape.Size(0), all = scores.Shape.Size(1);
        float[] chosen = new float[samples * columns.Length];
        for (int i = 0; i < samples; i++)
        {
            for (int j = 0; j < columns.Length; j++) chosen[i * columns.Length + j] = scores.Span[i * all + columns[j]];
        }

        return chosen;
    }

    private static TaskScores Of(float[][] scores, IReadOnlyList<EvaluationTask> tasks, bool probabilities)
    {
        ImmutableArray<TaskScore> each = [.. tasks.Select((task, t) => Alone(scores[t], task))];
        if (tasks.Count == 1) return new(each, each[0].Accuracy);
        if (probabilities)
        {
            for (int t = 0; t < scores.Length; t++)
            {
                for (int row = 0, width = tasks[t].Columns.Length; row < scores[t].Length; row += width) Softmax(scores[t].AsSpan(row, width));
            }
        }

        int samples = tasks[0].Labels.Length, right = 0;
        for (int i = 0; i < samples; i++)
        {
            if (tasks.Count(task => task.Labels[i] >= 0) != 1) return new(each, double.NaN);
            var (predicted, position) = Largest(scores, tasks, i);
            if (predicted >= 0 && tasks[predicted].Labels[i] == position) right++;
        }

        return new(each, samples == 0 ? double.NaN : (double)right / samples);
    }

    private static TaskScore Alone(float[] scores, EvaluationTask task)
    {
        int width = task.Columns.Length, right = 0, samples = 0;
        double loss = 0;
        for (int i = 0; i < task.Labels.Length; i++)
        {
            if (task.Labels[i] < 0) continue;
            samples++;
            ReadOnlySpan<float> row = scores.AsSpan(i * width, width);
            if (Largest(row) == task.Labels[i]) right++;
            double most = TensorPrimitives.Max(row), all = 0;
            foreach (float score in row) all += Math.Exp(score - most);
            loss += Math.Log(all) + most - row[task.Labels[i]];
        }

        return samples == 0 ? new(task.Name, double.NaN, double.NaN) : new(task.Name, (double)right / samples, loss / samples);
    }

    /// <summary>The first of the largest scores of a sample over all tasks; -1 where one is no number.</summary>
    private static (int Task, int Position) Largest(float[][] scores, IReadOnlyList<EvaluationTask> tasks, int sample)
    {
        (int Task, int Position) best = (-1, -1);
        float most = float.NegativeInfinity;
        for (int t = 0; t < scores.Length; t++)
        {
            int width = tasks[t].Columns.Length;
            ReadOnlySpan<float> row = scores[t].AsSpan(sample * width, width);
            int position = Largest(row);
            if (position < 0) return (-1, -1);
            if (best.Task < 0 || row[position] > most) (best, most) = ((t, position), row[position]);
        }

        return best;
    }

    private static int Largest(ReadOnlySpan<float> row)
    {
        int best = 0;
        for (int j = 0; j < row.Length; j++)
        {
            if (float.IsNaN(row[j])) return -1;
            if (row[j] > row[best]) best = j;
        }

        return best;
    }
}
