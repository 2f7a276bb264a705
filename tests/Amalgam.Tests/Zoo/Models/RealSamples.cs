using System.IO.Compression;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>The real test sets, read without the library.</summary>
internal static class RealSamples
{
    /// <summary>Pixels 0 to 255 of each image, and the labels, of an MNIST-like test set.</summary>
    public static (byte[][] Images, int[] Labels) Mnist(string set)
    {
        byte[] pixels = Inflate(RealData.At(set, "t10k-images-idx3-ubyte.gz")), labels = Inflate(RealData.At(set, "t10k-labels-idx1-ubyte.gz"));
        return ([.. pixels[16..].Chunk(784)], [.. labels[8..].Select(l => (int)l)]);
    }

    /// <summary>The test set of CIFAR-10: red, green and blue planes of 32x32.</summary>
    public static (byte[][] Images, int[] Labels) Cifar()
    {
        byte[][] rows = [.. Inflate(RealData.At("cifar10", "test_batch.bin.gz")).Chunk(3073)];
        return ([.. rows.Select(r => r[1..])], [.. rows.Select(r => (int)r[0])]);
    }

    /// <summary>Items of each user in their order.</summary>
    public static int[][] Sequences(string file)
    {
        using StreamReader reader = new(new GZipStream(File.OpenRead(RealData.At("recommendation", file)), CompressionMode.Decompress));
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[1..].Select(int.Parse).ToArray())];
    }

    /// <summary>The outputs that a reference runtime gave, by model and input.</summary>
    public static IEnumerable<(string Input, string Values)> References(string model) =>
        File.ReadLines(RealData.At("models", "reference-outputs.tsv")).Select(line => line.Split('\t')).Where(row => row[0] == model).Select(row => (row[1], row[2]));

    private static byte[] Inflate(string path)
    {
        using GZipStream stream = new(File.OpenRead(path), CompressionMode.Decompress);
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
