using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>A network that is measured beside others.</summary>
/// <param name="Name">What the network is called.</param>
/// <param name="Network">The network.</param>
/// <param name="Output">Name of its output that has the scores; null for the first.</param>
public sealed record Contestant(string Name, Graph Network, string? Output = null)
{
    /// <summary>Names of the outputs that have the scores of a task each, of a network that was merged but for its last layers; empty for one output for all.</summary>
    public ImmutableArray<string> Heads { get; init; } = [];

    /// <summary>The outputs of a network that are heads of several tasks: all its outputs, where they are two or more with one name but for what follows its last point.</summary>
    public static ImmutableArray<string> HeadsOf(Graph network)
    {
        string[] names = [.. network.Outputs.Keys];
        bool areHeads = names.Length > 1 && names.All(name => name.Contains('.')) && names.Select(name => name[..name.LastIndexOf('.')]).Distinct().Count() == 1;
        return areHeads ? [.. names] : [];
    }

    /// <summary>
    /// What networks, and of several the ensemble of all, are worth on data. An ensemble's score is the sum of its networks' scores; where a score says how likely a
    /// click is, the mean of their probabilities. Where there are as many networks as tasks, they are also measured together with each answering for its own task.
    /// </summary>
    /// <param name="contestants">The networks, at least one.</param>
    /// <param name="data">The samples, with labels.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="tasks">Groups of classes that are also measured among themselves.</param>
    /// <param name="progress">Hears how many samples are done, of all networks together.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The data does not fit a network.</exception>
    /// <exception cref="InvalidDataException">The scores and the data, or those of several networks, do not go together.</exception>
    public static IReadOnlyList<(string Name, IReadOnlyList<Measure> Measures)> Measure(
        IReadOnlyList<Contestant> contestants, Dataset data, int batch, IReadOnlyList<int[]>? tasks = null, IProgress<int>? progress = null, CancellationToken cancel = default)
    {
        if (ItemRanking.Of(data) is { IsOfAll: true } ranking) return RankAmongAll(contestants, data, ranking, batch, progress, cancel);
        tasks ??= [];
        List<(string Name, IReadOnlyList<Measure> Measures)> rows = [];
        List<Tensor> all = [];
        foreach (Contestant contestant in contestants)
        {
            Shifted own = new(progress, rows.Count * data.Count);
            if (contestant.Heads.IsEmpty) all.Add(Predictions.Of(contestant.Network, data, batch, contestant.Output, own, cancel));
            rows.Add((contestant.Name, contestant.Heads.IsEmpty ? Runs.Measure.Of(all[^1], data, tasks) : contestant.OfHeads(data, batch, tasks, own, cancel)));
        }

        if (all.Count > 1)
        {
            bool ofClicks = Runs.Measure.AreClicks(all[0], data);
            Tensor together = ofClicks ? Runs.Measure.MeanProbability(all) : PairRetrieval.Of(data) is null ? Runs.Measure.Sum(all) : PairRetrieval.Sum(all);
            rows.Add(($"{EnsembleOf(all.Count)} ({(ofClicks ? "mean of probabilities" : "sum of scores")})", Runs.Measure.Of(together, data, tasks)));
            if (tasks.Count == all.Count) rows.Add(("each for its own task", Runs.Measure.OfHeads(all, data, tasks)));
        }

        return rows;
    }

    private static string EnsembleOf(int networks) => networks == 2 ? "ensemble of both" : $"ensemble of all {networks}";

    private IReadOnlyList<Measure> OfHeads(Dataset data, int batch, IReadOnlyList<int[]> tasks, IProgress<int>? progress, CancellationToken cancel)
    {
        if (tasks.Count != Heads.Length) throw new InvalidDataException($"{Name} has {Heads.Length} heads, {string.Join(", ", Heads.Select(head => $"'{head}'"))}: it takes as many tasks, the classes of each head in their order, found {tasks.Count}");
        return Runs.Measure.OfHeads([.. Heads.Select(head => Predictions.Of(Network, data, batch, head, progress, cancel))], data, tasks);
    }

    /// <summary>Scores of all items for all samples would fill the memory, so the networks go through the samples together.</summary>
    private static List<(string Name, IReadOnlyList<Measure> Measures)> RankAmongAll(
        IReadOnlyList<Contestant> contestants, Dataset data, ItemRanking ranking, int batch, IProgress<int>? progress, CancellationToken cancel)
    {
        var each = contestants.Select(c => Predictions.InBatches(c.Network, data, batch, c.Output, cancel).GetEnumerator()).ToArray();
        List<(string Name, int[] Ranks)> rows = [.. contestants.Select(c => (c.Name, new int[data.Count]))];
        if (contestants.Count > 1) rows.Add(($"{EnsembleOf(contestants.Count)} (sum of scores)", new int[data.Count]));
        for (int done = 0; done < data.Count;)
        {
            foreach (var one in each) one.MoveNext();
            var (first, count, scores) = each[0].Current;
            if (each.Any(one => one.Current.Count != count || one.Current.Result.Shape != scores.Shape))
                throw new InvalidDataException($"networks with scores {string.Join(" and ", each.Select(one => one.Current.Result.Shape).Distinct())} have no common sum");
            for (int i = 0; i < each.Length; i++) Rank(each[i].Current.Result, rows[i].Ranks, first, count);
            for (int i = 1; i < each.Length; i++) TensorPrimitives.Add(scores.Span, each[i].Current.Result.Span, scores.Span);
            if (rows.Count > each.Length) Rank(scores, rows[^1].Ranks, first, count);
            done = first + count;
            progress?.Report(done * contestants.Count);
        }

        foreach (var one in each) one.Dispose();
        return [.. rows.Select(row => (row.Name, (IReadOnlyList<Measure>)[.. ItemRanking.Measures(row.Ranks)]))];

        void Rank(Tensor scores, int[] ranks, int first, int count)
        {
            int size = scores.Count / scores.Shape.Size(0);
            for (int i = 0; i < count; i++) ranks[first + i] = ranking.Rank(scores.Span.Slice(i * size, size), first + i);
        }
    }

    private sealed class Shifted(IProgress<int>? to, int by) : IProgress<int>
    {
        public void Report(int value) => to?.Report(by + value);
    }
}
