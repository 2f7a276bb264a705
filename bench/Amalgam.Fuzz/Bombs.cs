using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Amalgam.Checkpoints;

namespace Amalgam.Fuzz;

/// <summary>Large files that are nearly all header. Each is opened in a child process, whose peak working set is told beyond that of one that opens a small file.</summary>
internal static class Bombs
{
    private const string Small = "a small file, without subtraction";
    private const int HeaderBytes = 99_999_990, IndexBytes = 64 << 20, DirectoryBytes = 60_000_000;

    /// <summary>The file to write, what is in it, and how.</summary>
    private static readonly ImmutableArray<(string Name, string What, Action<Stream> Write)> All =
    [
        ("small.safetensors", Small, s => Header(s, Tensors(1, 10, 100))),
        ("entries.safetensors", "100 MB of metadata entries", s => Header(s, Metadata(int.MaxValue, 1))),
        ("notes.safetensors", "100 MB of metadata, 99,000 entries", s => Header(s, Metadata(99_000, 990))),
        ("value.safetensors", "100 MB of metadata, one entry", s => Header(s, Metadata(1, HeaderBytes - 200))),
        ("tensors.safetensors", "100 MB of empty tensors", s => Header(s, Tensors(int.MaxValue, 7, HeaderBytes))),
        ("short.safetensors", "200,000 empty tensors, short names", s => Header(s, Tensors(200_000, 7, HeaderBytes))),
        ("long.safetensors", "200,000 empty tensors, long names", s => Header(s, Tensors(200_000, 440, HeaderBytes))),
        ("many.npz", "60 MB zip directory, short entries", s => Zip(s, 0)),
        ("wide.npz", "60 MB zip directory, 240,000 entries", s => Zip(s, 197)),
        ("many/model.safetensors.index.json", "64 MiB index, short names", s => Index(s, 8)),
        ("wide/model.safetensors.index.json", "64 MiB index, 490,000 long names", s => Index(s, 124)),
    ];

    public static int Run()
    {
        string scratch = Path.Combine(Path.GetTempPath(), $"amalgam-bombs-{Environment.ProcessId}");
        Directory.CreateDirectory(scratch);
        try
        {
            long small = 0;
            Console.WriteLine($"{"file",-38} {"MB",7} {"outcome",8} {"ms",7} {"peak MB",8} {"x file",7}");
            foreach (var (name, what, write) in All)
            {
                string path = Path.Combine(scratch, name), folder = Path.GetDirectoryName(path)!;
                Directory.CreateDirectory(folder);
                using (FileStream stream = new(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16)) write(stream);
                long size = new FileInfo(path).Length;
                string[] said = RunChild(folder == scratch ? path : folder);
                if (said.Length != 3)
                {
                    Console.WriteLine($"{what,-38} FAILED {string.Join(' ', said)}");
                    return 1;
                }

                long peak = long.Parse(said[2], CultureInfo.InvariantCulture) - small;
                if (what == Small) small = peak;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-38} {size / 1e6,7:0.0} {said[0],8} {said[1],7} {peak / 1e6,8:0} {(double)peak / size,7:0.0}"));
                File.Delete(path);
            }

            return 0;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>Opens a checkpoint and tells what came out, in how many milliseconds, and this process's peak working set.</summary>
    public static void Open(string path)
    {
        var clock = Stopwatch.StartNew();
        string outcome = "parsed";
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
        }
        catch (InvalidDataException)
        {
            outcome = "refused";
        }

        using var self = Process.GetCurrentProcess();
        Console.WriteLine($"{outcome}\t{clock.ElapsedMilliseconds}\t{self.PeakWorkingSet64}");
    }

    private static string[] RunChild(string path)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(Bombs).Assembly.Location);
        start.ArgumentList.Add("bomb");
        start.ArgumentList.Add(path);
        start.Environment["DOTNET_gcServer"] = "0";
        using Process child = Process.Start(start)!;
        string said = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return said.Trim().Split('\t');
    }

    private static void Header(Stream to, IEnumerable<string> parts)
    {
        to.Write(new byte[8]);
        to.WriteByte((byte)'{');
        foreach (string part in parts) to.Write(Encoding.ASCII.GetBytes(part));
        to.WriteByte((byte)'}');
        byte[] length = BitConverter.GetBytes(to.Length - 8);
        to.Position = 0;
        to.Write(length);
    }

    private static IEnumerable<string> Metadata(int entries, int valueBytes)
    {
        string value = new('v', valueBytes);
        yield return "\"__metadata__\":{";
        long bytes = 100;
        for (int i = 0; i < entries && bytes + valueBytes + 14 < HeaderBytes; i++)
        {
            string entry = $"{(i > 0 ? "," : "")}\"{i:x7}\":\"{value}\"";
            bytes += entry.Length;
            yield return entry;
        }

        yield return "}";
    }

    private static IEnumerable<string> Tensors(int count, int nameBytes, long limit)
    {
        long bytes = 2;
        for (int i = 0; i < count; i++)
        {
            string entry = $"{(i > 0 ? "," : "")}\"{i.ToString("x7", CultureInfo.InvariantCulture).PadRight(nameBytes, 'n')}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
            bytes += entry.Length;
            if (bytes > limit && i > 0) yield break;
            yield return entry;
        }
    }

    private static void Index(Stream to, int nameBytes)
    {
        to.Write("{\"weight_map\":{"u8);
        for (int i = 0; to.Position < IndexBytes - nameBytes - 100; i++) to.Write(Encoding.ASCII.GetBytes($"{(i > 0 ? "," : "")}\"{i.ToString("x7", CultureInfo.InvariantCulture).PadRight(nameBytes, 'n')}\":\"x\""));
        to.Write("}}"u8);
    }

    /// <summary>Empty stored files, with comments in the directory.</summary>
    private static void Zip(Stream to, int commentBytes)
    {
        const int NameBytes = 7;
        int count = DirectoryBytes / (46 + NameBytes + commentBytes);
        byte[] local = new byte[30 + NameBytes], central = new byte[46 + NameBytes + commentBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(local, 0x04034b50);
        local[26] = NameBytes;
        for (int i = 0; i < count; i++)
        {
            Encoding.ASCII.GetBytes($"{i:x7}", local.AsSpan(30));
            to.Write(local);
        }

        long begin = to.Position;
        BinaryPrimitives.WriteUInt32LittleEndian(central, 0x02014b50);
        central[28] = NameBytes;
        BinaryPrimitives.WriteUInt16LittleEndian(central.AsSpan(32), (ushort)commentBytes);
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(central.AsSpan(42), (uint)(i * local.Length));
            Encoding.ASCII.GetBytes($"{i:x7}", central.AsSpan(46));
            to.Write(central);
        }

        long end = to.Position;
        using BinaryWriter tail = new(to, Encoding.ASCII, leaveOpen: true);
        tail.Write(0x06064b50);
        tail.Write(44L);
        tail.Write(0x002d002d);
        tail.Write(0L);
        foreach (long field in (long[])[count, count, end - begin, begin]) tail.Write(field);
        tail.Write(0x07064b50);
        tail.Write(0);
        tail.Write(end);
        tail.Write(1);
        tail.Write(0x06054b50);
        tail.Write(0);
        tail.Write(uint.MaxValue);
        tail.Write((uint)(end - begin));
        tail.Write((uint)begin);
        tail.Write((short)0);
    }
}
