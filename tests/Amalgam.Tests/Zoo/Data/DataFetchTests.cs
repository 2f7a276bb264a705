using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Amalgam.Cli;
using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class DataFetchTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i * i >> 7))];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_comes_with_its_checksum_and_is_not_fetched_twice()
    {
        using FileServer server = new(Content);
        using TemporaryFolder folder = new();
        Download download = new(server.Address + "x.bin", "sha256:" + Sum(Content), "some/y.bin");
        Seen seen = new();
        Assert.True(await Get(folder, download, seen));
        Assert.Equal(Content, File.ReadAllBytes(folder["some/y.bin"]));
        Assert.Equal((Content.Length, Content.Length), (seen.Last.Done, seen.Last.Total));
        Assert.False(await Get(folder, download));
        Assert.Equal(1, server.Requests);
        Assert.Single(Directory.GetFiles(folder["some"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fetch_that_was_cut_goes_on_where_it_ended(bool ranges)
    {
        using FileServer server = new(Content) { CutAfter = 70_000, HasRanges = ranges };
        using TemporaryFolder folder = new();
        Download download = new(server.Address + "x.bin", "sha256:" + Sum(Content), "some/x.bin");
        Assert.Contains("the same command goes on from there", (await Assert.ThrowsAsync<IOException>(() => Get(folder, download))).Message);
        Assert.False(File.Exists(folder["some/x.bin"]));
        long there = new FileInfo(folder["some/x.bin.partial"]).Length;
        Assert.InRange(there, 1, 70_000);

        server.CutAfter = null;
        Seen seen = new();
        await Get(folder, download, seen);
        Assert.Equal(Content, File.ReadAllBytes(folder["some/x.bin"]));
        Assert.Equal(ranges, seen.First.Done > there);
        Assert.Equal((Content.Length, $"bytes={there}-"), (seen.Last.Total, server.LastRange));
    }

    [Fact]
    public async Task All_that_came_before_is_taken_and_more_than_all_is_not()
    {
        using FileServer server = new(Content);
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["some"]);
        Download download = new(server.Address + "x.bin", "", "some/x.bin");
        File.WriteAllBytes(folder["some/x.bin.partial"], [.. Content, 1, 2]);
        Assert.Contains("is shorter than the 200,002 bytes that were there", (await Assert.ThrowsAsync<IOException>(() => Get(folder, download))).Message);
        Assert.Empty(Directory.GetFiles(folder["some"]));
        File.WriteAllBytes(folder["some/x.bin.partial"], Content);
        await Get(folder, download);
        Assert.Equal(Content, File.ReadAllBytes(folder["some/x.bin"]));
    }

    [Fact]
    public async Task What_is_not_as_published_is_deleted_so_that_the_next_try_begins_anew()
    {
        using FileServer server = new(Content);
        using TemporaryFolder folder = new();
        Download wrong = new(server.Address + "x.bin", "md5:00", "some/x.bin");
        Assert.Contains("has the MD5 sum", (await Assert.ThrowsAsync<InvalidDataException>(() => Get(folder, wrong))).Message);
        foreach (string name in (string[])["x.zip", "x.tar.gz"])
        {
            Download archive = new(server.Address + name, "", "some") { Members = Members("a") };
            Assert.Contains("is no valid archive", (await Assert.ThrowsAsync<InvalidDataException>(() => Get(folder, archive))).Message);
        }

        Assert.Empty(Directory.GetFiles(folder["some"]));
    }

    [Fact]
    public async Task Members_of_an_archive_are_checked_and_nothing_else_is_kept()
    {
        using MemoryStream zip = new(), tar = new();
        using (ZipArchive archive = new(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (string name in (string[])["set/a.txt", "../evil", "set/b.txt"])
            {
                using Stream entry = archive.CreateEntry(name).Open();
                entry.Write(Content, 0, 9);
            }
        }

        using (GZipStream packed = new(tar, CompressionLevel.Fastest, leaveOpen: true))
        using (TarWriter archive = new(packed))
        {
            foreach (string name in (string[])["set/a.txt", "set/b.txt"]) archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Content[..9]) });
        }

        await Check(zip.ToArray(), "x.zip");
        await Check(tar.ToArray(), "x.tar.gz");

        static async Task Check(byte[] bytes, string name)
        {
            using FileServer server = new(bytes);
            using TemporaryFolder folder = new();
            Download download = new(server.Address + name, "", "some") { Members = Members("set/a.txt", "set/b.txt").SetItem("set/a.txt", Sum(Content[..9])) };
            await Get(folder, download);
            Assert.Equal(["a.txt", "b.txt"], Directory.GetFiles(folder["some"]).Select(Path.GetFileName).Order());
            Assert.Equal(Content[..9], File.ReadAllBytes(folder["some/b.txt"]));

            Download missing = download with { Members = Members("set/c.txt") }, other = download with { Path = "other", Members = Members("set/a.txt").SetItem("set/a.txt", "00") };
            Assert.Contains("has no set/c.txt", (await Assert.ThrowsAsync<InvalidDataException>(() => Get(folder, missing))).Message);
            Assert.Contains("expected 00", (await Assert.ThrowsAsync<InvalidDataException>(() => Get(folder, other))).Message);
            Assert.Empty(Directory.GetFiles(folder["other"]));
        }
    }

    [Fact]
    public async Task A_refusal_and_no_connection_say_what_to_do()
    {
        using FileServer server = new(Content) { Status = HttpStatusCode.NotFound };
        using TemporaryFolder folder = new();
        Assert.Contains("x.bin answers 404", (await Assert.ThrowsAsync<IOException>(() => Get(folder, new(server.Address + "x.bin", "", "some/x.bin")))).Message);

        // A port that is taken, and at which nobody listens.
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string address = $"http://{socket.LocalEndPoint}/x.bin", message = (await Assert.ThrowsAsync<IOException>(() => Get(folder, new(address, "", "some/x.bin")))).Message;
        Assert.Contains($"{address} cannot be reached", message);
        Assert.Contains($"put the file under {folder["some"]} by hand", message);
    }

    [Theory]
    [InlineData("glyphs is made on the spot", "glyphs")]
    [InlineData("lastfm is not offered for fetching; put recommendation/lastfm.txt under", "lastfm")]
    [InlineData("there is no data set 'mnits' (did you mean 'mnist'?)", "mnits")]
    public async Task The_command_says_what_cannot_be_fetched(string message, string name)
    {
        StringWriter output = new(), error = new();
        Assert.Equal(2, await Program.Run(["data", "get", name], output, error));
        Assert.Contains(message, error.ToString());
    }

    private static async Task<bool> Get(TemporaryFolder folder, Download download, Seen? seen = null)
    {
        using HttpClient client = new();
        return await new DataFetch(client, folder.Path).GetAsync(download, seen, Cancel);
    }

    private static System.Collections.Immutable.ImmutableDictionary<string, string> Members(params string[] names) =>
        System.Collections.Immutable.ImmutableDictionary.CreateRange(names.Select(n => KeyValuePair.Create(n, "")));

    private static string Sum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private sealed class Seen : IProgress<(long Done, long? Total)>
    {
        private (long, long?)? _first;

        public (long Done, long? Total) First => _first!.Value;

        public (long Done, long? Total) Last { get; private set; }

        public void Report((long Done, long? Total) value)
        {
            _first ??= value;
            Last = value;
        }
    }
}
