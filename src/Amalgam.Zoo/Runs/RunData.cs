using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>The data of a run: what is learned from, what the best epoch is chosen by, what results are reported on.</summary>
/// <param name="Train">What is learned from, with its augmentation; null where only the rest was asked for.</param>
/// <param name="Validation">Held out of the training samples; null when none are.</param>
/// <param name="Test">The publisher's test samples; null where there are none.</param>
public sealed record RunData(Dataset? Train, Dataset? Validation, Dataset? Test)
{
    /// <summary>Opens the data that a run describes.</summary>
    /// <exception cref="InvalidDataException">There is no such data, or it is damaged.</exception>
    public static RunData Open(DataDescription data)
    {
        Dataset all = Source(data, Split.Train);
        if (data.Validation >= all.Count) throw new InvalidDataException($"data: {data.Validation} samples cannot be held out of {all.Count}");
        Dataset train = all;
        Dataset? validation = null;
        if (data.Validation > 0) (train, validation) = Subset.Split(all, data.Validation, data.Seed);
        if (data.Limit is { } limit) train = Subset.First(train, limit);
        return new(Prepare(train, data.Augmentation), validation is null ? null : Prepare(validation, data.Augmentation.Fixed), data.IsFile ? null : OpenTest(data));
    }

    /// <summary>Opens the test samples alone, prepared as for a network of the run.</summary>
    /// <exception cref="InvalidDataException">There are none, or they are damaged.</exception>
    public static Dataset OpenTest(DataDescription data) => Prepare(Source(data, Split.Test), data.Augmentation.Fixed);

    private static Dataset Source(DataDescription data, Split split)
    {
        Dataset source = DataSource.OpenNamed(data.Name, split, data.Options);
        foreach (int unknown in data.Classes.Where(c => c >= source.Classes.Length)) throw new InvalidDataException($"data: there is no class {unknown} in {source.Name}, which has {source.Classes.Length}, numbered from 0");
        return data.Classes.IsEmpty ? source : Subset.OfClasses(source, data.Classes, renumber: true);
    }

    private static Dataset Prepare(Dataset data, Augmentation how) => how.IsNothing ? data : new Augmented(data, how);
}
