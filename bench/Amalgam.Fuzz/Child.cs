using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Fuzz;

/// <summary>Runs cases of one kind in this process. One that hangs or breaks the process is named by the file <see cref="Current"/>.</summary>
internal sealed class Child(string work, string seeds, long seed, string kind)
{
    public const string Current = "current";

    /// <summary>What a reader may allocate beyond twice the file: buffers and tables, and the values of a pickle, which may be many in few bytes.</summary>
    private const long Allowance = 4 << 20, PickleAllowance = 24 << 20;
    private const int CaseLimitSeconds = 5, ConvertOneIn = 16;
    private const long ConvertLimit = 64 << 20;

    private readonly Mutator _mutator = new(kind, SeedFiles.Of(seeds, kind), seed);
    private readonly byte[] _block = new byte[1 << 16];

    public static void Run(string work, string seeds, long seed, int kind, int from)
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("AMALGAM_FUZZ_COUNT")!, CultureInfo.InvariantCulture);
        new Child(work, seeds, seed, SeedFiles.Kinds[kind]).RunBatch(from, count);
    }

    /// <summary>Writes the files of a case.</summary>
    /// <returns>What is to be opened, and its size in bytes.</returns>
    public (string Path, long Size) WriteCase(int at)
    {
        Mutant mutant = _mutator.Make(at);
        string path = Path.Combine(work, mutant.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        foreach (var (name, bytes) in mutant.Others) File.WriteAllBytes(Path.Combine(work, name), bytes);
        File.WriteAllBytes(path, mutant.Bytes);
        return (kind == "sharded" ? Path.GetDirectoryName(path)! : path, mutant.Bytes.Length + mutant.Others.Sum(o => (long)o.Bytes.Length));
    }

    private void RunBatch(int from, int count)
    {
        using FileStream current = new(Path.Combine(work, Current), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var clock = Stopwatch.StartNew();
        long begun = -1;
        Thread watchdog = new(() =>
        {
            while (true)
            {
                Thread.Sleep(100);
                long since = Interlocked.Read(ref begun);
                if (since < 0 || clock.ElapsedMilliseconds - since < CaseLimitSeconds * 1000) continue;
                Console.Error.WriteLine($"it hangs, {CaseLimitSeconds} s and more");
                Console.Error.Flush();
                Environment.Exit(3);
            }
        });
        watchdog.IsBackground = true;
        watchdog.Start();

        Outcome outcome = new();
        for (int at = from; at < from + count; at++)
        {
            current.Position = 0;
            current.Write(BitConverter.GetBytes(at));
            var (path, size) = WriteCase(at);
            Interlocked.Exchange(ref begun, clock.ElapsedMilliseconds);
            double start = clock.Elapsed.TotalMilliseconds;
            long before = GC.GetAllocatedBytesForCurrentThread();
            string? failure = null;
            bool parsed = false;
            try
            {
                parsed = kind == "recipe" ? Parse(path) : OpenAndRead(path);
            }
            catch (Exception e)
            {
                failure = $"{e.GetType().Name}: {e.Message} {e.StackTrace}";
            }

            double milliseconds = clock.Elapsed.TotalMilliseconds - start;
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (failure is null && allocated > 2 * size + (kind.StartsWith("pytorch", StringComparison.Ordinal) ? PickleAllowance : Allowance)) failure = $"{allocated} bytes allocated for {size} bytes of file";
            try
            {
                if (failure is null && parsed && kind != "recipe") Verify(path, at);
            }
            catch (Exception e)
            {
                failure = $"afterwards {e.GetType().Name}: {e.Message} {e.StackTrace}";
            }

            Interlocked.Exchange(ref begun, -1);
            if (failure is not null) Console.WriteLine($"fail\t{at}\t{failure.ReplaceLineEndings(" ")}");
            if (failure is not null) outcome.AddFailure();
            else outcome.Add(parsed, milliseconds, allocated, size);
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }

        Console.WriteLine($"end\t{outcome}");
    }

    private static bool Parse(string path)
    {
        try
        {
            return RecipeFile.Read(path).Length > 0;
        }
        catch (MergeException)
        {
            return false;
        }
    }

    private bool OpenAndRead(string path)
    {
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            foreach (TensorEntry tensor in checkpoint.Tensors) ReadAll(tensor, null);
            return true;
        }
        catch (InvalidDataException e) when (e.Message.Contains(path, StringComparison.Ordinal))
        {
            return false;
        }
        catch (FileNotFoundException) when (Directory.Exists(path))
        {
            return false;
        }
    }

    private void ReadAll(TensorEntry tensor, Checksum? sum)
    {
        long total = tensor.Shape.Count, step = _block.Length * 8L / tensor.DType.Bits / 8 * 8;
        for (long first = 0; first < total; first += step)
        {
            Span<byte> part = _block.AsSpan(0, (int)tensor.DType.BytesOf(Math.Min(step, total - first)));
            tensor.Read(first, part);
            sum?.Add(part);
        }
    }

    /// <summary>What was read is what the file says, by rules that do not depend on the reader.</summary>
    private void Verify(string path, int at)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        if (checkpoint.Tensors.DistinctBy(t => t.Name).Count() != checkpoint.Tensors.Length) throw new InvalidOperationException("two tensors have one name");
        if (kind == "safetensors") VerifyCover(path, checkpoint);
        if (at % ConvertOneIn == 0 && checkpoint.ByteCount < ConvertLimit) VerifyCopy(checkpoint);
    }

    /// <summary>The tensors of the header, as another JSON parser sees them, are the tensors that were read, and they cover the data without gap or overlap.</summary>
    private static void VerifyCover(string path, Checkpoint checkpoint)
    {
        byte[] bytes = File.ReadAllBytes(path);
        long header = BitConverter.ToInt64(bytes);
        using JsonDocument json = JsonDocument.Parse(bytes.AsMemory(8, (int)header));
        int listed = json.RootElement.EnumerateObject().Count(p => p.Name != "__metadata__");
        if (listed != checkpoint.Tensors.Length) throw new InvalidOperationException($"{listed} tensors in the header, {checkpoint.Tensors.Length} read");
        long end = 8 + header;
        foreach (TensorEntry tensor in checkpoint.Tensors.OrderBy(t => t.Offset).ThenBy(t => t.ByteCount))
        {
            JsonElement said = json.RootElement.GetProperty(tensor.Name);
            long[] offsets = [.. said.GetProperty("data_offsets").EnumerateArray().Select(o => o.GetInt64())], sizes = [.. said.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())];
            if (said.GetProperty("dtype").GetString() != tensor.DType.Name || !sizes.SequenceEqual(tensor.Shape.Sizes.ToArray())) throw new InvalidOperationException($"{tensor} is not what the header says");
            if (tensor.Offset != end || offsets[0] + 8 + header != end) throw new InvalidOperationException($"{tensor} begins at {tensor.Offset}, expected {end}");
            end = offsets[1] + 8 + header;
            if (end - tensor.Offset != tensor.ByteCount) throw new InvalidOperationException($"{tensor} spans {end - tensor.Offset} bytes");
        }

        if (end != bytes.Length) throw new InvalidOperationException($"the tensors end at {end} of {bytes.Length}");
    }

    /// <summary>A copy holds the same bytes.</summary>
    private void VerifyCopy(Checkpoint checkpoint)
    {
        string path = Path.Combine(work, "copy.safetensors");
        try
        {
            new CheckpointCopy().Run(checkpoint, path, new(Overwrite: true));
        }
        catch (InvalidDataException)
        {
            return;
        }

        using Checkpoint copy = Checkpoint.Open(path);
        if (copy.Tensors.Length != checkpoint.Tensors.Length) throw new InvalidOperationException($"the copy has {copy.Tensors.Length} tensors of {checkpoint.Tensors.Length}");
        foreach (TensorEntry tensor in checkpoint.Tensors)
        {
            if (!copy.TryFind(tensor.Name, out TensorEntry? twin) || twin.DType != tensor.DType || twin.Shape != tensor.Shape) throw new InvalidOperationException($"the copy has {twin} for {tensor}");
            Checksum a = new(), b = new();
            ReadAll(tensor, a);
            ReadAll(twin, b);
            if (a.Value != b.Value) throw new InvalidOperationException($"the copy of {tensor} has other bytes");
        }
    }
}
