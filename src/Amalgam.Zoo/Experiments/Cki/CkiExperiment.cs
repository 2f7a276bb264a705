using System.Collections.Immutable;
using System.Text;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Training.Data;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>
/// The tables of CKI's paper (Lv et al., Optimize Incompatible Parameters through Compatibility-aware Knowledge Integration, AAAI 2025), run anew. Every choice, the best epoch
/// among them, is made on validation data; the test data is looked at once for each row, when the choice is made.
/// </summary>
public static class CkiExperiment
{
    /// <summary>The file of rows, a line of JSON each.</summary>
    public const string RowsFile = "rows.jsonl";

    /// <summary>The table.</summary>
    public const string TableFile = "table.md";

    /// <summary>The page with charts.</summary>
    public const string PageFile = "report.html";

    /// <summary>Runs a table and writes rows, table and page.</summary>
    /// <exception cref="InvalidDataException">There is no such table, or its data is not there.</exception>
    public static CkiResult Run(CkiOptions options) =>
        options.Published ? Run(options with { Table = 1, Starts = [CkiStart.Other] }, PublishedSetting.Open(options)) : Run(options, options.Table == 2 ? TextSetting.Open(options) : ClickSetting.Open(options));

    /// <summary>Runs a table on a subject.</summary>
    internal static CkiResult Run(CkiOptions options, Subject subject)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Seeds, 1);
        string folder = EarlierRun.Open(Path.Combine(options.Folder, $"table-{options.Table}-{subject.Name}"));
        RowLog log = new(Path.Combine(folder, RowsFile), options.Table == 3 ? $"{subject.Description}; {subject.DynamicEpochs} epochs of dynamic networks" : subject.Description, subject.Figures.Names, options.Overwrite);
        TrainedNetworks networks = new(subject, options);
        Trials trials = new(subject, log, options);
        foreach (CkiStart start in options.Starts)
        {
            for (int seed = 1; seed <= options.Seeds; seed++) TableOf(options, subject, networks, trials)(start, seed);
        }

        string reference = options.Table == 3 ? Methods.Dynamic : Methods.A;
        ImmutableArray<Row> rows = [.. log.Rows.Where(row => options.Starts.Contains(row.Start) && row.Seed <= options.Seeds)];
        CkiResult result = new(
            options, folder, subject.Name, Setting(subject), subject.Figures.Names, subject.Figures.Merit, reference, rows, Costs(options, subject, networks),
            Shares(options, subject, networks), PaperOf(options));
        File.WriteAllText(Path.Combine(folder, TableFile), CkiMarkdown.Of(result), new UTF8Encoding(false));
        CkiPage.Of(result).Save(Path.Combine(folder, PageFile));
        return result;
    }

    /// <summary>The paper's recommenders are DIN; rows of them say nothing beside others.</summary>
    private static ImmutableArray<PaperRow> PaperOf(CkiOptions options) => options.Published || (options.Table != 2 && options.Model != "din") ? [] : PaperTables.Find(options.Table, options.Dataset);

    private static Action<CkiStart, int> TableOf(CkiOptions options, Subject subject, TrainedNetworks networks, Trials trials) => options.Table switch
    {
        3 => new DynamicTable(subject, networks, trials).Run,
        4 => new RetrainingTable(subject, networks, trials, options).Run,
        _ => new StaticTable(subject, networks, trials, options).Run,
    };

    /// <summary>Networks of the first seed; table 4 has the sizes of table 1.</summary>
    private static ImmutableArray<Cost> Costs(CkiOptions options, Subject subject, TrainedNetworks networks)
    {
        if (options.Table == 4) return [];
        StaticPair pair = new(subject, networks, options.Starts[0], 1);
        Scope scope = subject.Scopes[0];
        if (options.Table != 3)
        {
            Graph integrated = pair.Integrate(scope, CkiSplice.Soft, TrainScope.Splice).Network;
            return InferenceClock.Measure(subject.Test, (Methods.A, [pair.A]), (Methods.In(Methods.Spliced, scope), [integrated]), (Methods.Ensemble, [pair.A, pair.B]));
        }

        DynamicPair dynamic = new(subject, networks, pair);
        Graph spliced = dynamic.Integrate(scope, CkiSplice.Soft, TrainScope.Splice).Network;
        return InferenceClock.Measure(subject.Test, (Methods.A, [pair.A]), (Methods.Dynamic, [dynamic.B]), (Methods.In(Methods.Spliced, scope), [spliced]), (Methods.Ensemble, [pair.A, dynamic.B]));
    }

    private static ImmutableArray<ShareRange> Shares(CkiOptions options, Subject subject, TrainedNetworks networks)
    {
        if (options.Table > 2) return [];
        Scope scope = subject.Scopes[0];
        return [.. options.Starts.SelectMany(start => Methods.Splices.SelectMany(splice =>
            ShareRange.Of($"{(splice == CkiSplice.Soft ? "soft" : "hard")}, {(start == CkiStart.Same ? "same" : "other")} start", new StaticPair(subject, networks, start, 1).Learn(scope, splice, TrainScope.Splice).Integration)))];
    }

    private static string Setting(Subject subject) => FormattableString.Invariant(
        $"{Samples(subject.Train, subject.Whole.Train, "training samples")}, {Samples(subject.Validation, subject.Whole.Validation, "for every choice")}, {Samples(subject.Test, subject.Whole.Test, "for results")}. ")
        + FormattableString.Invariant(
        $"{subject.Training.Rule.Name}, rate {subject.Training.Rate}, batch {Batch(subject)}, {subject.Epochs} epochs; {subject.MoreEpochs} more for what is learned afterwards; the best epoch by {subject.Figures.Merit} on the validation samples. Steps are those of all that was trained for a row, after the pair: of the soft and the hard splice where the validation data chose.");

    private static string Samples(Dataset some, Dataset all, string use) =>
        FormattableString.Invariant($"{some.Count:#,0} {use} ({(some.Count == all.Count ? "" : FormattableString.Invariant($"drawn of the {all.Count:#,0} of "))}{all.Name})");

    /// <summary>Where a sample is a group of items, a batch counts groups.</summary>
    private static string Batch(Subject subject)
    {
        long items = subject.Train.Fields[subject.Train.IndexOf("label")].Shape.Count;
        return FormattableString.Invariant($"{subject.Training.Batch}{(items == 1 ? "" : $" groups of {items}")}");
    }
}
