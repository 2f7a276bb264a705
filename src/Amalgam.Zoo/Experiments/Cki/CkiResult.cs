using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A table of the paper as it came out here.</summary>
/// <param name="Options">What was run.</param>
/// <param name="Folder">Where rows, table and page are.</param>
/// <param name="Subject">What was learned: data set and architecture.</param>
/// <param name="Setting">Sizes, training and what choices were made by: a paragraph.</param>
/// <param name="Figures">Names of the figures.</param>
/// <param name="Merit">The figure that decides where there is a choice.</param>
/// <param name="Reference">The method that gains are over.</param>
/// <param name="Rows">Each method, seed and kind of pair.</param>
/// <param name="Costs">What inference takes.</param>
/// <param name="Shares">What learned splices of the first seed take from model A; empty where that differs from sample to sample.</param>
/// <param name="Paper">The paper's rows; empty where it has none.</param>
public sealed record CkiResult(
    CkiOptions Options, string Folder, string Subject, string Setting, ImmutableArray<string> Figures, string Merit, string Reference, ImmutableArray<Row> Rows, ImmutableArray<Cost> Costs,
    ImmutableArray<ShareRange> Shares, ImmutableArray<PaperRow> Paper)
{
    /// <summary>Means and spreads over the seeds, for each kind of pair.</summary>
    public ImmutableArray<Summary> Summaries => [.. Rows.Select(row => row.Start).Distinct().Select(start => Summary.Of(Rows, start, Reference))];

    /// <summary>A heading of a summary.</summary>
    internal string Title(Summary summary) => $"{Pair(summary.Start)}, {summary.Seeds} {(summary.Seeds == 1 ? "seed" : "seeds")}";

    /// <summary>Two networks of different architectures can't begin alike: of a static and a dynamic one only what both have does.</summary>
    private string Pair(CkiStart start) => (Options.Table, start) switch
    {
        (3, CkiStart.Same) => "A static and a dynamic network, what both have initialised alike",
        (3, _) => "A static and a dynamic network, initialised apart",
        (_, CkiStart.Same) => "One initialisation, two orders of the data",
        _ => "Two initialisations",
    };
}
