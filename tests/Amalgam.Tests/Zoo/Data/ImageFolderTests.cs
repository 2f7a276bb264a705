using System.IO.Compression;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Data;

public class ImageFolderTests
{
    private static readonly byte[] Planes = [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12];

    [Fact]
    public void Pictures_are_read_by_class_in_their_formats()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["train/b"]);
        Directory.CreateDirectory(folder["train/a"]);
        File.WriteAllBytes(folder["train/a/1.ppm"], [.. "P6\n# two by two\n2 2\n255\n"u8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        byte[] bmp = [.. "BM"u8, .. new byte[52], 9, 8, 7, 12, 11, 10, 0, 0, 3, 2, 1, 6, 5, 4, 0, 0];
        (bmp[10], bmp[18], bmp[22], bmp[28]) = (54, 2, 2, 24);
        File.WriteAllBytes(folder["train/b/2.bmp"], bmp);
        var read = (ImageSet)DataSource.OpenNamed(folder.Path, Split.Train);
        Assert.Equal([0, 1], read.Labels);
        Assert.Equal(["a", "b"], read.Classes);
        Assert.Equal(Planes, read[0].ToArray());
        Assert.Equal(Planes, read[1].ToArray());

        Assert.Contains("has no folder 'test'", Fails(() => DataSource.OpenNamed(folder.Path, Split.Test)));
        File.WriteAllBytes(folder["train/b/3.pgm"], [.. "P5 2 2 255\n"u8, 1, 2, 3, 4]);
        Assert.Contains("it is 2 x 2 grey, the images before it are 2 x 2 RGB", Fails(() => ImageFolder.Open(folder.Path, Split.Train)));
        File.WriteAllBytes(folder["train/b/3.pgm"], [.. "P5 2 2 255\n"u8, 1, 2, 3]);
        Assert.Contains("take 4 bytes, it has 3", Fails(() => ImageFolder.Open(folder.Path, Split.Train)));
        Assert.Contains("has no images", Fails(() => ImageFolder.Open(folder["train/a"], Split.Train)));
    }

    [Fact]
    public void A_run_on_a_folder_without_a_test_part_reports_none()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["a"]);
        for (int i = 0; i < 3; i++) File.WriteAllBytes(folder[$"a/{i}.pgm"], [.. "P5 1 1 255\n"u8, (byte)i]);
        RunData run = RunData.Open(new(folder.Path) { Validation = 1 });
        Assert.Equal((2, 1), (run.Train!.Count, run.Validation!.Count));
        Assert.Null(run.Test);
    }

    [Fact]
    public void Damaged_pictures_are_read_or_refused_and_nothing_else() => Property.Holds(gen =>
    {
        using TemporaryFolder folder = new();
        byte[] file = gen.Random.Next(2) == 0 ? [.. "P6 3 2 255\n"u8, .. new byte[18]] : [.. "BM"u8, .. new byte[52], .. new byte[24]];
        if (file[0] == 'B') (file[10], file[18], file[22], file[28]) = (54, 3, 2, 24);
        for (int i = 0; i < 3; i++) file[gen.Random.Next(Math.Min(file.Length, 40))] = (byte)gen.Random.Next(256);
        File.WriteAllBytes(folder["x"], file[..gen.Random.Next(file.Length + 1)]);
        try
        {
            Pictures.Read(folder["x"]);
        }
        catch (InvalidDataException)
        {
        }
    });

    [Fact]
    public void A_compressed_file_that_was_cut_short_is_refused()
    {
        using TemporaryFolder folder = new();
        byte[] text = [.. Enumerable.Range(0, 5000).Select(i => (byte)('a' + i * i % 23))];
        using (GZipStream zip = new(File.Create(folder["t.gz"]), CompressionLevel.Optimal)) zip.Write(text);
        byte[] packed = File.ReadAllBytes(folder["t.gz"]);
        Assert.Equal(text, DataFolder.Read(folder["t.gz"]));
        foreach (int length in (int[])[packed.Length - 1, packed.Length - 9, packed.Length / 2, 30, 3, 0])
        {
            File.WriteAllBytes(folder["t.gz"], packed[..length]);
            Assert.StartsWith($"{folder["t.gz"]} is not a valid gzip file", Fails(() => DataFolder.Lines(folder["t.gz"]).ToArray()));
        }
    }

    private static string Fails(Func<object> act) => Assert.Throws<InvalidDataException>(act).Message;
}
