using System.Collections.Immutable;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Tests.Zoo.Experiments;

/// <summary>Forty users that go round one of two circles of items: enough to learn in a second.</summary>
internal static class TinyClicks
{
    public const int Items = 30;

    public static Interactions Interactions { get; } =
        new([.. Enumerable.Range(0, 40).Select(user => Enumerable.Range(0, 8).Select(i => 1 + (user % 2 * Items / 2) + (user / 2 + i) % (Items / 2)).ToArray())], Items);

    public static Clicks Part(Split split) => new($"circles, {split}", Interactions, split, 6, split == Split.Train ? 4 : 9);

    public static CkiOptions Options(string folder, int table = 1) => new() { Table = table, Dataset = "circles", Seeds = 2, Folder = folder };

    public static Subject Subject(CkiOptions options, Dataset? test = null) =>
        new ClickSetting("circles", 2, 2, 2, null, 1000).OfClicks(options, Items + 1, Part(Split.Train), Part(Split.Validation), test ?? Part(Split.Test)) is var subject
            ? subject with { Training = subject.Training with { Batch = 32, Rate = 0.01 } } : throw new InvalidOperationException();
}

/// <summary>Groups whose clicked item is said to be another one than it is.</summary>
internal sealed class WrongClicks(Dataset data) : Dataset
{
    public override string Name => data.Name;

    public override int Count => data.Count;

    public override ImmutableArray<Field> Fields => data.Fields;

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        data.Read(field, sample, draw, y);
        if (Fields[field].Name != "label") return;
        y.Clear();
        y[1 + sample % (y.Length - 1)] = 1;
    }
}
