using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>The data of a run: what is learned from, what the best epoch is chosen by, what results are reported on.</summary>
/// <param name="Train">What is learned from, with its augmentation; null where only the rest was asked for.</param>
/// <param name="Validation">The data set's own part, or held out of the training samples; null without.</param>
/// <param name="Test">The publisher's test samples; null where there are none.</param>
public sealed record RunData(Dataset? Train, Dataset? Validation, Dataset? Test)
{
    /// <summary>Name of what the best epoch is chosen by where it is neither the accuracy nor the loss.</summary>
    public string MeritName => (Train ?? Validation ?? Test) is { } data && PairRetrieval.Of(data) is not null ? PairRetrieval.MeritName : ItemRanking.MeritName;

    /// <summary>Opens the data that a run describes.</summary>
    /// <exception cref="InvalidDataException">There is no such data, or it is damaged.</exception>
    public static RunData Open(DataDescription data)
    {
        Dataset all = Source(data, Split.Train);
        if (data.Validation >= all.Count) throw new InvalidDataException($"data: {data.Validation} samples cannot be held out of {all.Count}");
        Dataset train = all;
        Dataset? validation = null;
        if (data.OwnValidation) validation = Source(data, Split.Validation);
        else if (data.Validation > 0) (train, validation) = Subset.Split(all, data.Validation, data.Seed);
        if (data.Limit is { } limit) train = Subset.First(train, limit);
        return new(Prepare(train, data.Augmentation), validation is null ? null : Prepare(validation, data.Augmentation.Fixed), data.HasOnePart ? null : OpenTest(data));
    }

    /// <summary>Opens the test samples alone, prepared as for a network of the run.</summary>
    /// <exception cref="InvalidDataException">There are none, or they are damaged.</exception>
    public static Dataset OpenTest(DataDescription data) => Prepare(Source(data, Split.Test), data.Augmentation.Fixed);

    /// <summary>Opens the data set's own validation samples, prepared as for a network of the run.</summary>
    /// <exception cref="InvalidDataException">There are none, or they are damaged.</exception>
    public static Dataset OpenValidation(DataDescription data) => Prepare(Source(data, Split.Validation), data.Augmentation.Fixed);

    /// <summary>Opens all training samples, without what is random in their augmentation.</summary>
    /// <exception cref="InvalidDataException">There is no such data, or it is damaged.</exception>
    public static Dataset OpenTrain(DataDescription data) => Prepare(Source(data, Split.Train), data.Augmentation.Fixed);

    private static Dataset Source(DataDescription data, Split split)
    {
        Dataset source = DataSource.OpenNamed(data.Name, split, data.Options);
        if (data.Part is { } part) source = PartOf(source, part);
        int[] named = data.Groups.IsEmpty ? [.. data.Classes] : [.. data.Groups.SelectMany(group => group)];
        if (named.Length == 0) return source;
        Check(source, named);
        return data.Groups.IsEmpty ? Subset.OfClasses(source, named, renumber: true) : Subset.OfGroups(source, [.. data.Groups]);
    }

    private static Subset PartOf(Dataset source, SkillPart part)
    {
        Check(source, part.Classes);
        var (first, second) = Subset.Skill(source, part.Classes, part.Share, part.Seed);
        return part.Rest ? second : first;
    }

    private static void Check(Dataset source, IReadOnlyList<int> named)
    {
        foreach (int number in named)
        {
            if (number >= source.Classes.Length) throw new InvalidDataException($"data: there is no class {number} in {source.Name}, which has {source.Classes.Length}, numbered from 0");
            if (named.Count(c => c == number) > 1) throw new InvalidDataException($"data: class {number} is named twice");
        }
    }

    private static Dataset Prepare(Dataset data, Augmentation how)
    {
        if (how.IsNothing) return data;
        Field? image = data.Fields.FirstOrDefault(f => f.Name == "image");
        if (image is not { Shape.Rank: 3 }) throw new InvalidDataException($"data: {data.Name} has no images [channels, height, width] to augment or normalise");
        foreach (var (key, values) in new[] { ("mean", how.Mean), ("std", how.Deviation) })
        {
            if (!values.IsEmpty && values.Length != image.Shape[0])
                throw new InvalidDataException($"data: {key} has {values.Length} {(values.Length == 1 ? "number" : "numbers")}, images of {data.Name.Split(',')[0]} have {image.Shape[0]} {(image.Shape[0] == 1 ? "channel" : "channels")}");
        }

        if (how.Deviation.Any(d => !(d > 0))) throw new InvalidDataException("data: numbers of std must be above 0");
        return new Augmented(data, how);
    }
}
