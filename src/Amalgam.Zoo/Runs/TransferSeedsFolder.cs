using System.Globalization;

namespace Amalgam.Zoo.Runs;

/// <summary>The folder of a transfer run with several seeds: each seed's run in a folder of its own, and beside them what they have in common.</summary>
public static class TransferSeedsFolder
{
    private const string Prefix = "seed-";
    private const int MostNamed = 8;

    /// <summary>Name of a seed's folder.</summary>
    public static string Of(long seed) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{seed}");

    /// <summary>Keeps other runs out of the folder, which is made where it is missing.</summary>
    /// <param name="folder">The folder of all.</param>
    /// <exception cref="IOException">Another run is at work there.</exception>
    public static IDisposable Hold(string folder) => RunOutput.Hold(folder);

    /// <summary>Seeds whose runs are in the folder and not asked for, in their order.</summary>
    /// <param name="folder">The folder of all.</param>
    /// <param name="seeds">The seeds that are asked for.</param>
    public static long[] Others(string folder, IEnumerable<long> seeds) => [.. SeedsIn(folder).Except(seeds)];

    /// <summary>Refuses a folder that the runs must not write to, and each seed's that its run could not take, before the first begins. Nothing is written.</summary>
    /// <param name="description">What a run does.</param>
    /// <param name="folder">The folder of all.</param>
    /// <param name="seeds">The seeds.</param>
    /// <param name="resume">Whether what is there is gone on with; runs with other seeds stay as they are.</param>
    /// <param name="overwrite">Whether it is replaced.</param>
    /// <param name="report">Where the page goes; null for the folder.</param>
    /// <param name="cancel">Stops it.</param>
    /// <exception cref="IOException">There is something in the folder already, or where the page goes.</exception>
    /// <exception cref="Amalgam.Training.TrainingException">A seed's folder is that of a run with another description.</exception>
    public static void Check(TransferDescription description, string folder, IReadOnlyList<long> seeds, bool resume, bool overwrite, string? report = null, CancellationToken cancel = default)
    {
        CheckNames(folder, seeds, resume, overwrite);
        TransferPlan? first = null;
        TransferPlan First() => first ??= new(description.WithSeed(seeds[0]));
        if (report is not null) RunOutput.CheckReport(report, folder, TransferRun.ReadBy(First()), overwrite);
        foreach (long seed in seeds)
        {
            string own = Path.Combine(folder, Of(seed));
            if (File.Exists(own) || (Directory.Exists(own) && Directory.EnumerateFileSystemEntries(own).Any()))
                TransferRun.Check(resume ? new(description.WithSeed(seed)) : First(), own, resume, overwrite, cancel);
        }
    }

    private static void CheckNames(string folder, IReadOnlyList<long> seeds, bool resume, bool overwrite)
    {
        OutputPlace.CheckFolder(folder);
        if (!Directory.Exists(folder)) return;
        if (((string[])[TransferFolder.Description, RunFolder.Description]).Any(name => File.Exists(Path.Combine(folder, name)))) throw new IOException($"{folder} is the folder of a run with one seed; name another folder for several");
        string[] inside = [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal)];
        long[] there = [.. SeedsIn(folder)], others = [.. there.Except(seeds)];
        HashSet<string> own = [.. there.Concat(seeds).Select(Of)];
        foreach (string name in (string[])[RunFolder.Result, TransferFolder.Report]) own.UnionWith([name, name + ".tmp", name + ".partial"]);
        if (inside.FirstOrDefault(name => !own.Contains(name)) is { } strange) throw new IOException($"{folder} holds '{strange}', which runs with several seeds do not leave; name another folder, or take it away yourself");
        if (resume || inside.Length == 0) return;
        string found = there.Length == 0 ? $"{folder} is not empty" : $"{folder} has {(there.Length == 1 ? "a run" : "runs")} with the {Text(there)}";
        if (!overwrite) throw new IOException($"{found}; --resume goes on with what is there and adds what is missing, --overwrite begins {(others.Length == 0 ? "anew" : "anew with the same seeds only")}, or name another folder");
        if (others.Length == 0) return;
        string ask = others.Length == 1 ? "ask for the other seed too, take its folder away yourself" : "ask for the other seeds too, take their folders away yourself";
        throw new IOException($"{found}, and --overwrite would replace only those asked for: {ask}, or name another folder");
    }

    /// <summary>Seeds as a sentence has them: <c>seed 4</c>, <c>seeds 1, 2, 3</c>, <c>seeds 1 to 100</c>.</summary>
    public static string Text(IReadOnlyList<long> seeds)
    {
        string One(long seed) => seed.ToString(CultureInfo.InvariantCulture);
        if (seeds.Count == 1) return $"seed {One(seeds[0])}";
        if (seeds.Count <= MostNamed) return $"seeds {string.Join(", ", seeds.Select(One))}";
        bool isRow = seeds[^1] - seeds[0] == seeds.Count - 1;
        return isRow ? $"seeds {One(seeds[0])} to {One(seeds[^1])}" : $"seeds {string.Join(", ", seeds.Take(MostNamed).Select(One))} and {seeds.Count - MostNamed} more";
    }

    /// <summary>Seeds whose runs have begun in a folder.</summary>
    private static IEnumerable<long> SeedsIn(string folder) => !Directory.Exists(folder) ? [] : Directory.EnumerateDirectories(folder, Prefix + "*")
        .Where(path => File.Exists(Path.Combine(path, TransferFolder.Description)))
        .Select(path => long.TryParse(Path.GetFileName(path)[Prefix.Length..], CultureInfo.InvariantCulture, out long seed) && Of(seed) == Path.GetFileName(path) ? seed : (long?)null)
        .OfType<long>().Order();
}
