using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Merging.Recipes;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>A data set as the registry, run descriptions and <c>amalgam data</c> know it. One more data set is one more line in <see cref="All"/>.</summary>
/// <param name="Name">Its name, and that of its folder.</param>
/// <param name="Summary">What it is, one sentence without the full stop.</param>
/// <param name="Terms">Whose it is, and under which terms, as far as they are stated.</param>
public sealed record DataSource(string Name, string Summary, string Terms)
{
    private static readonly ImmutableArray<string> Digits = [.. Enumerable.Range(0, 10).Select(d => d.ToString(CultureInfo.InvariantCulture))];
    private static readonly ImmutableArray<string> Clothes = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"];
    private static readonly ImmutableArray<string> Things = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Every data set, in the order in which help shows them.</summary>
    public static readonly ImmutableArray<DataSource> All =
    [
        new("glyphs", "Drawn signs 28 x 28, made on the spot: ten classes or up to twenty", "Part of Amalgam")
        {
            Options = ImmutableDictionary.CreateRange<string, string>([new("train", "10000"), new("test", "2000"), new("seed", "0"), new("classes", "10")]),
            Open = (_, split, o) => Glyphs.Create(o.Whole(split == Split.Train ? "train" : "test", 1, 10_000_000), o.Whole("seed", 0, int.MaxValue), split, o.Whole("classes", 2, Glyphs.MostClasses)),
        },
        new("captions", "Coloured pictures 32 x 32 of drawn signs with sentences that say what is in them, made on the spot", "Part of Amalgam")
        {
            HasValidation = true,
            Options = ImmutableDictionary.CreateRange<string, string>(
                [new("train", "10000"), new("validation", "1000"), new("test", "1000"), new("seed", "0"), new("things", "2"), new("captions", "1"), new("glyphs", "20")]),
            Open = (_, split, o) => new Captions(
                o.Whole(split switch { Split.Train => "train", Split.Validation => "validation", _ => "test" }, 1, Captions.MostPictures), o.Whole("seed", 0, int.MaxValue), split,
                o.Whole("things", 1, Captions.MostThings), o.Whole("captions", 1, Captions.MostSentences), o.Whole("glyphs", 2, Glyphs.MostClasses)),
        },
        OfIdx("mnist", "Handwritten digits 28 x 28: 60,000 to train, 10,000 to test", "Y. LeCun and C. Cortes; commonly stated as CC BY-SA 3.0", Digits, DataDownload.Mnist),
        OfIdx("fashion-mnist", "Articles of clothing 28 x 28: 60,000 to train, 10,000 to test", "Zalando SE, MIT", Clothes, DataDownload.FashionMnist),
        new("cifar10", "Photographs 32 x 32 of ten kinds of things: 50,000 to train, 10,000 to test; those of data_batch_1 to 5 that are there", "A. Krizhevsky, V. Nair and G. Hinton; to be cited")
        {
            Files = ["cifar10/data_batch_1.bin", "cifar10/data_batch_2.bin", "cifar10/data_batch_3.bin", "cifar10/data_batch_4.bin", "cifar10/data_batch_5.bin", "cifar10/test_batch.bin"],
            Downloads = DataDownload.Cifar10,
            Open = (files, split, _) => ImageFiles.Cifar($"cifar10, {Of(split)}", split == Split.Test ? [files.Need("cifar10/test_batch.bin")]
                : files.Some([.. Enumerable.Range(1, 5).Select(i => $"cifar10/data_batch_{i}.bin")]), 1, 0, Things),
        },
        new("cifar100", "Photographs 32 x 32 of a hundred kinds of things: 50,000 to train, 10,000 to test", "A. Krizhevsky; to be cited")
        {
            Files = ["cifar100/train.bin", "cifar100/test.bin"],
            Downloads = DataDownload.Cifar100,
            Options = ImmutableDictionary.CreateRange<string, string>([new("coarse", "false")]),
            Open = (files, split, o) => o.Flag("coarse")
                ? ImageFiles.Cifar($"cifar100, {Of(split)}", [files.Need($"cifar100/{(split == Split.Train ? "train" : "test")}.bin")], 2, 0, Numbers(20))
                : ImageFiles.Cifar($"cifar100, {Of(split)}", [files.Need($"cifar100/{(split == Split.Train ? "train" : "test")}.bin")], 2, 1, Numbers(100)),
        },
        .. TextSource.All,
        .. RecommendationData.Sources,
    ];

    /// <summary>The files that it is read from, as they lie under the data folder; each may end in .gz.</summary>
    public ImmutableArray<string> Files { get; init; } = [];

    /// <summary>Where its publisher offers it; empty when Amalgam does not fetch it.</summary>
    public ImmutableArray<Download> Downloads { get; init; } = [];

    /// <summary>Its options with their defaults, as texts.</summary>
    public ImmutableDictionary<string, string> Options { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Whether it has a part for validation of its own.</summary>
    public bool HasValidation { get; init; }

    /// <summary>Opens one part of it.</summary>
    internal Func<DataFiles, Split, DataOptions, Dataset> Open { private get; init; } = null!;

    /// <summary>The data set of that name.</summary>
    /// <exception cref="InvalidDataException">There is none; the message lists those that exist.</exception>
    public static DataSource Find(string name) => All.FirstOrDefault(s => s.Name == name) ?? throw new InvalidDataException(
        $"there is no data set {Nearest.Quote(name)}{Nearest.Hint(name, All.Select(s => s.Name))}; known are {string.Join(", ", All.Select(s => s.Name))}, and paths to .npz files and folders of images");

    /// <summary>Opens a data set by its name, or the arrays of an .npz file or a folder of images by its path.</summary>
    /// <param name="name">A name of <see cref="All"/>, a path that ends in .npz, or that of a folder.</param>
    /// <param name="split">Which part; an .npz file has one, and few data sets have one for validation.</param>
    /// <param name="options">Options as texts; those not given at their defaults.</param>
    /// <param name="root">The data folder; null for <see cref="DataFolder.Root"/>.</param>
    /// <exception cref="InvalidDataException">There is no such data set, part or option, its files are not there, or they are damaged.</exception>
    public static Dataset OpenNamed(string name, Split split, IReadOnlyDictionary<string, string>? options = null, string? root = null)
    {
        options ??= ImmutableDictionary<string, string>.Empty;
        DataSource? known = All.FirstOrDefault(s => s.Name == name);
        if (split == Split.Validation && known is not { HasValidation: true } && (known is not null || name.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) || Directory.Exists(name)))
            throw new InvalidDataException($"{name} has no validation part of its own; 'validation: 1000' in a run's data holds out so many of its training samples");
        if (name.EndsWith(".npz", StringComparison.OrdinalIgnoreCase))
            return options.Count == 0 ? ArraySet.Read(name) : throw new InvalidDataException($"{name} has no options, found '{options.Keys.First()}'");
        if (known is null && Directory.Exists(name))
            return options.Count == 0 ? ImageFolder.Open(name, split) : throw new InvalidDataException($"{name} has no options, found '{options.Keys.First()}'");
        DataSource source = known ?? Find(name);
        foreach (string option in options.Keys.Where(o => !source.Options.ContainsKey(o)))
        {
            throw new InvalidDataException(
                $"the data set {name} has no option {Nearest.Quote(option)}{Nearest.Hint(option, source.Options.Keys)}{(source.Options.IsEmpty ? "; it has none" : $"; it has {string.Join(", ", source.Options.Keys.Order())}")}");
        }

        return source.Open(new(source, root ?? DataFolder.Root), split, new(name, source.Options.SetItems(options)));
    }

    /// <summary>Whether its files are the user's own, named by options.</summary>
    public bool IsYours => Name == TextSource.Own;

    /// <summary>Whether all that it needs is there.</summary>
    public bool IsThere(string root) => Files.All(file => DataFolder.Find(root, file) is not null);

    private static string Of(Split split) => split == Split.Train ? "training" : "test";

    private static ImmutableArray<string> Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    private static DataSource OfIdx(string name, string summary, string terms, ImmutableArray<string> classes, ImmutableArray<Download> downloads) => new(name, summary, terms)
    {
        Files = [$"{name}/train-images-idx3-ubyte", $"{name}/train-labels-idx1-ubyte", $"{name}/t10k-images-idx3-ubyte", $"{name}/t10k-labels-idx1-ubyte"],
        Downloads = downloads,
        Open = (files, split, _) =>
        {
            string part = split == Split.Train ? "train" : "t10k";
            return ImageFiles.Idx($"{name}, {Of(split)}", files.Need($"{name}/{part}-images-idx3-ubyte"), files.Need($"{name}/{part}-labels-idx1-ubyte"), classes);
        },
    };
}

/// <summary>Finds the files of a data set.</summary>
internal sealed record DataFiles(DataSource Source, string Root)
{
    /// <summary>A file that must be there.</summary>
    public string Need(string file) => DataFolder.Find(Root, file) ?? throw new InvalidDataException(
        $"the data set {Source.Name} is not under {Root}: {file} is missing, plain or .gz; " + (Source.Downloads.IsEmpty
            ? $"put it there, or set {DataFolder.Variable} to the folder that has it (docs/data.md says where it comes from)"
            : $"'amalgam data get {Source.Name}' fetches it, or set {DataFolder.Variable} to the folder that has it"));

    /// <summary>Those of some files that are there, at least one.</summary>
    public IReadOnlyList<string> Some(string[] files) => files.Select(file => DataFolder.Find(Root, file)).OfType<string>().ToArray() is { Length: > 0 } found ? found : [Need(files[0])];
}

/// <summary>Options of a data set, all of them, as texts.</summary>
internal sealed record DataOptions(string Of, ImmutableDictionary<string, string> Texts)
{
    public int Whole(string name, int least, int most) =>
        int.TryParse(Texts[name], NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value : throw new InvalidDataException($"the option {name} of the data set {Of} must be a whole number from {least} to {most}, found {Nearest.Quote(Texts[name])}");

    public bool Flag(string name) => Texts[name] switch
    {
        "true" => true,
        "false" => false,
        string other => throw new InvalidDataException($"the option {name} of the data set {Of} must be true or false, found {Nearest.Quote(other)}"),
    };
}
