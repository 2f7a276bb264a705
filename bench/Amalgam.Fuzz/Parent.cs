using System.Diagnostics;
using System.Globalization;

namespace Amalgam.Fuzz;

/// <summary>Hands batches of cases to child processes and adds up what they say.</summary>
internal sealed class Parent(int cases, int seed, string? only, int jobs, string keep)
{
    private const int BatchCases = 1000;
    private static readonly TimeSpan BatchLimit = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Outcome> _outcomes = [];
    private readonly Lock _gate = new();
    private long _failures;

    public int Run()
    {
        string[] kinds = only is null ? [.. SeedFiles.Kinds] : [only];
        string scratch = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"amalgam-fuzz-{Environment.ProcessId}");
        Directory.CreateDirectory(scratch);
        var clock = Stopwatch.StartNew();
        try
        {
            string seeds = Path.Combine(scratch, "seeds");
            SeedFiles.Write(seeds);
            int each = (cases + kinds.Length - 1) / kinds.Length;
            var batches = kinds.SelectMany(kind => Enumerable.Range(0, (each + BatchCases - 1) / BatchCases).Select(b => (Kind: kind, From: b * BatchCases, Count: Math.Min(BatchCases, each - b * BatchCases))));
            foreach (string kind in kinds) _outcomes[kind] = new();
            Parallel.ForEach(batches, new ParallelOptions { MaxDegreeOfParallelism = jobs }, b => RunBatch(scratch, seeds, b.Kind, b.From, b.Count));
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        Outcome all = new();
        Console.WriteLine($"{"kind",-18} {"cases",9} {"parsed",9} {"refused",9} {"worst ms",9} {"worst allocation",17} {"beyond 2 x file",16}");
        foreach (string kind in kinds)
        {
            Print(kind, _outcomes[kind]);
            all.Add(_outcomes[kind]);
        }

        Print("all", all);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_failures} failures, seed {seed}, {clock.Elapsed.TotalSeconds:0} s"));
        return _failures == 0 ? 0 : 1;
    }

    private static void Print(string kind, Outcome o) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{kind,-18} {o.Cases,9} {o.Parsed,9} {o.Refused,9} {o.WorstMilliseconds,9:0.0} {o.WorstAllocation,17} {Math.Max(0, o.WorstExcess),16}"));

    /// <summary>Goes on after a case that ends the child, which is a failure, until the batch is through.</summary>
    private void RunBatch(string scratch, string seeds, string kind, int from, int count)
    {
        for (int end = from + count; from < end;)
        {
            string work = Path.Combine(scratch, $"{kind}-{from}");
            Directory.CreateDirectory(work);
            string ending = RunChild(work, seeds, kind, from, end - from);
            int next = end;
            if (ending.Length > 0)
            {
                byte[] current = File.Exists(Path.Combine(work, Child.Current)) ? File.ReadAllBytes(Path.Combine(work, Child.Current)) : [];
                int at = current.Length == 4 ? BitConverter.ToInt32(current) : from;
                Fail(seeds, kind, at, ending);
                lock (_gate) for (int i = from; i <= at; i++) _outcomes[kind].AddFailure();
                next = at + 1;
            }

            Directory.Delete(work, recursive: true);
            from = next;
        }
    }

    /// <summary>Empty when the batch came to its end; otherwise what ended it.</summary>
    private string RunChild(string work, string seeds, string kind, int from, int count)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = work };
        string[] arguments = [work, seeds, $"{seed}", $"{Array.IndexOf([.. SeedFiles.Kinds], kind)}", $"{from}"];
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(Parent).Assembly.Location);
        foreach (string a in (string[])["child", .. arguments]) start.ArgumentList.Add(a);
        start.Environment["TMPDIR"] = work;
        start.Environment["AMALGAM_FUZZ_COUNT"] = $"{count}";
        start.Environment["DOTNET_gcServer"] = "0";
        using Process child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var lines = child.StandardOutput.ReadToEndAsync();
        if (!child.WaitForExit(BatchLimit)) child.Kill();
        child.WaitForExit();
        bool complete = false;
        foreach (string line in lines.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('\t', 3);
            if (parts[0] == "fail") Fail(seeds, kind, int.Parse(parts[1], CultureInfo.InvariantCulture), parts[2]);
            if (parts[0] != "end") continue;
            complete = true;
            lock (_gate) _outcomes[kind].Add(Outcome.Parse(line[4..]));
        }

        return complete ? "" : $"the process ended with {child.ExitCode}: {errors.Result.Split('\n')[0]}";
    }

    private void Fail(string seeds, string kind, int at, string why)
    {
        lock (_gate)
        {
            _failures++;
            Console.WriteLine($"FAILED {kind} case {at} of seed {seed}: {why}");
            if (_failures > 100) return;
            string folder = Path.Combine(keep, $"{kind}-{seed}-{at}");
            Directory.CreateDirectory(folder);
            new Child(folder, seeds, seed, kind).WriteCase(at);
        }
    }
}
