using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Of each class the share of samples that networks get right.</summary>
/// <param name="Classes">Names of the classes.</param>
/// <param name="Rows">Networks, with a share for each class; NaN for a class without samples.</param>
public sealed record ClassShares(ImmutableArray<string> Classes, ImmutableArray<(string Name, ImmutableArray<double> Right)> Rows);

/// <summary>What networks are worth beside what was fused of them.</summary>
/// <inheritdoc cref="NetworkScores" path="/param"/>
public sealed record FusionScores(string Data, int Samples, bool IsTest, ImmutableArray<NetworkRow> Rows) : NetworkScores(Data, Samples, IsTest, Rows)
{
    /// <summary>More classes make a table that nobody reads.</summary>
    private const int MostClasses = 100, Batch = 500;

    /// <summary>A class is unknown below the first share of right answers and known above the second; networks are for different classes where the third share of all is unknown to one.</summary>
    private const double Unknown = 0.02, Known = 0.5, Part = 0.2;

    /// <summary>A class that a network knew is lost below this share of right answers.</summary>
    private const double Lost = 0.1;

    private const string TunedName = "fused, fine-tuned";

    /// <summary>Class by class; null where samples are of no classes, or of too many.</summary>
    public ClassShares? ByClass { get; init; }

    /// <summary>What a user should know of classes that only some of the networks know, one sentence each.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Measures networks.</summary>
    /// <param name="fusion">Networks that were fused.</param>
    /// <param name="results">What they became.</param>
    /// <param name="samples">Most samples to measure on, drawn by the seed.</param>
    /// <param name="progress">Hears how many of how many networks are measured.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>Null where there is no data with labels.</returns>
    public static FusionScores? Of(NetworkFusion fusion, IReadOnlyList<Contestant> results, int samples, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        if (SamplesFor(fusion, samples, fusion.Description.Transport.Seed) is not { } data) return null;
        Contestant[] given = [.. fusion.Models.Select((m, i) => new Contestant(fusion.Names[i], m.Graph))];
        List<Contestant> made = [];
        if (fusion.InPlace() is { } average) made.Add(new(AverageName, average));
        made.AddRange(fusion.Transported(cancel));
        made.AddRange(results);
        int steps = 2 + made.Count;
        progress?.Invoke(0, steps);
        List<NetworkRow> rows = [.. RowsOf(fusion, given, areGiven: true, data, Batch, cancel)];
        foreach (Contestant one in made)
        {
            progress?.Invoke(rows.Count - given.Length, steps);
            rows.AddRange(RowsOf(fusion, [one], areGiven: false, data, Batch, cancel));
        }

        progress?.Invoke(steps - 1, steps);
        ClassShares? byClass = Shares(fusion, [.. given, results[^1]], data, cancel);
        return new(NameOf(fusion), data.Count, fusion.Data!.Test is not null, [.. rows])
        {
            ByClass = byClass,
            Notes = [.. byClass is null ? [] : (string[])[.. Strangers(byClass, given.Length), .. Losses(byClass, given.Length)], .. Worsened(rows)],
        };
    }

    /// <summary>What fused networks became, as it is measured: where statistics were set anew, also without that.</summary>
    /// <param name="fusion">The networks.</param>
    /// <param name="merged">What they became.</param>
    /// <param name="tuned">The same after training; null where it was not trained.</param>
    public static IReadOnlyList<Contestant> ResultsOf(NetworkFusion fusion, Graph merged, Graph? tuned = null)
    {
        string name = $"fused ({fusion.Description.Match.Name}{(fusion.Description.Merge is { } merge ? $", {merge}" : "")})";
        IEnumerable<Contestant> results = fusion.ResetText == "" ? [new(name, merged)] : [new(name, fusion.Unreset()), new(name + ResetEnding, merged)];
        return [.. results, .. tuned is null ? (Contestant[])[] : [new(TunedName, tuned)]];
    }

    private static ClassShares? Shares(NetworkFusion fusion, Contestant[] networks, Dataset data, CancellationToken cancel)
    {
        if (data.Labels.IsEmpty || ItemRanking.Of(data) is not null || data.Classes.Length is < 2 or > MostClasses) return null;
        List<(string, ImmutableArray<double>)> rows = [];
        foreach (Contestant network in networks.Select(fusion.Scored))
        {
            Tensor scores = Predictions.Of(network.Network, data, Batch, network.Output, cancel: cancel);
            if (scores.Shape.Rank != 2 || scores.Shape[1] < data.Classes.Length) return null;
            rows.Add((network.Name, Right(new ClassScores(scores).Predictions(), data)));
        }

        return new([.. data.Classes], [.. rows]);
    }

    private static ImmutableArray<double> Right(int[] predicted, Dataset data)
    {
        ReadOnlySpan<int> labels = data.Labels;
        int[] right = new int[data.Classes.Length], all = new int[data.Classes.Length];
        for (int i = 0; i < predicted.Length; i++)
        {
            all[labels[i]]++;
            if (predicted[i] == labels[i]) right[labels[i]]++;
        }

        return [.. right.Zip(all, (r, n) => n == 0 ? double.NaN : (double)r / n)];
    }

    /// <summary>Classes that a network knows and what became of all does not.</summary>
    private static IEnumerable<string> Losses(ClassShares shares, int given)
    {
        for (int i = 0; i < given; i++)
        {
            string[] lost = [.. shares.Classes.Where((_, c) => shares.Rows[i].Right[c] >= Known && shares.Rows[^1].Right[c] < Lost)];
            if (lost.Length > 0)
                yield return $"{shares.Rows[i].Name} knows {Listed(lost)}, and what became of the networks does not: networks that learned different classes lose much when they are fused without training; fine-tune on samples of all";
        }
    }

    /// <summary>Training that ended below where it began.</summary>
    private static IEnumerable<string> Worsened(List<NetworkRow> rows)
    {
        if (rows is [.., { Measures: [{ IsShare: true } before, ..] }, { Name: TunedName, Measures: [{ IsShare: true } after, ..] }] && after.Value < before.Value)
            yield return $"fine-tuning ended below where it began: {Text(before)} before, {Text(after)} after; a lower rate may do better";
    }

    private static string Listed(string[] classes) => $"{(classes.Length == 1 ? "the class" : "the classes")} {string.Join(", ", classes.Take(12))}{(classes.Length > 12 ? " ..." : "")}";

    /// <summary>Networks that know nothing of many classes that another one knows.</summary>
    private static IEnumerable<string> Strangers(ClassShares shares, int given)
    {
        for (int i = 0; i < given; i++)
        {
            string[] unknown = [.. shares.Classes.Where((_, c) => shares.Rows[i].Right[c] < Unknown && shares.Rows[..given].Any(other => other.Right[c] > Known))];
            if (unknown.Length >= Math.Max(2, Part * shares.Classes.Length))
                yield return $"{shares.Rows[i].Name} knows nothing of {Listed(unknown)}, which another network knows: networks for different classes lose much when they are fused without training; look at the classes, and fine-tune";
        }
    }
}
