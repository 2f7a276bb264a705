using System.Collections.Immutable;
using System.Text;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>
/// The tables of MergeNet (Li et al., MergeNet: knowledge migration across heterogeneous models, tasks and modalities, 2024) run anew at the scale of two cores, each network compared with itself trained alone with the
/// same seed: the same first weights and the same batches. Rates and cycles are chosen on held-out training samples; the test data is looked at once for each row.
/// </summary>
public static class MergenetExperiment
{
    /// <summary>The file of rows, a line of JSON each.</summary>
    public const string RowsFile = "rows.jsonl";

    /// <summary>The tables.</summary>
    public const string TableFile = "table.md";

    /// <summary>The page with charts.</summary>
    public const string PageFile = "report.html";

    private const int First = 1;

    private static readonly ImmutableArray<MergenetTable> All =
    [
        new("1", "a ResNet and MobileNetV2 on CIFAR-10, with the baselines of distillation", options => new ImageTables(options).Compare()),
        new("2", "the encoders for images and for text of one network", options => new TowerTables(options).Run()),
        new("3", "two tasks of text, encoders of different depth", options => new TextTables(options).TwoTasks()),
        new("4", "an encoder of text and a network for images", options => new TextTables(options).TextAndImages()),
        new("5", "MobileNetV2 teaches itself, at four depths", options => new ImageTables(options).OfItself()),
        new("6", "layers of an encoder teach layers of a shallower one", options => new TextTables(options).LayerToLayer()),
        new("7", "other adapters and rules", options => new ImageTables(options).Ablate()) { Against = ImageTables.Full },
        new("cycle", "T_cycle", options => new ImageTables(options).VaryCycle()) { Paper = "figure 3" },
        new("damped", "the pairs of tables 1, 2 and 3 with adapters whose own changes are damped, and by the usual rule: damped, within a trust region", Damped),
        new("damped-4", "that of table 4 likewise", options => new TextTables(options).TextAndImagesDamped()),
        new("scratch", "the networks of table 1 together from the first step on", options => new ImageTables(options).CompareFromScratch()),
        new("choice", "the rate and cycle of the image networks' adapters, chosen on held-out training samples", options => new ImageTables(options).Choose()) { IsChoice = true },
        new("choice-text", "those of the encoders' adapters", options => new TextTables(options).Choose()) { IsChoice = true },
        new("choice-towers", "the rate of table 2's adapters", options => new TowerTables(options).Choose()) { IsChoice = true },
    ];

    /// <summary>The tables: the name, with what it is called in the paper where that is another, and what each is of.</summary>
    public static ImmutableArray<(string Name, string Title, string Summary)> Tables => [.. All.Select(table => (table.Name, table.Title, table.Summary))];

    /// <summary>Runs a table and writes rows, tables and a page.</summary>
    /// <exception cref="InvalidDataException">There is no such table, or its data is not there.</exception>
    public static MergenetResult Run(MergenetOptions options)
    {
        MergenetTable table = Find(options.Table);
        options = options with { Table = table.Name };
        string folder = EarlierRun.Open(Path.Combine(options.Folder, $"table-{table.Name}"));
        MergenetResult result = new(options, folder, [.. Rows(table, options)])
        {
            Against = table.Against,
            Settings = table.Entries(options).DistinctBy(entry => entry.Section).ToImmutableDictionary(entry => entry.Section, entry => entry.Subject.Setting(table.IsChoice)),
        };
        File.WriteAllLines(Path.Combine(folder, RowsFile), result.Rows.Select(row => row.ToJson()));
        File.WriteAllText(Path.Combine(folder, TableFile), MergenetMarkdown.Of(result), new UTF8Encoding(false));
        MergenetPage.Of(result).Save(Path.Combine(folder, PageFile));
        return result;
    }

    /// <summary>The rows of a table.</summary>
    internal static IEnumerable<TableEntry> EntriesOf(MergenetOptions options) => Find(options.Table).Entries(options);

    private static MergenetTable Find(string name) => All.FirstOrDefault(table => table.Name == name || table.Paper == name.Replace('-', ' '))
        ?? throw new InvalidDataException($"there is no table {Nearest.Quote(name)}{Nearest.Hint(name, All.Select(t => t.Name))}; known are {string.Join(", ", All.Select(t => t.Title))}");

    /// <summary>Each seed in turn, so that a run that is stopped leaves whole seeds. Choices are made with the seeds before the first.</summary>
    private static IEnumerable<MethodRow> Rows(MergenetTable table, MergenetOptions options)
    {
        TrialBench bench = new(options);
        TableEntry[] entries = [.. table.Entries(options)];
        foreach (int seed in table.IsChoice ? Enumerable.Range(First - options.Seeds, options.Seeds).Reverse() : Enumerable.Range(First, options.Seeds))
        {
            foreach (TableEntry entry in entries) yield return bench.Row(entry, seed, table.IsChoice);
        }
    }

    private static IEnumerable<TableEntry> Damped(MergenetOptions options) => [.. new ImageTables(options).Damped(), .. new TowerTables(options).Damped(), .. new TextTables(options).Damped()];

    /// <summary>A table.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Summary">What it is of.</param>
    /// <param name="Entries">Its rows.</param>
    private sealed record MergenetTable(string Name, string Summary, Func<MergenetOptions, IEnumerable<TableEntry>> Entries)
    {
        /// <summary>What the paper calls it, where that is no table of the name.</summary>
        public string? Paper { get; init; }

        /// <summary>For people: its name, and what the paper calls it.</summary>
        public string Title => Paper is null ? Name : $"{Name} ({Paper})";

        /// <summary>Whether it is about a choice, so that no test sample is looked at.</summary>
        public bool IsChoice { get; init; }

        /// <summary>A method beside training alone that the others are compared with; null for none.</summary>
        public string? Against { get; init; }
    }
}
