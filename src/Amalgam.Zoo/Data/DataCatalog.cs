using System.Collections.Immutable;
using Amalgam.Merging.Recipes;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>A data set by name. One more is one more line in <see cref="DataCatalog.All"/>.</summary>
/// <param name="Name">Its name in run descriptions.</param>
/// <param name="Summary">What it is, one sentence without the full stop.</param>
/// <param name="Open">Opens the publisher's training or test samples.</param>
public sealed record DataEntry(string Name, string Summary, Func<Split, Dataset> Open);

/// <summary>The data sets that runs can name.</summary>
public static class DataCatalog
{
    /// <summary>Every data set.</summary>
    public static readonly ImmutableArray<DataEntry> All =
    [
        new("mnist", "Handwritten digits 28 x 28", split => ImageFiles.Idx(DataFolder.Of("mnist"), "mnist", split)),
        new("fashion-mnist", "Pictures of clothes 28 x 28 of ten classes", split => ImageFiles.Idx(DataFolder.Of("fashion-mnist"), "fashion-mnist", split,
            ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"])),
        new("cifar10", "Photographs 3 x 32 x 32 of ten classes", split => ImageFiles.Cifar10(DataFolder.Of("cifar10"), "cifar10", split)),
    ];

    /// <summary>The data set of that name.</summary>
    /// <exception cref="InvalidDataException">There is none; the message lists those that exist.</exception>
    public static DataEntry Find(string name) => All.FirstOrDefault(d => d.Name == name)
        ?? throw new InvalidDataException($"there is no data set {Nearest.Quote(name)}{Nearest.Hint(name, All.Select(d => d.Name))}; known are {string.Join(", ", All.Select(d => d.Name))}");
}
