using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>How large the experiment on a text data set is: a small BERT that is trained from nothing on that data alone.</summary>
/// <param name="Dataset">The data set.</param>
/// <param name="Length">Word pieces of a sample.</param>
/// <param name="Epochs">Passes of the networks that are integrated.</param>
/// <param name="MoreEpochs">Passes of what is learned afterwards.</param>
/// <param name="Limit">Training samples; null for all that are not held out.</param>
/// <param name="Held">Training samples that are held out, and that choices are made by.</param>
internal sealed record TextSetting(string Dataset, int Length, int Epochs, int MoreEpochs, int? Limit, int Held)
{
    private const int Batch = 64, Pieces = 4096, Units = 128;
    private const double Rate = 5e-4;

    /// <summary>The data sets of table 2.</summary>
    public static readonly ImmutableArray<TextSetting> All = [new("sst2", 32, 3, 1, 20_000, 2000), new("rte", 96, 6, 2, null, 400)];

    /// <summary>What a reproduction of table 2 is of.</summary>
    /// <exception cref="InvalidDataException">There is no such data set, or it is not there.</exception>
    public static Subject Open(CkiOptions options)
    {
        TextSetting setting = All.FirstOrDefault(s => s.Dataset == options.Dataset) ?? throw new InvalidDataException($"table 2 is of {string.Join(" and ", All.Select(s => s.Dataset))}; there is none of '{options.Dataset}'");
        string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
        var sizes = ImmutableDictionary.CreateRange<string, string>([new("length", Text(setting.Length)), new("vocabulary", Text(Pieces))]);
        var (train, held) = Subset.Split(DataSource.OpenNamed(setting.Dataset, Split.Train, sizes), setting.Held, 0);
        ModelDescription model = new("bert") { Options = sizes.AddRange([new("hidden", Text(Units)), new("inner", Text(4 * Units)), new("depth", "2"), new("heads", "2"), new("positions", Text(setting.Length))]) };
        return new(
            $"{setting.Dataset}-bert", ZooModel.Find(model.Name).With(model.Options),
            new CrossEntropy(), new ClassFigures(), Subject.Some(train, options.Limit ?? setting.Limit), Subject.Some(held, options.Users), Subject.Some(DataSource.OpenNamed(setting.Dataset, Split.Test, sizes), options.Users))
        {
            Model = model.Text,
            Scopes = [new("classifier", name => name == "classifier.weight"), Scope.AllMatrices],
            Training = new() { Rule = new Adam(), Rate = Rate, Batch = Batch, EvaluationBatch = 128 },
            Epochs = options.Epochs ?? setting.Epochs,
            MoreEpochs = options.MoreEpochs ?? setting.MoreEpochs,
        };
    }
}
