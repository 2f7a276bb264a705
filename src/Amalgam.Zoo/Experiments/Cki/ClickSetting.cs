using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>How large the experiment on a recommendation data set is, so that all of them together run in about an hour on two cores.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Epochs">Passes of the networks that are integrated.</param>
/// <param name="DynamicEpochs">Passes of networks whose head is made for each sample: they learn in fewer.</param>
/// <param name="MoreEpochs">Passes of what is learned afterwards.</param>
/// <param name="Limit">Training samples; null for all.</param>
/// <param name="Users">Validation samples at most; the test has all users.</param>
internal sealed record ClickSetting(string Dataset, int Epochs, int DynamicEpochs, int MoreEpochs, int? Limit, int Users)
{
    /// <summary>Of 205 groups, each of a clicked item and 4 drawn ones: 1,025 pairs, for the authors' 1,024.</summary>
    private const int Groups = 205;

    private const double Rate = 1e-3;

    /// <summary>The data sets of the tables about recommendation.</summary>
    public static readonly ImmutableArray<ClickSetting> All =
    [
        new("beauty", 10, 5, 3, null, 3000),
        new("ml-1m", 6, 3, 2, 80_000, 3000),
        new("douban-book", 14, 7, 3, null, 3000),
        new("douban-music", 20, 7, 3, null, 3000),
    ];

    private static readonly ImmutableArray<string> Recommenders = ["din", "gru4rec", "sasrec"];

    /// <summary>What a reproduction on a recommendation data set is of.</summary>
    /// <exception cref="InvalidDataException">There is no such table for that data set or model, or the data is not there.</exception>
    public static Subject Open(CkiOptions options)
    {
        ClickSetting setting = All.FirstOrDefault(s => s.Dataset == options.Dataset)
            ?? throw new InvalidDataException($"table {options.Table} is of {string.Join(", ", All.Select(s => s.Dataset))}; there is none of '{options.Dataset}'");
        if (!Recommenders.Contains(options.Model)) throw new InvalidDataException($"the models are {string.Join(", ", Recommenders)}; there is no '{options.Model}'");
        Dataset train = DataSource.OpenNamed(setting.Dataset, Split.Train), validation = DataSource.OpenNamed(setting.Dataset, Split.Validation), test = DataSource.OpenNamed(setting.Dataset, Split.Test);
        return setting.OfClicks(options, ((Clicks)train).Ids, train, validation, test);
    }

    /// <summary>The subject of given data.</summary>
    /// <param name="options">Sizes that are asked for.</param>
    /// <param name="items">Number of ids, 0 for padding among them.</param>
    /// <param name="train">Samples to learn from, such as those of <see cref="Clicks"/>.</param>
    /// <param name="validation">Samples that choices are made by.</param>
    /// <param name="test">Samples that results are of.</param>
    public Subject OfClicks(CkiOptions options, int items, Dataset train, Dataset validation, Dataset test)
    {
        ZooModel model = ZooModel.Find(options.Model);
        var sizes = ImmutableDictionary.CreateRange<string, string>([new("items", items.ToString(CultureInfo.InvariantCulture)), new("length", train.Fields[0].Shape.Size(0).ToString(CultureInfo.InvariantCulture))]);
        Dataset choice = Subject.Some(validation, options.Users ?? Users);
        return new($"{Dataset}-{options.Model}", model.With(sizes), new BinaryCrossEntropy("label"), new RankingFigures(), Subject.Some(train, options.Limit ?? Limit), choice, Subject.Some(test, options.Users))
        {
            Model = new ModelDescription(options.Model) { Options = sizes }.Text,
            Whole = (train, validation, test),
            Dynamic = model.Options.Any(o => o.Name == "hyper") ? model.With(sizes.Add("hyper", "true")) : null,
            Scopes = [new("head", name => name.StartsWith("head.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal))],
            Training = new() { Rule = new Adam(), Rate = Rate, Batch = Groups, EvaluationBatch = 128, Merit = ItemRanking.Merit(choice) },
            Epochs = options.Epochs ?? Epochs,
            DynamicEpochs = Math.Min(DynamicEpochs, options.Epochs ?? DynamicEpochs),
            MoreEpochs = options.MoreEpochs ?? MoreEpochs,
        };
    }
}
