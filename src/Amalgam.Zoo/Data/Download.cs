using System.Collections.Immutable;

namespace Amalgam.Zoo.Data;

/// <summary>A file that a publisher offers.</summary>
/// <param name="Address">Where.</param>
/// <param name="Checksum">Its MD5 sum as the publisher gives it (<c>md5:...</c>), or its SHA-256 sum (<c>sha256:...</c>); empty where none is known and the contents are checked.</param>
/// <param name="Path">Where it comes to lie under the data folder, or, of an archive, the folder of its members.</param>
public sealed record Download(string Address, string Checksum, string Path)
{
    /// <summary>Members of an archive (.tar.gz or .zip) that are kept, each with the SHA-256 sum of its bytes or nothing; empty for a plain file.</summary>
    public ImmutableDictionary<string, string> Members { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>What publishers offer. Addresses and sums are theirs; the MD5 sums of MNIST are those that torchvision checks.</summary>
internal static class DataDownload
{
    public static readonly ImmutableArray<Download> Mnist =
    [
        .. Idx("https://ossci-datasets.s3.amazonaws.com/mnist/", "mnist", "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
    ];

    public static readonly ImmutableArray<Download> FashionMnist =
    [
        .. Idx("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", "fashion-mnist", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
    ];

    public static readonly ImmutableArray<Download> Cifar10 =
    [
        new("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530", "cifar10")
        {
            Members = Named([.. Enumerable.Range(1, 5).Select(i => $"cifar-10-batches-bin/data_batch_{i}.bin"), "cifar-10-batches-bin/test_batch.bin"]),
        },
    ];

    public static readonly ImmutableArray<Download> Cifar100 =
    [
        new("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8", "cifar100") { Members = Named("cifar-100-binary/train.bin", "cifar-100-binary/test.bin") },
    ];

    public static readonly ImmutableArray<Download> Sst2 =
    [
        new("https://dl.fbaipublicfiles.com/glue/data/SST-2.zip", "", "glue/SST-2")
        {
            Members = ImmutableDictionary.CreateRange<string, string>(
            [
                new("SST-2/train.tsv", "48eac26399f8456935f81dd9e3a745c1430adb6c62e233ccfe22db4a0d15d1d1"),
                new("SST-2/dev.tsv", "54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0"),
            ]),
        },
    ];

    public static readonly ImmutableArray<Download> Rte =
    [
        new("https://dl.fbaipublicfiles.com/glue/data/RTE.zip", "", "glue/RTE")
        {
            Members = ImmutableDictionary.CreateRange<string, string>(
            [
                new("RTE/train.tsv", "41e3a9b063433392343fad9e962cf2f58b681c78d8f71592f4186f0837246c5c"),
                new("RTE/dev.tsv", "80230dfa1347282e7b532b06a1004a76a710087541189bf874223ddf0e3819fb"),
            ]),
        },
    ];

    private static IEnumerable<Download> Idx(string address, string folder, params string[] sums)
    {
        string[] files = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
        return files.Zip(sums, (file, sum) => new Download(address + file, "md5:" + sum, $"{folder}/{file}"));
    }

    private static ImmutableDictionary<string, string> Named(params string[] members) => members.ToImmutableDictionary(m => m, _ => "");
}
