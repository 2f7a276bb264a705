using System.Collections.Immutable;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Transfer.Teaching;
using Amalgam.Zoo.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>A training run: data, model, loss, optimiser, schedule and seeds, as a YAML file says them. <see cref="RunYaml"/> writes it with every key.</summary>
public sealed record RunDescription
{
    /// <summary>What is learned from.</summary>
    public required DataDescription Data { get; init; }

    /// <summary>What learns.</summary>
    public required ModelDescription Model { get; init; }

    /// <summary>What is minimised.</summary>
    public LossDescription Loss { get; init; } = new("cross_entropy");

    /// <summary>Trained networks that are learned from beside the labels; null for none.</summary>
    public DistillDescription? Distill { get; init; }

    /// <summary>How parameters follow from gradients.</summary>
    public UpdateRule Optimizer { get; init; } = new Sgd(0.9);

    /// <summary>Name patterns of the parameters without weight decay: a part of the name, or <c>glob:...</c> or <c>regex:...</c>.</summary>
    public ImmutableArray<string> NoDecay { get; init; } = [];

    /// <summary>Whether biases and norms' scales (parameters of rank 0 and 1) have weight decay too.</summary>
    public bool DecayVectors { get; init; } = true;

    /// <summary>Parameters whose learning rate differs: of the patterns that match a name the first counts.</summary>
    public ImmutableArray<RateGroup> Groups { get; init; } = [];

    /// <summary>Largest norm of all gradients together; null for no limit.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>How the learning rate goes.</summary>
    public Schedule Schedule { get; init; } = new ConstantRate();

    /// <summary>The learning rate that the schedule's factor multiplies.</summary>
    public required double Rate { get; init; }

    /// <summary>Passes over the data.</summary>
    public required int Epochs { get; init; }

    /// <summary>Samples of a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Leaves out the samples of an epoch that do not fill a batch.</summary>
    public bool DropLast { get; init; }

    /// <summary>Decides on the model's first weights, the order of the samples, augmentation and dropout.</summary>
    public long Seed { get; init; }

    /// <summary>Of a learned splice, what is trained; null where the description does not say it.</summary>
    public TrainScope? Train { get; init; }

    /// <summary>Folder of what the run leaves behind; null when the command line names it.</summary>
    public string? Output { get; init; }

    /// <summary>Where it is described, file, line and column; null where it is made in code.</summary>
    public string? Place { get; init; }

    /// <summary>Reads a run description.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, is not YAML, has an unknown key or a value out of its range; the message begins with file, line and column.</exception>
    public static RunDescription Read(string path) => Read(path, null);

    /// <summary>Reads a run description that need not say what learns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">What learns where the description does not say it; null where it must.</param>
    /// <exception cref="InvalidDataException">It cannot be read, is not YAML, has an unknown key or a value out of its range; the message begins with file, line and column.</exception>
    public static RunDescription Read(string path, ModelDescription? model) =>
        Guard(() => RunReader.Read(RecipeFile.Single(RecipeFile.ReadFile(path), path), model));

    /// <summary>Reads a run description that stands in a recipe.</summary>
    internal static RunDescription Read(RecipeNode node, ModelDescription model) => Guard(() => RunReader.Read(node, model));

    /// <summary>Reads the text of a run description.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <exception cref="InvalidDataException">It is no run description.</exception>
    public static RunDescription Parse(string text, string file) => Parse(text, file, null);

    /// <summary>Reads the text of a run description that need not say what learns.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <param name="model">What learns where the description does not say it; null where it must.</param>
    /// <exception cref="InvalidDataException">It is no run description.</exception>
    public static RunDescription Parse(string text, string file, ModelDescription? model) => Guard(() => RunReader.Read(RecipeFile.Single(text, file), model));

    private static RunDescription Guard(Func<RunDescription> read)
    {
        try
        {
            return read();
        }
        catch (MergeException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }
}

/// <summary>What a run learns from.</summary>
/// <param name="Name">A data set's name, as <c>amalgam data list</c> shows it, or a path to an .npz file or a folder of images.</param>
public sealed record DataDescription(string Name)
{
    /// <summary>Reads a data set as the command line names it: <c>beauty:length=50,negatives=99</c>.</summary>
    /// <exception cref="InvalidDataException">An option has no value or stands twice.</exception>
    public static DataDescription Parse(string text)
    {
        if (new DataDescription(text).IsFile) return new(text);
        var (name, options) = NameWithOptions.Parse(text);
        return new(name) { Options = options };
    }

    /// <summary>Whether it is a file of arrays, which has no test part.</summary>
    public bool IsFile => Name.EndsWith(".npz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it has no test part: a file of arrays, a folder of images without one, or own texts of which none are named.</summary>
    public bool HasOnePart => IsFile || (Name == TextSource.Own && !Options.ContainsKey("test")) || (DataSource.All.All(s => s.Name != Name) && ImageFolder.HasOnePart(Name));

    /// <summary>Options of the data set, as texts.</summary>
    public ImmutableDictionary<string, string> Options { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Training samples that are held out, to choose the best epoch by.</summary>
    public int Validation { get; init; }

    /// <summary>Whether the data set's own part for validation is that, and no training sample is held out.</summary>
    public bool OwnValidation { get; init; }

    /// <summary>Which samples are held out depends on it.</summary>
    public long Seed { get; init; }

    /// <summary>Training samples that are used, from the first on; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Classes that are learned, numbered anew in this order; empty for all.</summary>
    public ImmutableArray<int> Classes { get; init; } = [];

    /// <summary>Classes that count as one, by group: the label becomes the group's number. Empty for classes as they are.</summary>
    public ImmutableArray<ImmutableArray<int>> Groups { get; init; } = [];

    /// <summary>Which part of the samples is meant, of the training and of the test samples alike; null for all.</summary>
    public SkillPart? Part { get; init; }

    /// <summary>What is done to images; its random parts to training samples only.</summary>
    public Augmentation Augmentation { get; init; } = new();
}

/// <summary>One of two parts into which samples are divided: all samples of some classes with a share of the others, or what is left.</summary>
/// <param name="Classes">The classes that are in the first part alone.</param>
/// <param name="Share">How much of the other samples the first part has, by chance, rounded up.</param>
/// <param name="Seed">Which ones.</param>
/// <param name="Rest">Whether the second part is meant, the others that are left.</param>
public sealed record SkillPart(ImmutableArray<int> Classes, double Share, long Seed = 0, bool Rest = false);

/// <summary>What a run trains: an architecture of the Zoo with its options, a file that describes layers, an ONNX file, or a folder of Hugging Face.</summary>
/// <param name="Name">Name in the Zoo, a path that ends in .yml, .yaml or .onnx, or that of a folder.</param>
public sealed record ModelDescription(string Name)
{
    /// <summary>Options of the architecture, as texts.</summary>
    public ImmutableDictionary<string, string> Options { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>A checkpoint to begin with; null for weights drawn by the seed (or, of an ONNX file, its own).</summary>
    public string? Weights { get; init; }

    /// <summary>Name patterns of the parameters that are not trained.</summary>
    public ImmutableArray<string> Freeze { get; init; } = [];

    /// <summary>The architecture as the command line names it: <c>mlp:hidden=400/200/100,bias=false</c>, a list with slashes.</summary>
    public string Text => Options.IsEmpty ? Name : $"{Name}:{string.Join(',', Options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={o.Value.Replace(',', '/')}"))}";

    /// <summary>Reads an architecture as the command line names it.</summary>
    /// <exception cref="InvalidDataException">An option has no value or stands twice.</exception>
    public static ModelDescription Parse(string text)
    {
        if (IsOnnxFile(text) || IsLayersFile(text)) return new(text);
        var (name, options) = NameWithOptions.Parse(text);
        return new(name) { Options = options };
    }

    /// <summary>Whether it is an ONNX file.</summary>
    public bool IsOnnx => IsOnnxFile(Name);

    /// <summary>Whether it is a file that describes layers (<see cref="Models.Sequential"/>).</summary>
    public bool IsLayers => IsLayersFile(Name);

    /// <summary>Whether it is a folder of Hugging Face, whose configuration says what the model is.</summary>
    public bool IsFolder => MayBeFolder && Directory.Exists(Name);

    /// <summary>Whether it is none of the other kinds; the folder need not be there any more.</summary>
    internal bool MayBeFolder => !IsOnnx && !IsLayers && Models.ZooModel.All.All(m => m.Name != Name);

    /// <summary>Whether it comes with weights; else they are drawn by the seed.</summary>
    internal bool HasWeights => IsOnnx || IsFolder || Weights is not null;

    /// <summary>Whether a path ends like an ONNX file.</summary>
    public static bool IsOnnxFile(string path) => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a path ends like a file that describes layers.</summary>
    public static bool IsLayersFile(string path) => path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a run minimises.</summary>
/// <param name="Name"><c>cross_entropy</c>, <c>cosine</c>, <c>bce</c>, <c>mse</c>, <c>contrastive</c> or <c>entropy</c>.</param>
public sealed record LossDescription(string Name)
{
    /// <summary>The names.</summary>
    public static readonly ImmutableArray<string> Names = ["cross_entropy", "cosine", "bce", "mse", "contrastive", "entropy"];

    /// <summary>Share of the truth that is spread over all classes, in [0, 1).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Of cosine: a checkpoint whose one matrix has a row for each class.</summary>
    public string? ClassVectors { get; init; }

    /// <summary>Of cosine: which rows of that matrix; empty for those of the classes that are learned.</summary>
    public ImmutableArray<int> Rows { get; init; } = [];

    /// <summary>Of cosine: what the cosines are multiplied by.</summary>
    public double Scale { get; init; } = 100;

    /// <summary>Field of the data that has the truth; null for the usual, <c>label</c> where the truth is a class, <c>picture</c> of contrastive and <c>target</c> elsewhere.</summary>
    public string? Target { get; init; }

    /// <summary>Of cosine: the vectors of the classes of some data.</summary>
    /// <exception cref="InvalidDataException">They cannot be read, or there are fewer.</exception>
    public Tensor? ReadVectors(DataDescription data) => ClassVectors is { } path ? Runs.ClassVectors.Read(path, Rows.IsEmpty ? data.Classes : Rows) : null;
}

/// <summary>What a run learns from trained networks (<see cref="Distillation"/>).</summary>
/// <param name="Method">How, with its parameters; it knows no teachers yet.</param>
/// <param name="Teachers">Checkpoints that say what they are, folders of runs, ONNX files or folders of Hugging Face; of several the mean of the scores counts.</param>
public sealed record DistillDescription(Distillation Method, ImmutableArray<string> Teachers)
{
    /// <summary>Whether the same network is also trained by the labels alone, to compare with.</summary>
    public bool Solo { get; init; }

    /// <summary>Where it is described, file, line and column; null where it is made in code.</summary>
    public string? Place { get; init; }

    /// <summary>The same of each teacher; empty where it is made in code.</summary>
    public ImmutableArray<string> TeacherPlaces { get; init; } = [];

    /// <summary>Does something for a teacher: what goes wrong says where it is named.</summary>
    internal T Locate<T>(int teacher, Func<T> what) => Located.At(teacher < TeacherPlaces.Length ? TeacherPlaces[teacher] : Place, what);
}

/// <summary>Parameters whose learning rate differs.</summary>
/// <param name="Match">Name pattern.</param>
/// <param name="RateScale">What their learning rate is multiplied by.</param>
/// <param name="WeightDecay">Their weight decay; null for the optimiser's.</param>
public sealed record RateGroup(string Match, double RateScale, double? WeightDecay);
