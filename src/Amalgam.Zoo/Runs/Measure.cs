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
    private static readonly int[] Cuts = [5, 10];

    /// <summary>What a network's scores for all samples of a data set are worth.</summary>
    /// <param name="scores">A score for each sample and class, <c>[samples, classes]</c>, or one that the sample's label is 1, <c>[samples]</c> or <c>[samples, 1]</c>.</param>
    /// <param name="data">The samples, with labels.</param>
    /// <param name="tasks">Groups of classes that are also measured among themselves.</param>
    /// <exception cref="InvalidDataException">The scores and the data do not go together.</exception>
    public static IReadOnlyList<Measure> Of(Tensor scores, Dataset data, IReadOnlyList<int[]> tasks) =>
        scores.Count == data.Count && data.Classes.Length == 2 ? OfClicks(scores.Span, data) : OfClasses(new(scores), data, tasks);

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

    /// <summary>
    /// Area under the ROC curve, over all and within users; and how high each clicked item is ranked among the ones that follow it, which were not clicked: hit rate and
    /// NDCG at 5 and 10.
    /// </summary>
    private static List<Measure> OfClicks(ReadOnlySpan<float> scores, Dataset data)
    {
        bool[] clicked = new bool[data.Count];
        double loss = 0;
        for (int i = 0; i < clicked.Length; i++)
        {
            clicked[i] = data.Labels[i] == 1;
            double score = scores[i];
            loss += Math.Max(score, 0) - (clicked[i] ? score : 0) + Math.Log(1 + Math.Exp(-Math.Abs(score)));
        }

        List<Measure> measures = [new("auc", Classification.Auc(scores, clicked)), new("loss", loss / Math.Max(1, clicked.Length))];
        if (data.Fields.Any(f => f.Name == "user")) measures.Insert(1, new("uauc", Classification.UserAuc(scores, clicked, Users(data))));
        List<int> ranks = [];
        for (int from = 0, to; from < clicked.Length; from = to)
        {
            for (to = from + 1; to < clicked.Length && !clicked[to]; to++)
            {
            }

            if (clicked[from]) ranks.Add(Ranking.Rank(scores[from..to], 0));
        }

        foreach (int k in Cuts)
        {
            measures.Add(new($"hr@{k}", ranks.Count == 0 ? double.NaN : ranks.Average(rank => Ranking.Hit(rank, k))));
            measures.Add(new($"ndcg@{k}", ranks.Count == 0 ? double.NaN : ranks.Average(rank => Ranking.Ndcg(rank, k))));
        }

        return measures;
    }

    private static int[] Users(Dataset data)
    {
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
