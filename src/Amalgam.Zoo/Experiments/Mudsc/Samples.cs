using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>The samples of experiments, prepared as the networks' training prepares them, without what is random.</summary>
internal static class Samples
{
    /// <summary>The first training samples, which every estimate and choice is made on.</summary>
    public static Dataset Calibration(string data, Augmentation how, MudscOptions options) => Subset.First(RunData.OpenTrain(new(data) { Augmentation = how }), options.Calibration);

    /// <summary>The test samples.</summary>
    public static Dataset Test(string data, Augmentation how, MudscOptions options) =>
        options.Limit is { } limit ? Subset.First(RunData.OpenTest(new(data) { Augmentation = how }), limit) : RunData.OpenTest(new(data) { Augmentation = how });
}
