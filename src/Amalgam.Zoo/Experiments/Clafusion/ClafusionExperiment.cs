using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>
/// The tables of CLAFusion (Nguyen et al., On cross-layer alignment for model fusion of heterogeneous neural networks, 2023), run anew: MNIST at the paper's full scale, CIFAR-10 at the scale of two cores,
/// and what the paper has not. Every choice is made on training samples; the test data is looked at once for each row.
/// </summary>
public static class ClafusionExperiment
{
    /// <summary>The file of rows, a line of JSON each.</summary>
    public const string RowsFile = "rows.jsonl";

    /// <summary>The tables.</summary>
    public const string TableFile = "table.md";

    /// <summary>The page with charts.</summary>
    public const string PageFile = "report.html";

    private static readonly ImmutableArray<(string Name, string Summary, Action<Bench> Run)> All =
    [
        ("9", "MLPs on MNIST: the mapping that each measure and constraint chooses", bench => new MlpMappings(bench).Choose()),
        ("10", "MLPs on MNIST: all ten mappings, layers added or merged", bench => new MlpMappings(bench).Compare()),
        ("13", "skill transfer on MNIST, each weight from 0 to 1", bench => new SkillTransfer(bench).Run()),
        ("1", "ResNet-34 and ResNet-18 on CIFAR-10, fused and fine-tuned", bench => new ResidualNetworks(bench).RunTwo()),
        ("2", "four and six ResNets", bench => new ResidualNetworks(bench).RunMany()),
        ("3", "ResNet-18's weights copied into ResNet-34", bench => new WeightCopies(bench).Run()),
        ("4", "a VGG teacher fused into a student", bench => new TeacherAndStudent(bench).Run()),
        ("5", "distillation of the teacher into students from five beginnings", bench => new TeacherAndStudent(bench).Distil()),
        ("11", "VGG networks: other mappings", bench => new TeacherAndStudent(bench).RunMappings()),
        ("12", "ResNets: other mappings", bench => new ResidualNetworks(bench).RunMappings()),
        ("20", "parameters, inference, and what fusing takes", bench => new Costs(bench).Run()),
        ("mlps", "OTFusion's networks, by activations and by weights", bench => new PublishedNetworks(bench).RunMlps()),
        ("halves", "ResNets that know half of the classes each, with batch normalisation", bench => new PublishedNetworks(bench).RunHalves()),
        ("deeper", "a deeper MLP and one of OTFusion's", bench => new PublishedNetworks(bench).RunDeeper()),
        ("compositions", "ResNets with balanced layers: other ways to match units, other merge methods", bench => new Compositions(bench).Run()),
        ("compositions-tuned", "two of them, fine-tuned", bench => new Compositions(bench).RunTuned()),
        ("bias", "fused ResNets and VGG networks without the last layer's bias, and with the scale of activations set right (REPAIR)", bench => new LastBias(bench).Run()),
        ("rates", "the learning rate of fine-tuning, chosen on held-out training samples", bench => new RateChoice(bench).Run()),
    ];

    /// <summary>The tables: what each is of.</summary>
    public static ImmutableArray<(string Name, string Summary)> Tables => [.. All.Select(table => (table.Name, table.Summary))];

    /// <summary>Runs a table and writes rows, tables and a page.</summary>
    /// <exception cref="InvalidDataException">There is no such table, or its data is not there.</exception>
    public static ClafusionResult Run(ClafusionOptions options)
    {
        int index = All.Select(table => table.Name).ToList().IndexOf(options.Table);
        if (index < 0)
            throw new InvalidDataException($"there is no table {Nearest.Quote(options.Table)}{Nearest.Hint(options.Table, All.Select(t => t.Name))}; known are {string.Join(", ", All.Select(t => t.Name))}");
        string folder = EarlierRun.Open(Path.Combine(options.Folder, $"table-{options.Table}"));
        MethodLog log = new(Path.Combine(folder, RowsFile), Description(options), options.Overwrite);
        All[index].Run(new(options, log, folder));
        ClafusionResult result = new(options, folder, [.. log.Rows]);
        File.WriteAllText(Path.Combine(folder, TableFile), ClafusionMarkdown.Of(result), new UTF8Encoding(false));
        ClafusionPage.Of(result).Save(Path.Combine(folder, PageFile));
        return result;
    }

    /// <summary>What decides on rows: others are not taken over.</summary>
    private static string Description(ClafusionOptions options) => FormattableString.Invariant(
        $"table {options.Table}; samples {Text(options.Samples) ?? "as the paper"}; epochs {Text(options.Epochs) ?? "as usual"}; fine-tuned for {options.FineTuning}; tested on {Text(options.Limit) ?? "all"}");

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
