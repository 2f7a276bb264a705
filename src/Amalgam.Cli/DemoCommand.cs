using System.CommandLine;
using Amalgam.Merging;
using Amalgam.Zoo.Demo;

namespace Amalgam.Cli;

/// <summary><c>amalgam demo</c>: trains a base and three fine-tunes, merges them by every method that fits, and tests all of them.</summary>
internal static class DemoCommand
{
    private const string UsualFolder = "demo";
    private const int Width = 79;

    public static Command Create()
    {
        Option<long> seed = new("--seed") { Description = "Another seed is another problem of the same kind" };
        Option<string?> keep = new("--keep") { Description = "Keep the models and recipes in this folder, which must be new or empty", HelpName = "dir" };
        Verb verb = new(
            "demo", "Train a small base and three fine-tunes of it, merge them by every method that fits, and test each network on every task.",
            [
                "amalgam demo",
                "amalgam demo --seed 7                # another problem",
                "amalgam demo --keep work             # keeps the models and the recipes",
            ])
        {
            seed, keep,
        };
        verb.Runs((parse, cancel) => Run(parse.InvocationConfiguration.Output, parse.GetValue(seed), parse.GetValue(keep), cancel));
        return verb;
    }

    private static void Run(TextWriter output, long seed, string? keep, CancellationToken cancel)
    {
        MergeOptions options = new() { Seed = seed, Parallel = new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel } };
        if (File.Exists(keep)) throw new IOException($"{keep} is a file, expected a folder");
        if (Directory.Exists(keep) && Directory.EnumerateFileSystemEntries(keep).Any()) throw new IOException($"{keep} is not empty; name a new folder");
        DirectoryInfo folder = keep is null ? Directory.CreateTempSubdirectory("amalgam-demo-") : Directory.CreateDirectory(keep);
        bool complete = false;
        Demonstration demonstration;
        try
        {
            demonstration = Demonstration.Run(folder.FullName, options);
            complete = true;
        }
        finally
        {
            if (keep is null || !complete) folder.Delete(recursive: true);
        }

        Write(output, demonstration, seed, keep);
    }

    private static void Write(TextWriter output, Demonstration demonstration, long seed, string? keep)
    {
        Fill(output,
            $"A network of {Problem.Inputs} inputs, {Network.Hidden} hidden units and {Problem.Classes} classes learnt a first problem, and three fine-tunes of it learnt a task each. "
            + $"The other networks are merges of these three, without more training. Right answers on {Problem.TestSamples:N0} test samples of each task:");
        output.WriteLine();
        Table table = new(1, ["", .. Enumerable.Range(1, Problem.Tasks).Select(task => $">task {task}"), ">mean"]);
        foreach (Score parent in demonstration.Parents) Add(table, parent);
        table.Add(["", .. Enumerable.Repeat("", Problem.Tasks + 1)]);
        foreach (Score merged in demonstration.Merged) Add(table, merged);
        table.Write(output, Screen.WidthOf(output));
        output.WriteLine();
        WriteFindings(output, demonstration);
        output.WriteLine();
        WriteCommands(output, seed, keep);
    }

    private static void Add(Table table, Score score) => table.Add([score.Name, .. score.Accuracy.Append(score.Mean).Select(Percent)]);

    /// <summary>What the table shows, in numbers taken from it.</summary>
    private static void WriteFindings(TextWriter output, Demonstration demonstration)
    {
        Score bestParent = demonstration.Parents.MaxBy(s => s.Mean)!, best = demonstration.Merged.MaxBy(s => s.Mean)!;
        int better = demonstration.Merged.Count(s => s.Mean > bestParent.Mean), worse = demonstration.Merged.Count(s => s.Mean < demonstration.Parents[0].Mean);
        Fill(output,
            $"{better} of {demonstration.Merged.Length} merges do better on average than the best parent ({bestParent.Name}, {Percent(bestParent.Mean)}); "
            + $"{(worse == 0 ? "none does" : $"{worse} {(worse == 1 ? "does" : "do")}")} worse than the base. The highest is {best.Name}, {Percent(best.Mean)}; but it was picked by "
            + "its test result, and another problem has another order (try --seed). Parameters are the defaults and weight=1; density is 0.5, as 1 prunes nothing.");
    }

    /// <summary>Prints a paragraph in lines of at most <see cref="Width"/> characters.</summary>
    private static void Fill(TextWriter output, string text)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Width)
            {
                output.WriteLine(line);
                line = "";
            }

            line += line.Length == 0 ? word : $" {word}";
        }

        output.WriteLine(line);
    }

    /// <summary>The commands that do the same, for the files that were kept, or will be.</summary>
    private static void WriteCommands(TextWriter output, long seed, string? keep)
    {
        string folder = keep ?? UsualFolder, seedOption = seed == 0 ? "" : $" --seed {seed}";
        string At(string path) => Quoted(Path.Combine(folder, path));
        output.WriteLine("By hand:");
        if (keep is null) output.WriteLine($"  amalgam demo{seedOption} --keep {UsualFolder}");
        output.WriteLine($"  amalgam merge {At("recipes/ties-0.5.yml")} ties");
        output.WriteLine($"  amalgam merge -m cki {At("task-1")} {At("task-2")} {At("task-3")} -b {At("base")} -o cki");
        output.WriteLine("  amalgam diff ties cki");
        if (Environment.ProcessPath is { } program && Path.GetFileNameWithoutExtension(program) == "Amalgam.Cli")
            output.WriteLine($"where amalgam is {Quoted(Path.GetRelativePath(Environment.CurrentDirectory, program))}");
    }

    private static string Quoted(string path) => path.Contains(' ') ? $"\"{path}\"" : path;

    private static string Percent(double share) => $"{100 * share:0.0}%";
}
