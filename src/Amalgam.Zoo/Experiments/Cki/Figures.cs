using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>What networks are measured by.</summary>
/// <param name="Names">The figures; larger is better for each.</param>
/// <param name="Merit">Which of them decides where there is a choice.</param>
internal abstract record Figures(ImmutableArray<string> Names, string Merit)
{
    /// <summary>Samples of an evaluation's step.</summary>
    protected const int Batch = 128;

    /// <summary>Where the figure stands that decides.</summary>
    public int MeritIndex => Names.IndexOf(Merit);

    /// <summary>The figures of a network, or of the ensemble of several, on data; in the order of <see cref="Names"/>.</summary>
    public abstract ImmutableArray<double> Of(IReadOnlyList<Graph> networks, Dataset data, CancellationToken cancel = default);
}

/// <summary>Figures of the scores that networks give for each sample.</summary>
/// <param name="Names">The figures.</param>
/// <param name="Merit">Which of them decides.</param>
internal abstract record ScoreFigures(ImmutableArray<string> Names, string Merit) : Figures(Names, Merit)
{
    public override ImmutableArray<double> Of(IReadOnlyList<Graph> networks, Dataset data, CancellationToken cancel = default) => Of(Scores(networks, data, cancel), data);

    /// <summary>The scores that one network gives, or the ensemble of several.</summary>
    public Tensor Scores(IReadOnlyList<Graph> networks, Dataset data, CancellationToken cancel = default)
    {
        Tensor[] all = [.. networks.Select(network => Predictions.Of(network, data, Batch, cancel: cancel))];
        return all.Length == 1 ? all[0] : Mean(all);
    }

    /// <summary>The figures of scores for all samples of a data set.</summary>
    public abstract ImmutableArray<double> Of(Tensor scores, Dataset data);

    /// <summary>Scores whose probabilities are the means of several networks' probabilities.</summary>
    public abstract Tensor Mean(IReadOnlyList<Tensor> networks);
}

/// <summary>The papers' figures of recommendation: the clicked item among candidates, and AUC over all pairs and within users. Scores are logits, one for each candidate.</summary>
internal sealed record RankingFigures() : ScoreFigures(["ndcg@5", "hr@5", "ndcg@10", "hr@10", "auc", "uauc"], ItemRanking.MeritName)
{
    public override ImmutableArray<double> Of(Tensor scores, Dataset data)
    {
        IReadOnlyList<Measure> all = Measure.Of(scores, data, []);
        return [.. Names.Select(name => all.Single(m => m.Name == name).Value)];
    }

    public override Tensor Mean(IReadOnlyList<Tensor> networks) => Measure.MeanProbability(networks);
}

/// <summary>The paper's figures of classification into two classes. Scores are logits, two for each sample.</summary>
internal sealed record ClassFigures() : ScoreFigures(["accuracy", "auc", "recall", "f1"], "accuracy")
{
    private static readonly ImmutableArray<string> All = ["accuracy", "auc", "macro recall", "macro f1"];

    public override ImmutableArray<double> Of(Tensor scores, Dataset data)
    {
        IReadOnlyList<Measure> all = Measure.Of(scores, data, []);
        return [.. All.Select(name => all.Single(m => m.Name == name).Value)];
    }

    public override Tensor Mean(IReadOnlyList<Tensor> networks) => ClassEnsemble.Mean(networks);
}

/// <summary>How high a network that scores all items ranks the next one among all. An ensemble's scores are the logarithms of the means of its networks' probabilities.</summary>
internal sealed record NextItemFigures() : Figures(["ndcg@5", "hr@5", "ndcg@10", "hr@10", "ndcg@20", "hr@20"], ItemRanking.MeritName)
{
    public override ImmutableArray<double> Of(IReadOnlyList<Graph> networks, Dataset data, CancellationToken cancel = default)
    {
        if (networks.Count == 1) return Of(Predictions.InBatches(networks[0], data, Batch, cancel: cancel), data);
        IEnumerable<(int First, int Count, Tensor Result)[]> together = ClassEnsemble.Together([.. networks.Select(network => Predictions.InBatches(network, data, Batch, cancel: cancel))]);
        return Of(together.Select(each => (each[0].First, each[0].Count, ClassEnsemble.Mean([.. each.Select(one => one.Result)]))), data);
    }

    /// <summary>Scores of all items for all samples would fill the memory, so they are ranked batch by batch.</summary>
    private ImmutableArray<double> Of(IEnumerable<(int First, int Count, Tensor Scores)> batches, Dataset data)
    {
        ItemRanking ranking = ItemRanking.Of(data)!;
        int[] ranks = new int[data.Count];
        foreach (var (first, count, scores) in batches)
        {
            int size = scores.Shape.Size(1);
            for (int i = 0; i < count; i++) ranks[first + i] = ranking.Rank(scores.Span.Slice(i * size, size), first + i);
        }

        Measure[] all = [.. ItemRanking.Measures(ranks)];
        return [.. Names.Select(name => all.Single(m => m.Name == name).Value)];
    }
}
