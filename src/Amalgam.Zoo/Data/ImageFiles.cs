using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Amalgam.Zoo.Data;

/// <summary>Readers of the formats in which publishers give labelled images.</summary>
public static class ImageFiles
{
    private const long MostBytes = 1L << 31;
    private const int ImagesMagic = 0x0803, LabelsMagic = 0x0801;

    /// <summary>Grey images in IDX files, MNIST's format: big-endian magic number, count, rows and columns, then bytes.</summary>
    /// <param name="name">What the images are.</param>
    /// <param name="images">File of images (magic number 2051), perhaps .gz.</param>
    /// <param name="labels">File of labels (magic number 2049), perhaps .gz.</param>
    /// <param name="classes">Names of the classes.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims, or they do not belong together.</exception>
    public static ImageSet Idx(string name, string images, string labels, ImmutableArray<string> classes)
    {
        byte[] pixels = DataFolder.Read(images, MostBytes), truth = DataFolder.Read(labels, MostBytes);
        long[] sizes = Header(images, pixels, ImagesMagic, 3), counts = Header(labels, truth, LabelsMagic, 1);
        if (sizes[0] != counts[0]) throw new InvalidDataException($"{images} has {sizes[0]} images, {labels} has {counts[0]} labels");
        int[] numbers = Labels(labels, truth.AsSpan(8), classes.Length);
        return new(name, new(1, sizes[1], sizes[2]), pixels[16..], numbers, classes);
    }

    /// <summary>Colour images 32 x 32 in CIFAR's binary format: records of one or two labels and three planes of 1,024 bytes.</summary>
    /// <param name="name">What the images are.</param>
    /// <param name="files">Files of records, perhaps .gz, one after the other.</param>
    /// <param name="labels">Labels of a record: 1, or 2 for a coarse and a fine one.</param>
    /// <param name="which">Which of them is the class.</param>
    /// <param name="classes">Names of the classes.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims.</exception>
    public static ImageSet Cifar(string name, IEnumerable<string> files, int labels, int which, ImmutableArray<string> classes)
    {
        const int Pixels = 3 * 32 * 32;
        int record = labels + Pixels;
        List<byte[]> all = [];
        List<int> truth = [];
        foreach (string file in files)
        {
            byte[] bytes = DataFolder.Read(file, MostBytes);
            if (bytes.Length == 0 || bytes.Length % record != 0) throw new InvalidDataException($"{file} has {bytes.Length} bytes, expected records of {record}; it may be cut short");
            byte[] pixels = new byte[bytes.Length / record * Pixels];
            for (int i = 0; i < bytes.Length / record; i++)
            {
                truth.Add(Label(file, bytes[i * record + which], classes.Length));
                bytes.AsSpan(i * record + labels, Pixels).CopyTo(pixels.AsSpan(i * Pixels));
            }

            all.Add(pixels);
        }

        return new(name, new(3, 32, 32), Joined(all), [.. truth], classes);
    }

    private static long[] Header(string file, byte[] bytes, int magic, int axes)
    {
        int header = 4 + 4 * axes;
        if (bytes.Length < header) throw new InvalidDataException($"{file} has {bytes.Length} bytes, too few for an IDX file");
        int found = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (found != magic) throw new InvalidDataException($"{file} begins with {found}, expected {magic}: an IDX file of {(axes == 3 ? "images" : "labels")}");
        long[] sizes = [.. Enumerable.Range(1, axes).Select(i => (long)BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 * i)))];
        Int128 expected = sizes.Aggregate((Int128)1, (product, size) => product * size) + header;
        return expected == bytes.Length ? sizes : throw new InvalidDataException($"{file} has {bytes.Length} bytes, its header says {expected}; it may be cut short");
    }

    private static int[] Labels(string file, ReadOnlySpan<byte> bytes, int classes)
    {
        int[] labels = new int[bytes.Length];
        for (int i = 0; i < bytes.Length; i++) labels[i] = Label(file, bytes[i], classes);
        return labels;
    }

    private static int Label(string file, byte label, int classes) => label < classes ? label : throw new InvalidDataException($"{file} has the label {label}, expected 0 to {classes - 1}");

    private static byte[] Joined(List<byte[]> parts)
    {
        if (parts.Count == 1) return parts[0];
        byte[] all = new byte[parts.Sum(p => p.Length)];
        int end = 0;
        foreach (byte[] part in parts)
        {
            part.CopyTo(all, end);
            end += part.Length;
        }

        return all;
    }
}
