using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>What a method came to.</summary>
/// <param name="Test">The figures on the test data.</param>
/// <param name="Note">What was chosen, such as which layers belong together; empty for nothing.</param>
/// <param name="Choice">Share of the held-out training samples that are right, by which a choice was made; NaN where there was none.</param>
/// <param name="Tried">Among how many.</param>
/// <param name="Seconds">Time that the method took; NaN for all the time of the row.</param>
internal readonly record struct Outcome(ImmutableArray<Figure> Test, string Note = "", double Choice = double.NaN, int Tried = 1, double Seconds = double.NaN);

/// <summary>Where the rows of a table are made, each once: another run goes on after the last.</summary>
internal sealed class Bench(ClafusionOptions options, MethodLog log, string folder)
{
    private readonly Lazy<ClafusionParents> _parents = new(() => new(options));

    /// <summary>How the reproduction runs.</summary>
    public ClafusionOptions Options => options;

    /// <summary>Where the table's files go.</summary>
    public string Folder => folder;

    /// <summary>The networks that are fused.</summary>
    public ClafusionParents Parents => _parents.Value;

    /// <summary>Some seeds from a first one on.</summary>
    public IEnumerable<int> Seeds(int first, int usual) => Enumerable.Range(first, options.Seeds ?? usual);

    /// <summary>Makes a row that is not there yet.</summary>
    public void Row(string table, string pair, string method, Func<Outcome> make)
    {
        if (log.Has(table, pair, method)) return;
        options.Cancel.ThrowIfCancellationRequested();
        long start = Stopwatch.GetTimestamp();
        Outcome outcome = make();
        double whole = Stopwatch.GetElapsedTime(start).TotalSeconds;
        MethodRow row = new(table, pair, method, outcome.Note, outcome.Tried, outcome.Choice, outcome.Test, double.IsNaN(outcome.Seconds) ? whole : outcome.Seconds);
        log.Add(row);
        string figures = string.Join(", ", row.Test.Where(f => f.Name != "loss").Select(f => $"{f.Name} {ClafusionMarkdown.Text(new(f.Value, double.NaN), f.Name)}"));
        options.Line?.Invoke(FormattableString.Invariant($"{table}, {pair}, {method}: {figures}{(row.Chosen == "" ? "" : $" ({row.Chosen})")}, {whole:0.0} s"));
    }

    /// <summary>Makes the row of a network without the bias of its output layer (<see cref="LastBias"/>).</summary>
    public void Unbiased(string table, string pair, string name, ImageSetting setting, Func<Graph> network) =>
        Row($"{table}, no bias", pair, name, () => new(setting.Measure([LastBias.WithoutBias(network())])));

    /// <summary>Makes the rows of networks that are there, and of their ensemble.</summary>
    public void Parts(string table, string pair, ImageSetting setting, params ReadOnlySpan<(string Name, Func<Graph> Network)> parts)
    {
        var all = parts.ToArray();
        foreach (var (name, network) in all) Row(table, pair, name, () => new(setting.Measure([network()])));
        Row(table, pair, "ensemble", () => new(setting.Measure([.. all.Select(part => part.Network())])));
    }
}
