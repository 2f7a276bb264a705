using System.IO.Compression;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class ImageFilesTests
{
    [Fact]
    public void Mnist_has_the_published_sizes_and_its_first_digits()
    {
        Dataset train = Open(RealData.At(), "mnist", Split.Train), test = Open(RealData.At(), "mnist", Split.Test);
        Assert.Equal((60000, 10000), (train.Count, test.Count));
        Assert.Equal([5, 0, 4, 1, 9, 2, 1, 3], train.Labels[..8].ToArray());
        Assert.Equal([7, 2, 1, 0, 4, 1, 4, 9], test.Labels[..8].ToArray());
        float[] image = new float[784];
        double sum = 0, squares = 0;
        for (int i = 0; i < train.Count; i++)
        {
            train.Read(0, i, default, image);
            foreach (float pixel in image) (sum, squares) = (sum + pixel, squares + (double)pixel * pixel);
        }

        double mean = sum / 47_040_000.0;
        Assert.Equal(0.1307, mean, 1e-4);
        Assert.Equal(0.3081, Math.Sqrt(squares / 47_040_000.0 - mean * mean), 1e-4);
    }

    [Fact]
    public void Cifar_has_planes_of_red_green_and_blue()
    {
        Dataset test = Open(RealData.At(), "cifar10", Split.Test);
        Assert.Equal(10000, test.Count);
        Assert.Equal(new(3, 32, 32), test.Fields[0].Shape);
        Assert.Equal("airplane", test.Classes[0]);
        Assert.Equal([3, 8, 8, 0, 6, 6, 1, 6], test.Labels[..8].ToArray());
        int[] counts = new int[10];
        foreach (int label in test.Labels) counts[label]++;
        Assert.All(counts, c => Assert.Equal(1000, c));
    }

    [Fact]
    public void Small_files_are_read_plain_and_compressed()
    {
        using TemporaryFolder folder = new();
        Write(folder, [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102], [0, 0, 8, 1, 0, 0, 0, 2, 7, 9]);
        Dataset images = Open(folder.Path, "mnist", Split.Test);
        float[] image = new float[2];
        images.Read(0, 1, default, image);
        Assert.Equal([0.2f, 0.4f], image);
        Assert.Equal([7, 9], images.Labels.ToArray());

        using (GZipStream gz = new(File.Create(folder["mnist/t10k-labels-idx1-ubyte.gz"]), CompressionLevel.Fastest)) gz.Write([0, 0, 8, 1, 0, 0, 0, 2, 1, 2]);
        File.Delete(folder["mnist/t10k-labels-idx1-ubyte"]);
        Assert.Equal([1, 2], Open(folder.Path, "mnist", Split.Test).Labels.ToArray());
    }

    [Theory]
    [InlineData("too few", new byte[] { 0, 0, 8 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 0 })]
    [InlineData("begins with 2307", new byte[] { 0, 0, 9, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 0 })]
    [InlineData("has 17 bytes, its header says 18", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 0 })]
    [InlineData("its header says", new byte[] { 0, 0, 8, 3, 255, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 0 })]
    [InlineData("its header says", new byte[] { 0, 0, 8, 3, 127, 255, 255, 255, 127, 255, 255, 255, 127, 255, 255, 255 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 0 })]
    [InlineData("has 2 labels", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 2, 0, 0 })]
    [InlineData("has the label 10", new byte[] { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0 }, new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 10 })]
    public void Damage_is_refused(string phrase, byte[] images, byte[] labels)
    {
        using TemporaryFolder folder = new();
        Write(folder, images, labels);
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => Open(folder.Path, "mnist", Split.Test)).Message);
    }

    [Fact]
    public void Damaged_batches_of_cifar_are_refused()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("data_batch_1.bin is missing", Assert.Throws<InvalidDataException>(() => Open(folder.Path, "cifar10", Split.Train)).Message);
        Directory.CreateDirectory(folder["cifar10"]);
        File.WriteAllBytes(folder["cifar10/test_batch.bin"], new byte[3072]);
        Assert.Contains("expected records of 3073", Assert.Throws<InvalidDataException>(() => Open(folder.Path, "cifar10", Split.Test)).Message);
        byte[] image = new byte[3073];
        image[0] = 10;
        File.WriteAllBytes(folder["cifar10/test_batch.bin"], image);
        Assert.Contains("has the label 10", Assert.Throws<InvalidDataException>(() => Open(folder.Path, "cifar10", Split.Test)).Message);
        File.WriteAllBytes(folder["cifar10/test_batch.bin.gz"], [1, 2, 3]);
        File.Delete(folder["cifar10/test_batch.bin"]);
        Assert.Contains("not a valid gzip file", Assert.Throws<InvalidDataException>(() => Open(folder.Path, "cifar10", Split.Test)).Message);
    }

    private static Dataset Open(string root, string name, Split split) => DataSource.OpenNamed(name, split, root: root);

    private static void Write(TemporaryFolder folder, byte[] images, byte[] labels)
    {
        Directory.CreateDirectory(folder["mnist"]);
        File.WriteAllBytes(folder["mnist/t10k-images-idx3-ubyte"], images);
        File.WriteAllBytes(folder["mnist/t10k-labels-idx1-ubyte"], labels);
    }
}
