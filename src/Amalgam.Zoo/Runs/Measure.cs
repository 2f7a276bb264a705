using System.Globalization;
using System.Numerics.Tensors;
using Amalgam.Training.Data;
using Amalgam.Zoo.Metrics;

namespace Amalgam.Zoo.Runs;

/// <summary>One figure of how good a network is.</summary>
/// <param name="Name">What it is, such as <c>accuracy</c>, <c>top-5</c>, <c>hr@10</c>.</param>
/// <param name="Value">The figure; NaN where it is not defined.</param>
/// <param name="IsShare">Whether it is a share of the whole, which people like in percent.</param>
public sealed record Measure(string Name, double Value, bool IsShare = false)
{
    /// <summary>Name of the mean of the tasks' accuracies.</summary>
    internal const string Average = "average of tasks";

    /// <summary>What a network's scores for all samples of a data set are worth.</summary>
    /// <param name="scores">
    /// A score for each sample and class, <c>[samples, classes]</c>; one that the sample's label is 1, <c>[samples]</c> or <c>[samples, 1]</c>; or, where a sample is a group
    /// of items, as many scores for it as its field <c>label</c> has numbers; or, of pictures with texts, two embeddings side by side.
    /// </param>
    /// <param name="data">The samples, with labels.</param>
    /// <param name="tasks">Groups of classes that are also measured among themselves.</param>
    /// <exception cref="InvalidDataException">The scores and the data do not go together.</exception>
    public static IReadOnlyList<Measure> Of(Tensor scores, Dataset data, IReadOnlyList<int[]> tasks) =>
        ItemRanking.Of(data) is { } ranking ? OfItems(scores, data, ranking)
        : PairRetrieval.Of(data) is { } search ? [.. search.Measures(scores)]
        : AreClicks(scores, data) ? OfPairs(scores.Span, [.. data.Labels.ToArray().Select(l => l == 1)], Users(data))
        : OfClasses(new(scores), data, tasks);

    /// <summary>Whether each score says, by its logistic function, how likely a click is: those of groups, and one for a sample of two classes.</summary>
    public static bool AreClicks(Tensor scores, Dataset data) => ItemRanking.Of(data) is { } ranking ? !ranking.IsOfAll : scores.Count == data.Count && data.Classes.Length == 2;

    /// <summary>Scores whose logistic function is the mean of that of several networks' scores.</summary>
    /// <exception cref="InvalidDataException">They are not of one shape.</exception>
    public static Tensor MeanProbability(IReadOnlyList<Tensor> networks)
    {
        CheckShapes(networks);
        Tensor mean = new(networks[0].Shape);
        for (int i = 0; i < mean.Count; i++)
        {
            double yes = 0, no = 0;
            foreach (Tensor scores in networks)
            {
                yes += 1 / (1 + Math.Exp(-(double)scores.Span[i]));
                no += 1 / (1 + Math.Exp(scores.Span[i]));
            }

            mean.Span[i] = (float)(Math.Log(yes) - Math.Log(no));
        }

        return mean;
    }

    /// <summary>The sum of the scores of several networks.</summary>
    /// <exception cref="InvalidDataException">They are not of one shape.</exception>
    public static Tensor Sum(IReadOnlyList<Tensor> networks)
    {
        CheckShapes(networks);
        Tensor sum = networks[0].Copy();
        foreach (Tensor other in networks.Skip(1)) TensorPrimitives.Add(sum.Span, other.Span, sum.Span);
        return sum;
    }

    /// <summary>What scores of several heads, or of networks that answer for a task each, are worth: the classes of all tasks are compared by their probabilities within the task.</summary>
    /// <param name="heads">Of each task scores for all classes, or for those of the task alone, in their order.</param>
    /// <param name="data">The samples, with labels.</param>
    /// <param name="tasks">Classes of each task.</param>
    /// <exception cref="InvalidDataException">The scores and the data do not go together.</exception>
    public static IReadOnlyList<Measure> OfHeads(IReadOnlyList<Tensor> heads, Dataset data, IReadOnlyList<int[]> tasks)
    {
        Tensor[] own = [.. heads.Select((scores, t) => scores.Shape.Rank == 2 && scores.Shape[1] != tasks[t].Length && scores.Shape[1] > tasks[t].Max() ? TaskScores.Columns(scores, [.. tasks[t]]) : scores)];
        TaskScores measured = TaskScores.OfHeads(own, [.. tasks.Select((task, t) => EvaluationTask.Of(TaskName(t), task, data.Labels))]);
        return [new("accuracy", measured.Joint, true), .. measured.Tasks.Select(task => new Measure(task.Name, task.Accuracy, true)), new(Average, measured.Average, true)];
    }

    private static string TaskName(int task) => string.Create(CultureInfo.InvariantCulture, $"task {task + 1}");

    private static void CheckShapes(IReadOnlyList<Tensor> networks)
    {
        if (networks.FirstOrDefault(other => other.Shape != networks[0].Shape) is { } odd) throw new InvalidDataException($"networks with scores {networks[0].Shape} and {odd.Shape} have no common sum");
    }

    private static List<Measure> OfClasses(ClassScores scores, Dataset data, IReadOnlyList<int[]> tasks)
    {
        int classes = 0;
        foreach (int label in data.Labels) classes = Math.Max(classes, label + 1);
        if (classes > scores.Classes)
            throw new InvalidDataException($"the network gives {scores.Classes} scores for a sample, {data.Name} has {classes} classes; a network that gives embeddings needs class vectors");
        if (data.KnowsClasses && scores.Classes > data.Classes.Length)
            throw new InvalidDataException($"the network gives {scores.Classes} numbers for a sample, {data.Name} has {data.Classes.Length} classes; a network that gives embeddings needs class vectors");
        List<Measure> measures = [new("accuracy", scores.Accuracy(data.Labels), true)];
        if (scores.Classes > 5) measures.Add(new("top-5", scores.Accuracy(data.Labels, 5), true));
        measures.Add(new("loss", scores.CrossEntropy(data.Labels)));
        if (data.Labels.Length > 0) measures.AddRange(OfConfusions(scores, data.Labels));
        double[] each = [.. tasks.Select(task => scores.Accuracy(data.Labels, among: task))];
        measures.AddRange(each.Select((accuracy, t) => new Measure(TaskName(t), accuracy, true)));
        if (each.Length > 1) measures.Add(new(Average, each.Average(), true));
        return measures;
    }

    /// <summary>Macro recall and macro F1; of two classes also AUC, a sample's score being how much larger that of the second class is.</summary>
    private static IEnumerable<Measure> OfConfusions(ClassScores scores, ReadOnlySpan<int> labels)
    {
        ConfusionMatrix counts = ConfusionMatrix.Of(labels, scores.Predictions(), scores.Classes);
        Measure[] macro = [new("macro recall", counts.MacroRecall, true), new("macro f1", counts.MacroF1, true)];
        if (scores.Classes != 2) return macro;
        float[] differences = new float[labels.Length];
        for (int i = 0; i < differences.Length; i++) differences[i] = scores.Scores.Span[(2 * i) + 1] - scores.Scores.Span[2 * i];
        return [new("auc", Classification.Auc(differences, [.. labels.ToArray().Select(l => l == 1)])), .. macro];
    }

    /// <summary>How high the right item of each sample is ranked; and of groups what holds for pairs.</summary>
    private static List<Measure> OfItems(Tensor scores, Dataset data, ItemRanking ranking)
    {
        int size = scores.Count / Math.Max(1, data.Count);
        int[] ranks = [.. Enumerable.Range(0, data.Count).Select(i => ranking.Rank(scores.Span.Slice(i * size, size), i))];
        if (ranking.IsOfAll) return [.. ItemRanking.Measures(ranks)];
        bool[] right = new bool[scores.Count];
        int field = data.IndexOf("label");
        float[] labels = new float[size];
        for (int i = 0; i < ranks.Length; i++)
        {
            data.Read(field, i, default, labels);
            for (int k = 0; k < size; k++) right[i * size + k] = labels[k] == 1;
        }

        int[]? users = Users(data) is { } own ? [.. own.SelectMany(user => Enumerable.Repeat(user, size))] : null;
        return [.. OfPairs(scores.Span, right, users), .. ItemRanking.Measures(ranks)];
    }

    /// <summary>Area under the ROC curve, over all and within users, and the binary cross-entropy.</summary>
    private static List<Measure> OfPairs(ReadOnlySpan<float> scores, bool[] right, int[]? users)
    {
        double loss = 0;
        for (int i = 0; i < right.Length; i++)
        {
            double score = scores[i];
            loss += Math.Max(score, 0) - (right[i] ? score : 0) + Math.Log(1 + Math.Exp(-Math.Abs(score)));
        }

        List<Measure> measures = [new("auc", Classification.Auc(scores, right)), new("loss", loss / Math.Max(1, right.Length))];
        if (users is not null) measures.Insert(1, new("uauc", Classification.UserAuc(scores, right, users)));
        return measures;
    }

    private static int[]? Users(Dataset data)
    {
        if (data.Fields.All(f => f.Name != "user")) return null;
        int field = data.IndexOf("user");
        int[] users = new int[data.Count];
        float[] user = new float[1];
        for (int i = 0; i < users.Length; i++)
        {
            data.Read(field, i, default, user);
            users[i] = (int)user[0];
        }

        return users;
    }
}
