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
    private static readonly int[] Cuts = [5, 10, 20];

    /// <summary>What a network's scores for all samples of a data set are worth.</summary>
    /// <param name="scores">
    /// A score for each sample and class, <c>[samples, classes]</c>; one that the sample's label is 1, <c>[samples]</c> or <c>[samples, 1]</c>; or, where a sample is a group
    /// of items, as many scores for it as its field <c>label</c> has numbers.
    /// </param>
    /// <param name="data">The samples, with labels.</param>
    /// <param name="tasks">Groups of classes that are also measured among themselves.</param>
    /// <exception cref="InvalidDataException">The scores and the data do not go together.</exception>
    public static IReadOnlyList<Measure> Of(Tensor scores, Dataset data, IReadOnlyList<int[]> tasks) =>
        GroupOf(data) is { } size ? OfGroups(scores, data, size)
        : scores.Count == data.Count && data.Classes.Length == 2 ? OfPairs(scores.Span, [.. data.Labels.ToArray().Select(l => l == 1)], Users(data))
        : OfClasses(new(scores), data, tasks);

    /// <summary>Number of items of a sample that is a group of them, one right and the others not: the size of its field <c>label</c>; null where samples are none.</summary>
    public static int? GroupOf(Dataset data) => data.Fields.FirstOrDefault(f => f.Name == "label") is { Shape.Rank: 1 } label ? label.Shape.Size(0) : null;

    /// <summary>The sum of the scores of several networks.</summary>
    /// <exception cref="InvalidDataException">They are not of one shape.</exception>
    public static Tensor Sum(IReadOnlyList<Tensor> networks)
    {
        Tensor sum = networks[0].Copy();
        foreach (Tensor other in networks.Skip(1))
        {
            if (other.Shape != sum.Shape) throw new InvalidDataException($"networks with scores {sum.Shape} and {other.Shape} have no common sum");
            TensorPrimitives.Add(sum.Span, other.Span, sum.Span);
        }

        return sum;
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
        measures.AddRange(tasks.Select((task, i) => new Measure(string.Create(CultureInfo.InvariantCulture, $"task {i + 1}"), scores.Accuracy(data.Labels, among: task), true)));
        return measures;
    }

    /// <summary>Of groups, beside what holds for pairs, how high the right item is ranked in its own: hit rate and NDCG at 5, 10 and 20, means over the groups.</summary>
    private static List<Measure> OfGroups(Tensor scores, Dataset data, int size)
    {
        if (scores.Count != (long)data.Count * size) throw new InvalidDataException($"the network gives scores {scores.Shape}, {data.Name} has {data.Count} samples of {size} items, each of which needs one");
        int field = data.IndexOf("label");
        bool[] right = new bool[scores.Count];
        int[] ranks = new int[data.Count];
        float[] labels = new float[size];
        for (int i = 0; i < ranks.Length; i++)
        {
            data.Read(field, i, default, labels);
            for (int k = 0; k < size; k++) right[i * size + k] = labels[k] == 1;
            if (labels.Count(l => l == 1) != 1) throw new InvalidDataException($"{data.Name}: sample {i} has {labels.Count(l => l == 1)} right items, expected one");
            ranks[i] = Ranking.Rank(scores.Span.Slice(i * size, size), Array.IndexOf(labels, 1f));
        }

        int[]? users = Users(data) is { } own ? [.. own.SelectMany(user => Enumerable.Repeat(user, size))] : null;
        List<Measure> measures = OfPairs(scores.Span, right, users);
        foreach (int k in Cuts)
        {
            measures.Add(new($"hr@{k}", ranks.Length == 0 ? double.NaN : ranks.Average(rank => Ranking.Hit(rank, k))));
            measures.Add(new($"ndcg@{k}", ranks.Length == 0 ? double.NaN : ranks.Average(rank => Ranking.Ndcg(rank, k))));
        }

        return measures;
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
