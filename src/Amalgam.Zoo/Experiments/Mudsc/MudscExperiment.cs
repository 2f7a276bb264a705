using System.Collections.Immutable;
using System.Text;
using Amalgam.Merging.Recipes;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>
/// Experiments about matching units: those of MuDSC's paper (Xu et al., Training-free pretrained model merging, CVPR 2024) at the scale of two cores, and what no paper has.
/// Every choice is made on calibration data, the first training samples; the test data is looked at once for each row.
/// </summary>
public static class MudscExperiment
{
    /// <summary>The file of rows, a line of JSON each.</summary>
    public const string RowsFile = "rows.jsonl";

    /// <summary>The tables.</summary>
    public const string TableFile = "table.md";

    /// <summary>The page with charts.</summary>
    public const string PageFile = "report.html";

    /// <summary>The parts: what each is of.</summary>
    public static readonly ImmutableArray<(string Name, string Summary)> Parts =
    [
        ("published", "networks of others: two halves of CIFAR-10, one task from two seeds, two data sets"),
        ("mnist", "is a digit prime, is it odd: the paper's network at full size, and the loss around it"),
        ("resnet", "ResNet-20 with batch and with group normalisation on halves of CIFAR-10's classes"),
        ("transformer", "a small ViT on halves of the digits"),
        ("beyond", "SLERP, TIES and CKI after matching, on the pairs of the other parts"),
        ("din", "does matching help CKI: recommenders from two initialisations"),
        ("strangers", "networks whose units nobody listed"),
    ];

    /// <summary>Runs a part and writes rows, tables and a page.</summary>
    /// <exception cref="InvalidDataException">There is no such part, or its data is not there.</exception>
    public static MudscResult Run(MudscOptions options)
    {
        if (Parts.All(part => part.Name != options.Part))
            throw new InvalidDataException($"there is no part {Nearest.Quote(options.Part)}{Nearest.Hint(options.Part, Parts.Select(p => p.Name))}; known are {string.Join(", ", Parts.Select(p => p.Name))}");
        string folder = EarlierRun.Open(Path.Combine(options.Folder, options.Part));
        MethodLog log = new(Path.Combine(folder, RowsFile), Description(options), options.Overwrite);
        ImmutableArray<ReportPart> pictures = Run(options, log, folder);
        MudscResult result = new(options, folder, [.. log.Rows]) { Notes = [Setting(options)], Pictures = pictures };
        File.WriteAllText(Path.Combine(folder, TableFile), MudscMarkdown.Of(result), new UTF8Encoding(false));
        MudscPage.Of(result).Save(Path.Combine(folder, PageFile));
        return result;
    }

    private static ImmutableArray<ReportPart> Run(MudscOptions options, MethodLog log, string folder)
    {
        PairTable table = new(log, options);
        Lazy<TrainedPairs> trained = new(() => new(new(options), options));
        IEnumerable<ModelPair> Some(IEnumerable<ModelPair> pairs) => options.Pairs is { } count ? pairs.Take(count) : pairs;
        switch (options.Part)
        {
            case "published":
                foreach (ModelPair pair in Some(PublishedPairs.All(options))) table.Run(pair);
                table.RunPartial(PublishedPairs.All(options).First());
                return [];
            case "mnist":
                foreach (ModelPair pair in Some(trained.Value.Mnist())) table.Run(pair, PairMethods.Plain);
                return MnistLandscape.Pictures(trained.Value, options, folder);
            case "resnet":
                foreach (string norm in new[] { "batch", "group" })
                {
                    foreach (ModelPair pair in Some(trained.Value.ResNets(norm))) table.Run(pair);
                }

                return [];
            case "transformer":
                foreach (ModelPair pair in Some(trained.Value.Transformers())) table.Run(pair);
                return [];
            case "beyond":
                AfterMatching after = new(table, log, options, folder);
                foreach (ModelPair pair in PublishedPairs.All(options).Take(2).Concat(Some(trained.Value.Transformers()))) after.Run(pair);
                return [];
            case "din":
                new DinMatching(log, options, folder).Run();
                return [];
            default:
                foreach (ModelPair pair in Strangers.All(trained.Value, options, folder)) table.Run(pair);
                return [];
        }
    }

    private static string Setting(MudscOptions options) => FormattableString.Invariant(
        $"Activations are compared, statistics of batch normalisations (the parents' too) estimated anew and alpha chosen on the first {options.Calibration:#,0} training samples without augmentation; results are of {(options.Limit is { } limit ? $"the first {limit:#,0}" : "all")} test samples.");

    /// <summary>What decides on rows: others are not taken over.</summary>
    private static string Description(MudscOptions options) => FormattableString.Invariant(
        $"part {options.Part}; {options.Calibration} calibration samples; alpha of {string.Join(" ", options.Alphas)}; epochs {options.Epochs?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "as usual"}; tested on {options.Limit?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"}");
}
