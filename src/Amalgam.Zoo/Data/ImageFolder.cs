namespace Amalgam.Zoo.Data;

/// <summary>A folder with a folder for each class, with images of one size in it: .pgm, .ppm or .bmp. With folders <c>train</c> and <c>test</c> in between these are the parts; without, it has one part.</summary>
public static class ImageFolder
{
    private const long MostBytes = 1L << 30;
    private static readonly string[] Endings = [".pgm", ".ppm", ".bmp"];

    /// <summary>Whether a path is that of a folder without a test part of its own.</summary>
    internal static bool HasOnePart(string path) => Directory.Exists(path) && !Directory.Exists(Path.Combine(path, "test"));

    /// <summary>Reads a part.</summary>
    /// <exception cref="InvalidDataException">There are no images, they differ in size, or one is damaged.</exception>
    public static ImageSet Open(string folder, Split split)
    {
        string part = Path.Combine(folder, split == Split.Train ? "train" : "test");
        string root = Directory.Exists(part) ? part : !Directory.Exists(Path.Combine(folder, "train")) && !Directory.Exists(Path.Combine(folder, "test")) ? folder
            : throw new InvalidDataException($"{folder} has no folder '{Path.GetFileName(part)}'");
        string[] classes = [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal)];
        List<int> labels = [];
        using MemoryStream pixels = new();
        Picture? first = null;
        for (int c = 0; c < classes.Length; c++)
        {
            foreach (string path in Directory.GetFiles(classes[c]).Where(f => Endings.Contains(Path.GetExtension(f).ToLowerInvariant())).Order(StringComparer.Ordinal))
            {
                Picture picture = Pictures.Read(path);
                first ??= picture;
                if ((picture.Channels, picture.Height, picture.Width) != (first.Channels, first.Height, first.Width))
                    throw Pictures.Invalid(path, $"it is {Describe(picture)}, the images before it are {Describe(first)}");
                if (pixels.Length + picture.Pixels.Length > MostBytes) throw Pictures.Invalid(root, $"its images take more than {MostBytes} bytes");
                pixels.Write(picture.Pixels);
                labels.Add(c);
            }
        }

        if (first is null) throw new InvalidDataException($"{root} has no images: expected a folder for each class with {string.Join(", ", Endings)} files in it");
        return new(folder, new(first.Channels, first.Height, first.Width), pixels.ToArray(), [.. labels], [.. classes.Select(c => Path.GetFileName(c))]);
    }

    private static string Describe(Picture p) => $"{p.Width} x {p.Height} {(p.Channels == 1 ? "grey" : "RGB")}";
}
