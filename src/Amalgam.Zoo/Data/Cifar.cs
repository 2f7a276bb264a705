using System.Collections.Immutable;

namespace Amalgam.Zoo.Data;

/// <summary>
/// CIFAR-10 and CIFAR-100 in their binary version (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009): records of one or two label
/// bytes and 3,072 bytes of a 32 x 32 picture, red, green and blue plane. Files may be packed by gzip.
/// </summary>
public static class Cifar
{
    private const int PixelBytes = 3 * 32 * 32;

    /// <summary>Means of the three channels of CIFAR-10's training pictures, in 0 to 1, with which networks for it are usually trained.</summary>
    public static readonly ImmutableArray<float> Mean = [0.4914f, 0.4822f, 0.4465f];

    /// <summary>Standard deviations to go with <see cref="Mean"/>.</summary>
    public static readonly ImmutableArray<float> Deviation = [0.2470f, 0.2435f, 0.2616f];

    private static readonly ImmutableArray<string> Ten = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Reads CIFAR-10: for training as many of <c>data_batch_1.bin</c> to <c>data_batch_5.bin</c> as there are, else <c>test_batch.bin</c>.</summary>
    /// <exception cref="InvalidDataException">A file is missing or not what it claims.</exception>
    public static ImageSet Open10(string folder, Split split)
    {
        string[] names = split == Split.Train ? [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")] : ["test_batch.bin"];
        return Read($"CIFAR-10, {Part(split)}", folder, names, 1, 0, Ten);
    }

    /// <summary>Reads CIFAR-100: <c>train.bin</c> or <c>test.bin</c>, with class names from <c>fine_label_names.txt</c> or <c>coarse_label_names.txt</c> where they are.</summary>
    /// <param name="folder">Where the files are.</param>
    /// <param name="split">Which part.</param>
    /// <param name="coarse">Whether the 20 coarse classes are the labels, not the 100 fine ones.</param>
    /// <exception cref="InvalidDataException">A file is missing or not what it claims.</exception>
    public static ImageSet Open100(string folder, Split split, bool coarse = false) =>
        Read($"CIFAR-100, {Part(split)}", folder, [split == Split.Train ? "train.bin" : "test.bin"], 2, coarse ? 0 : 1, Names(folder, coarse ? "coarse" : "fine", coarse ? 20 : 100));

    private static string Part(Split split) => split == Split.Train ? "training" : "test";

    private static ImageSet Read(string name, string folder, string[] files, int labelBytes, int label, ImmutableArray<string> classes)
    {
        string[] found = [.. files.Select(f => DataFile.Find(folder, f)).OfType<string>()];
        if (found.Length == 0) throw new InvalidDataException($"{folder} has no {string.Join(", ", files)}, also not with .gz");
        byte[][] contents = [.. found.Select(f => DataFile.ReadAll(f))];
        int record = labelBytes + PixelBytes;
        for (int i = 0; i < found.Length; i++)
        {
            if (contents[i].Length == 0 || contents[i].Length % record != 0) throw DataFile.Invalid(found[i], $"its {contents[i].Length} bytes are no whole records of {record} bytes");
        }

        int count = contents.Sum(c => c.Length / record), next = 0;
        byte[] pixels = new byte[checked(count * PixelBytes)];
        int[] labels = new int[count];
        for (int file = 0; file < found.Length; file++)
        {
            for (int at = 0; at < contents[file].Length; at += record, next++)
            {
                labels[next] = contents[file][at + label];
                if (labels[next] >= classes.Length) throw DataFile.Invalid(found[file], $"record {at / record} has the label {labels[next]}, expected less than {classes.Length}");
                contents[file].AsSpan(at + labelBytes, PixelBytes).CopyTo(pixels.AsSpan(next * PixelBytes));
            }
        }

        return new(name, new(3, 32, 32), pixels, labels, classes);
    }

    private static ImmutableArray<string> Names(string folder, string kind, int count)
    {
        if (DataFile.Find(folder, $"{kind}_label_names.txt") is not { } path) return [.. Enumerable.Range(0, count).Select(i => $"{kind} {i}")];
        ImmutableArray<string> names = [.. DataFile.Lines(path).Select(l => l.Text.Trim()).Where(l => l.Length > 0)];
        return names.Length == count ? names : throw DataFile.Invalid(path, $"it names {names.Length} classes, expected {count}");
    }
}
