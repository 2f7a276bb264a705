using System.Collections.Immutable;

namespace Amalgam.Zoo.Data;

/// <summary>MNIST and what is stored like it (Fashion-MNIST, ...): four IDX files, plain or packed by gzip.</summary>
public static class Mnist
{
    /// <summary>Classes of MNIST.</summary>
    public static readonly ImmutableArray<string> Digits = [.. Enumerable.Range(0, 10).Select(d => d.ToString())];

    /// <summary>Classes of Fashion-MNIST (github.com/zalandoresearch/fashion-mnist).</summary>
    public static readonly ImmutableArray<string> Fashion = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Reads a part.</summary>
    /// <param name="folder">Where <c>train-images-idx3-ubyte</c> and the others are.</param>
    /// <param name="split">Which part.</param>
    /// <param name="name">What it is.</param>
    /// <param name="classes">Names of the classes.</param>
    /// <exception cref="InvalidDataException">A file is missing or not what it claims.</exception>
    public static ImageSet Open(string folder, Split split, string name = "MNIST", ImmutableArray<string> classes = default)
    {
        if (classes.IsDefault) classes = Digits;
        string prefix = split == Split.Train ? "train" : "t10k";
        string images = Find(folder, $"{prefix}-images-idx3-ubyte"), labels = Find(folder, $"{prefix}-labels-idx1-ubyte");
        var (sizes, pixels) = Idx.Read(images, 3);
        var (counts, classOf) = Idx.Read(labels, 1);
        if (counts[0] != sizes[0]) throw DataFile.Invalid(labels, $"it has {counts[0]} labels for {sizes[0]} images");
        if (sizes[1] == 0 || sizes[2] == 0) throw DataFile.Invalid(images, $"its images are {sizes[1]} x {sizes[2]}");
        int wrong = classOf.AsSpan().IndexOfAnyInRange((byte)Math.Min(classes.Length, 255), byte.MaxValue);
        if (wrong >= 0 && classOf[wrong] >= classes.Length) throw DataFile.Invalid(labels, $"label {wrong} is {classOf[wrong]}, expected less than {classes.Length}");
        return new($"{name}, {(split == Split.Train ? "training" : "test")}", new(1, sizes[1], sizes[2]), pixels, [.. classOf.Select(c => (int)c)], classes);
    }

    private static string Find(string folder, string name) =>
        DataFile.Find(folder, name) ?? throw new InvalidDataException($"{folder} has no {name} and no {name}.gz");
}
