using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>What networks are worth before and after their units were matched: each by itself, together as an ensemble, averaged as they came, and merged.</summary>
/// <inheritdoc cref="NetworkScores" path="/param"/>
public sealed record AlignmentScores(string Data, int Samples, bool IsTest, ImmutableArray<NetworkRow> Rows) : NetworkScores(Data, Samples, IsTest, Rows)
{
    private const int CurvePoints = 11, CurveResetSamples = 1000;

    /// <summary>The straight line between two networks, as they came; empty where there are more, or they were zipped.</summary>
    public ImmutableArray<InterpolationPoint> Before { get; init; } = [];

    /// <summary>The line to the second one with its units moved.</summary>
    public ImmutableArray<InterpolationPoint> After { get; init; } = [];

    /// <summary>What is done to the networks on the line, in words.</summary>
    public string LineText { get; init; } = "";

    /// <summary>Measures networks.</summary>
    /// <param name="alignment">Networks that were matched.</param>
    /// <param name="merged">What they become: one network, or one for each head of a network that was merged up to a cut; none to make it.</param>
    /// <param name="samples">Most samples to measure on, drawn by the seed.</param>
    /// <param name="progress">Hears how many of how many networks are measured.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>Null where there is no data with labels.</returns>
    public static AlignmentScores? Of(NetworkAlignment alignment, IReadOnlyList<Contestant> merged, int samples, Action<int, int>? progress = null, CancellationToken cancel = default)
    {
        if (SamplesFor(alignment, samples, alignment.Options.Seed) is not { } data) return null;
        IEnumerable<NetworkRow> Measured(bool given, params IReadOnlyList<Contestant> networks) => RowsOf(alignment, networks, given, data, alignment.Options.Batch, cancel);

        bool hasLine = alignment.Models.Count == 2 && alignment.Result.Maps.ArePermutations && data.Labels.Length > 0 && ItemRanking.Of(data) is null;
        int steps = hasLine ? 5 : 3, resetSamples = 0;
        progress?.Invoke(0, steps);
        List<NetworkRow> rows = [.. Measured(true, [.. alignment.Models.Select((m, i) => new Contestant(alignment.Names[i], m.Graph))])];
        progress?.Invoke(1, steps);
        rows.AddRange(Measured(false, new Contestant(AverageName, alignment.PlainAverage(reset: false, cancel))));
        if (alignment.CanReset) rows.AddRange(Measured(false, new Contestant(AverageName + ResetEnding, alignment.PlainAverage(reset: true, cancel))));
        progress?.Invoke(2, steps);
        IReadOnlyList<Contestant> results = merged.Count > 0 ? merged : ResultsOf(alignment, alignment.Merged(cancel));
        foreach (Contestant result in results) rows.AddRange(Measured(false, result));
        AlignmentScores scores = new(NameOf(alignment), data.Count, alignment.Data!.Test is not null, [.. rows]);
        if (!hasLine) return scores;
        progress?.Invoke(3, steps);
        ImmutableArray<InterpolationPoint> before = Line(alignment, data, moved: false, out resetSamples, cancel);
        progress?.Invoke(4, steps);
        return scores with
        {
            Before = before,
            After = Line(alignment, data, moved: true, out _, cancel),
            LineText = resetSamples > 0 ? $"batch normalisations estimated anew at every point on {resetSamples:N0} samples" : alignment.CanReset ? "nothing repaired at its points" : "no statistics reset at its points",
        };
    }

    /// <summary>What matched networks become, as it is measured: where its statistics were set anew, also without that.</summary>
    /// <param name="alignment">The networks.</param>
    /// <param name="merged">What they became.</param>
    /// <param name="cut">The value up to which they were merged; null for all of them.</param>
    public static IReadOnlyList<Contestant> ResultsOf(NetworkAlignment alignment, Graph merged, string? cut = null)
    {
        string name = cut is null ? $"merged after matching ({(alignment.Description.Permutations is null ? alignment.Description.Method.Name : "permutations of a file")})" : $"merged up to {cut}";
        IEnumerable<Contestant> Of(string called, Graph network) => cut is null ? [new(called, network)] : alignment.Heads(called, network);
        return alignment.ResetText == "" ? [.. Of(name, merged)] : [.. Of(name, alignment.Unreset(cut)), .. Of(name + ResetEnding, merged)];
    }

    private static ImmutableArray<InterpolationPoint> Line(NetworkAlignment alignment, Dataset data, bool moved, out int resetSamples, CancellationToken cancel)
    {
        Siblings given = alignment.Siblings;
        IReadOnlyDictionary<string, Tensor> second = moved ? Rearrangement.Apply(alignment.Result.Maps, 1, given.Weights[1]) : given.Weights[1];
        Dataset? reset = alignment.ResetsNormalisations ? ActivationStatistics.Calibration(alignment.Data!.Train!, alignment.Options with { Samples = Math.Min(CurveResetSamples, alignment.Options.Samples ?? CurveResetSamples) }) : null;
        resetSamples = reset?.Count ?? 0;
        return Interpolation.Run(new(given.Groups, [given.Weights[0], second], alignment.Names), alignment.Loss, data, Interpolation.Lambdas(CurvePoints), reset, alignment.Options.Batch, cancel: cancel);
    }
}
