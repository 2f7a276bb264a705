using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Amalgam.Zoo.Data;

/// <summary>Fetches what publishers offer: in parts that an interrupted fetch goes on from, checked, and only then under its own name.</summary>
/// <param name="client">Makes the requests.</param>
/// <param name="root">The data folder.</param>
public sealed class DataFetch(HttpClient client, string root)
{
    /// <summary>Fetches one file, or the members of one archive, unless they are there.</summary>
    /// <param name="download">What.</param>
    /// <param name="progress">Hears of bytes that have come and, where the publisher says it, of how many there are.</param>
    /// <param name="cancel">Stops it; what has come stays for the next try.</param>
    /// <returns>False when all of it was there.</returns>
    /// <exception cref="InvalidDataException">What came is not what was published.</exception>
    /// <exception cref="IOException">The publisher cannot be reached or refuses, or the folder cannot be written.</exception>
    public async Task<bool> GetAsync(Download download, IProgress<(long Done, long? Total)>? progress = null, CancellationToken cancel = default)
    {
        string[] targets = download.Members.IsEmpty ? [download.Path] : [.. download.Members.Keys.Select(member => Target(download, member))];
        if (targets.All(target => DataFolder.Find(root, target) is not null || DataFolder.Find(root, WithoutGz(target)) is not null)) return false;
        string folder = Path.Combine(root, download.Members.IsEmpty ? Path.GetDirectoryName(download.Path)! : download.Path);
        Directory.CreateDirectory(folder);
        string partial = Path.Combine(folder, Path.GetFileName(new Uri(download.Address).LocalPath) + ".partial");
        await FetchAsync(new(download.Address), partial, progress, cancel);
        if (download.Checksum.Length > 0) await CheckAsync(download, partial, cancel);
        if (download.Members.IsEmpty) File.Move(partial, Path.Combine(root, download.Path), overwrite: true);
        else
        {
            Extract(download, partial);
            File.Delete(partial);
        }

        return true;
    }

    /// <summary>Takes the members out of an archive. One that is damaged is deleted, or the next try would find it complete.</summary>
    private void Extract(Download download, string archive)
    {
        try
        {
            TakeOut(download, archive);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            File.Delete(archive);
            string where = e.Message.Contains(download.Address, StringComparison.Ordinal) ? "" : $"{download.Address} is no valid archive: ";
            throw new InvalidDataException($"{where}{e.Message.TrimEnd('.')}; what came is deleted, try again", e);
        }
    }

    private static string Target(Download download, string member) => $"{download.Path}/{member[(member.LastIndexOf('/') + 1)..]}";

    private static string WithoutGz(string path) => path.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path;

    private async Task FetchAsync(Uri address, string partial, IProgress<(long, long?)>? progress, CancellationToken cancel)
    {
        try
        {
            long have = File.Exists(partial) ? new FileInfo(partial).Length : 0;
            using HttpRequestMessage request = new(HttpMethod.Get, address);
            if (have > 0) request.Headers.Range = new RangeHeaderValue(have, null);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && have > 0)
            {
                if (response.Content.Headers.ContentRange?.Length == have) return;
                File.Delete(partial);
                throw new IOException($"{address} is shorter than the {have:N0} bytes that were there, which are deleted; try again");
            }

            if (!response.IsSuccessStatusCode) throw new IOException($"{address} answers {(int)response.StatusCode} {response.ReasonPhrase}; the file may have moved: fetch it by hand (docs/data.md)");
            if (response.StatusCode != HttpStatusCode.PartialContent) have = 0;
            else if (response.Content.Headers.ContentRange?.From != have) throw new IOException($"{address} answers with another part than the one from byte {have:N0} on; delete {partial} and try again");
            long? total = response.Content.Headers.ContentLength + have;
            await using Stream from = await response.Content.ReadAsStreamAsync(cancel);
            await using FileStream to = new(partial, have > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write);
            byte[] buffer = new byte[1 << 16];
            for (int count; (count = await from.ReadAsync(buffer, cancel)) > 0;)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancel);
                have += count;
                progress?.Report((have, total));
            }

            if (have < total) throw new HttpIOException(HttpRequestError.ResponseEnded, $"{have:N0} of {total:N0} bytes came");
        }
        catch (HttpIOException e)
        {
            throw new IOException($"{address} ended early ({e.Message.TrimEnd('.')}); the same command goes on from there", e);
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"{address} cannot be reached ({e.Message}); connect this machine, or put the file under {Path.GetDirectoryName(partial)} by hand", e);
        }
    }

    private static async Task CheckAsync(Download download, string partial, CancellationToken cancel)
    {
        await using FileStream stream = File.OpenRead(partial);
        bool md5 = download.Checksum.StartsWith("md5:", StringComparison.Ordinal);
#pragma warning disable CA5351 // MD5 is what these publishers give; it guards against damage, not against malice.
        byte[] hash = md5 ? await MD5.HashDataAsync(stream, cancel) : await SHA256.HashDataAsync(stream, cancel);
#pragma warning restore CA5351
        string found = Convert.ToHexStringLower(hash), expected = download.Checksum[(download.Checksum.IndexOf(':') + 1)..];
        if (found == expected) return;
        stream.Close();
        File.Delete(partial);
        throw new InvalidDataException($"{download.Address} has the {(md5 ? "MD5" : "SHA-256")} sum {found}, expected {expected}; what came is deleted, try again");
    }

    private void TakeOut(Download download, string archive)
    {
        Dictionary<string, string> open = download.Members.ToDictionary();
        if (download.Address.EndsWith(".zip", StringComparison.Ordinal))
        {
            using ZipArchive zip = ZipFile.OpenRead(archive);
            foreach (ZipArchiveEntry entry in zip.Entries.Where(e => open.ContainsKey(e.FullName)))
            {
                using Stream member = entry.Open();
                Keep(download, entry.FullName, member, open);
            }
        }
        else
        {
            using GZipStream unpacked = new(File.OpenRead(archive), CompressionMode.Decompress);
            using TarReader tar = new(unpacked);
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is { } member && open.ContainsKey(entry.Name)) Keep(download, entry.Name, member, open);
            }
        }

        if (open.Count > 0) throw new InvalidDataException($"{download.Address} has no {string.Join(" and no ", open.Keys.Order())}");
    }

    private void Keep(Download download, string member, Stream bytes, Dictionary<string, string> open)
    {
        string target = Path.Combine(root, Target(download, member)), beside = target + ".partial";
        using (FileStream file = File.Create(beside)) bytes.CopyTo(file);
        if (open[member] is { Length: > 0 } expected)
        {
            using FileStream file = File.OpenRead(beside);
            string found = Convert.ToHexStringLower(SHA256.HashData(file));
            file.Close();
            if (found != expected)
            {
                File.Delete(beside);
                throw new InvalidDataException($"{member} of {download.Address} has the SHA-256 sum {found}, expected {expected}");
            }
        }

        File.Move(beside, target, overwrite: true);
        open.Remove(member);
    }
}
