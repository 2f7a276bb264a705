using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Zoo.Data;

/// <summary>Readers of the files that image data sets are published in. Nothing that a file says of itself is trusted.</summary>
public static class ImageFiles
{
    private const int Classes = 10, CifarSide = 32, CifarBytes = 3 * CifarSide * CifarSide;

    /// <summary>MNIST and what is published like it: IDX files of bytes (Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits), images of three axes and labels of one.</summary>
    /// <param name="folder">Where <c>train-images-idx3-ubyte</c>, <c>train-labels-idx1-ubyte</c> and those with <c>t10k</c> lie, or with <c>.gz</c> behind.</param>
    /// <param name="name">What the pictures are.</param>
    /// <param name="split">Which of them.</param>
    /// <param name="classes">Names of the classes; null for the digits.</param>
    /// <exception cref="InvalidDataException">A file is damaged, or images and labels do not go together.</exception>
    public static ImageSet Idx(string folder, string name, Split split, ImmutableArray<string>? classes = null)
    {
        string part = split == Split.Train ? "train" : "t10k", images = $"{part}-images-idx3-ubyte", labels = $"{part}-labels-idx1-ubyte";
        (int[] sizes, byte[] pixels) = Idx(folder, images, axes: 3);
        (int[] counts, byte[] truth) = Idx(folder, labels, axes: 1);
        if (counts[0] != sizes[0]) throw new InvalidDataException($"{Path.Combine(folder, labels)} has {counts[0]} labels, {images} has {sizes[0]} images");
        ImmutableArray<string> names = classes ?? [.. Enumerable.Range(0, Classes).Select(i => $"{i}")];
        return new(name, new(1, sizes[1], sizes[2]), pixels, Labels(truth, names.Length, Path.Combine(folder, labels)), names);
    }

    /// <summary>CIFAR-10 in its binary version (A. Krizhevsky, Learning multiple layers of features from tiny images, 2009): a byte of label, then the planes of an image 32 x 32.</summary>
    /// <param name="folder">Where <c>data_batch_1.bin</c> to 5 (those that are there), <c>test_batch.bin</c> and <c>batches.meta.txt</c> lie, or with <c>.gz</c> behind.</param>
    /// <param name="name">What the pictures are.</param>
    /// <param name="split">Which of them.</param>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    /// <exception cref="FileNotFoundException">There is no file.</exception>
    public static ImageSet Cifar10(string folder, string name, Split split)
    {
        string[] files = split == Split.Test ? ["test_batch.bin"] : [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin").Where(file => DataFolder.Has(folder, file))];
        if (files.Length == 0) throw new FileNotFoundException($"{folder} has no data_batch_1.bin to data_batch_5.bin", folder);
        using MemoryStream pixels = new();
        List<int> labels = [];
        foreach (string file in files)
        {
            byte[] bytes = DataFolder.Read(folder, file);
            if (bytes.Length == 0 || bytes.Length % (CifarBytes + 1) != 0) throw new InvalidDataException($"{Path.Combine(folder, file)} has {bytes.Length} bytes, expected images of {CifarBytes + 1}");
            for (int at = 0; at < bytes.Length; at += CifarBytes + 1)
            {
                if (bytes[at] >= Classes) throw new InvalidDataException($"{Path.Combine(folder, file)}: image {at / (CifarBytes + 1)} has the label {bytes[at]}, expected 0 to {Classes - 1}");
                labels.Add(bytes[at]);
                pixels.Write(bytes, at + 1, CifarBytes);
            }
        }

        string[] names = DataFolder.Has(folder, "batches.meta.txt") ? Encoding.UTF8.GetString(DataFolder.Read(folder, "batches.meta.txt")).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [];
        return new(name, new(3, CifarSide, CifarSide), pixels.ToArray(), [.. labels], names.Length == Classes ? [.. names] : [.. Enumerable.Range(0, Classes).Select(i => $"{i}")]);
    }

    /// <summary>Sizes and elements of an IDX file: two zeros, 8 for bytes, the number of axes, a size for each (32 bits, most significant byte first), the elements.</summary>
    private static (int[] Sizes, byte[] Elements) Idx(string folder, string file, int axes)
    {
        byte[] bytes = DataFolder.Read(folder, file);
        int head = 4 + 4 * axes;
        InvalidDataException Invalid(string why) => new($"{Path.Combine(folder, file)} is not a valid IDX file: {why}");
        if (bytes.Length < head) throw Invalid($"{bytes.Length} bytes are too few");
        if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != axes) throw Invalid($"it begins with {bytes[0]} {bytes[1]} {bytes[2]} {bytes[3]}, expected 0 0 8 {axes}");
        int[] sizes = [.. Enumerable.Range(0, axes).Select(i => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4 + 4 * i)))];
        long count = 1;
        foreach (int size in sizes) count = size < 0 || count > int.MaxValue ? throw Invalid($"its sizes are {string.Join(" x ", sizes)}") : count * size;
        if (bytes.Length - head != count) throw Invalid($"{string.Join(" x ", sizes)} elements take {count} bytes, it has {bytes.Length - head}");
        return (sizes, bytes[head..]);
    }

    private static int[] Labels(byte[] bytes, int classes, string path)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] >= classes) throw new InvalidDataException($"{path}: label {i} is {bytes[i]}, expected 0 to {classes - 1}");
        }

        return [.. bytes.Select(b => (int)b)];
    }
}
