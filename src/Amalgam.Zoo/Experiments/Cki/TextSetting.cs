using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>How large the experiment on a text data set is: a small BERT that is trained from nothing on that data alone, as docs/examples has it.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Length">Word pieces of a sample.</param>
/// <param name="Pieces">Word pieces of the vocabulary.</param>
/// <param name="Dropout">Share of each part's result that training drops.</param>
/// <param name="Decay">Weight decay of matrices.</param>
/// <param name="Warmup">Epochs until the rate is whole.</param>
/// <param name="Batch">Samples of a step.</param>
/// <param name="Epochs">Passes of the networks that are integrated.</param>
/// <param name="MoreEpochs">Passes of what is learned afterwards.</param>
/// <param name="Held">Training samples that are held out, and that choices are made by.</param>
internal sealed record TextSetting(string Dataset, int Length, int Pieces, double Dropout, double Decay, double Warmup, int Batch, int Epochs, int MoreEpochs, int Held)
{
    private const int Units = 64;
    private const double Rate = 1e-3;

    /// <summary>The data sets of table 2.</summary>
    public static readonly ImmutableArray<TextSetting> All = [new("sst2", 32, 8192, 0.1, 0.01, 0.1, 64, 3, 1, 2000), new("rte", 64, 4096, 0.2, 0.1, 0.5, 32, 6, 2, 400)];

    /// <summary>What a reproduction of table 2 is of.</summary>
    /// <exception cref="InvalidDataException">There is no such data set, or it is not there.</exception>
    public static Subject Open(CkiOptions options) =>
        (All.FirstOrDefault(s => s.Dataset == options.Dataset) ?? throw new InvalidDataException($"table 2 is of {string.Join(" and ", All.Select(s => s.Dataset))}; there is none of '{options.Dataset}'")).Of(options);

    private Subject Of(CkiOptions options)
    {
        string pieces = Text(Pieces), length = Text(Length);
        var sizes = ImmutableDictionary.CreateRange<string, string>([new("length", length), new("vocabulary", pieces)]);
        ModelDescription model = new("bert")
        {
            Options = sizes.AddRange([new("hidden", Text(Units)), new("inner", Text(2 * Units)), new("depth", "2"), new("heads", "2"), new("positions", length), new("dropout", Dropout.ToString(CultureInfo.InvariantCulture))]),
        };
        var (train, held) = Subset.Split(DataSource.OpenNamed(Dataset, Split.Train, sizes), Held, 0);
        Dataset test = DataSource.OpenNamed(Dataset, Split.Test, sizes);
        return OfText(options, model, train, held, test);
    }

    /// <summary>The subject of given data.</summary>
    /// <param name="options">Sizes that are asked for.</param>
    /// <param name="model">The network.</param>
    /// <param name="train">Samples to learn from.</param>
    /// <param name="held">Samples that choices are made by.</param>
    /// <param name="test">Samples that results are of.</param>
    public Subject OfText(CkiOptions options, ModelDescription model, Dataset train, Dataset held, Dataset test)
    {
        Architecture architecture = ZooModel.Find(model.Name).With(model.Options);
        return new($"{Dataset}-bert", architecture, new CrossEntropy(), new ClassFigures(), Subject.Some(train, options.Limit), Subject.Some(held, options.Users), Subject.Some(test, options.Users))
        {
            Model = model.Text,
            Whole = (train, held, test),
            Scopes = [new("classifier", name => name == "classifier.weight"), Scope.MatricesOf(architecture)],
            Training = new() { Rule = new AdamW(WeightDecay: Decay), Rate = Rate, Schedule = new LinearRate(Warmup: Warmup), Batch = Batch, ClipNorm = 1, EvaluationBatch = 128, Settings = MatricesDecay },
            Epochs = options.Epochs ?? Epochs,
            MoreEpochs = options.MoreEpochs ?? MoreEpochs,
        };
    }

    /// <summary>What splices learn is no weight of a layer, and is not drawn to zero.</summary>
    private static ParameterSetting MatricesDecay(Node node) => new(1, node.Shape.Rank > 1 && !node.Name!.StartsWith(LearnedCki.Prefix, StringComparison.Ordinal) ? null : 0);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
