using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A network that others have published (ICLRec, Chen et al., WWW 2022, for Amazon's Beauty), and networks of the same kind that are trained here. Items are ranked among all.</summary>
internal static class PublishedSetting
{
    private const string Dataset = "beauty", File = "models/iclrec-sequential/iclrec-beauty.safetensors", Matrix = ".weight";
    private const int Epochs = 12, MoreEpochs = 2, Users = 4000, Batch = 256;

    /// <summary>What the reproduction is of.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is of another data set, or it or the data is not there.</exception>
    public static Subject Open(CkiOptions options)
    {
        if (options.Dataset != Dataset) throw new InvalidDataException($"the published network is one of {Dataset}, not of '{options.Dataset}'");
        string path = Path.Combine(DataFolder.Root, File);
        if (!System.IO.File.Exists(path)) throw new InvalidDataException($"{path} is missing: set {DataFolder.Variable} to the folder that has it");
        Dataset Part(Split split) => DataSource.OpenNamed($"{Dataset}-next", split);
        return OfItems(options, path, ModelDescription.Parse("iclrec:items=12103,depth=1"), Part(Split.Train), Part(Split.Validation), Part(Split.Test));
    }

    /// <summary>The subject of given data.</summary>
    /// <param name="options">Sizes that are asked for.</param>
    /// <param name="published">The network's checkpoint.</param>
    /// <param name="model">What it is of.</param>
    /// <param name="train">Samples to learn from, such as those of <see cref="NextItems"/>.</param>
    /// <param name="held">Samples that choices are made by.</param>
    /// <param name="test">Samples that results are of.</param>
    internal static Subject OfItems(CkiOptions options, string published, ModelDescription model, Dataset train, Dataset held, Dataset test)
    {
        Dataset validation = Subject.Some(held, options.Users ?? Users);
        return new("published-iclrec", ZooModel.Find(model.Name).With(model.Options), new CrossEntropy(), new NextItemFigures(), Subject.Some(train, options.Limit), validation, Subject.Some(test, options.Users))
        {
            Model = model.Text,
            Published = published,
            Whole = (train, held, test),
            Scopes =
            [
                new("feed-forward", name => name.Contains(".intermediate.dense", StringComparison.Ordinal) && name.EndsWith(Matrix, StringComparison.Ordinal)),
                new("encoder", name => (name.Contains(".intermediate.dense", StringComparison.Ordinal) || name.Contains(".attention.", StringComparison.Ordinal)) && !name.Contains("Norm", StringComparison.Ordinal) && name.EndsWith(Matrix, StringComparison.Ordinal)),
            ],
            Training = new() { Rule = new Adam(), Rate = 1e-3, Batch = Batch, EvaluationBatch = 128, Merit = ItemRanking.Merit(validation) },
            Epochs = options.Epochs ?? Epochs,
            MoreEpochs = options.MoreEpochs ?? MoreEpochs,
        };
    }
}
