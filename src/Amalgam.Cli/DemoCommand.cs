using System.CommandLine;
using Amalgam.Numerics;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Demo;

namespace Amalgam.Cli;

/// <summary><c>amalgam demo</c>: two pairs of networks, every merge of them, and what each is good for.</summary>
internal static class DemoCommand
{
    private const string UsualFolder = "amalgam-demo";
    private const int Width = 79;

    public static Command Create()
    {
        Option<string?> folder = new("--output", "-o") { Description = $"New or empty folder for page, networks and recipes; {UsualFolder} where it is free, else {UsualFolder}-2 and so on", HelpName = "dir" };
        Option<long> seed = new("--seed") { Description = "First weights, order of samples, and methods' random masks" };
        Option<string?> data = new("--data")
        {
            Description = $"Merge two trained networks for MNIST from this folder instead, by default that of {DataFolder.Variable}; it holds mnist and models/mlp-mnist-pair",
            HelpName = "dir",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<int?> threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress" };
        Verb verb = new(
            "demo", "Train small networks on drawn glyphs, merge them by every method that fits, test every network, and write a page about it. Takes under a minute and needs no data.",
            [
                "amalgam demo                         # page, networks and recipes go to amalgam-demo",
                "amalgam demo --seed 7 -o work        # other first weights, another folder",
                "amalgam demo --data shared/data      # two trained networks for MNIST",
            ])
        {
            folder, seed, data, threads, quiet,
        };
        verb.Runs((parse, cancel) =>
        {
            int count = parse.GetValue(threads) ?? Environment.ProcessorCount;
            using CoreLimit limit = Cores.Limit(count);
            string target = parse.GetValue(folder) ?? FreeFolder();
            string? source = parse.GetResult(data) is { Implicit: false } ? Existing(parse.GetValue(data) ?? DataFolder.Root) : null;
            TextWriter output = parse.InvocationConfiguration.Output, error = parse.InvocationConfiguration.Error;
            bool isQuiet = parse.GetValue(quiet);
            Demonstration made;
            using (Progress progress = new(error, isQuiet))
            {
                DemoOptions options = new()
                {
                    Seed = parse.GetValue(seed),
                    Threads = count,
                    Cancel = cancel,
                    Training = progress,
                    Merging = (done, total) => progress.Report("merges made and tested:", done, total),
                    Finished = line =>
                    {
                        if (!isQuiet) progress.Write(error, line);
                    },
                };
                made = source is null ? Demonstration.OfGlyphs(target, options) : Demonstration.OfMnist(target, source, options);
            }

            Write(output, made, target);
        });
        return verb;
    }

    /// <summary>The usual folder, or it with the first number that is free: nothing of an earlier run is touched.</summary>
    private static string FreeFolder()
    {
        string folder = UsualFolder;
        for (int i = 2; Path.Exists(folder) || Path.Exists(folder + ".partial"); i++) folder = $"{UsualFolder}-{i}";
        return folder;
    }

    private static string Existing(string folder) =>
        Directory.Exists(folder) ? folder : throw new InvalidDataException($"{folder} does not exist; --data takes the folder that holds mnist and models/mlp-mnist-pair, or that of {DataFolder.Variable}");

    /// <summary>Tells what was made and how good it is.</summary>
    internal static void Write(TextWriter output, Demonstration made, string folder)
    {
        Fill(output, $"{made.Data} {made.Network}");
        foreach (PairResult result in made.Pairs)
        {
            output.WriteLine();
            output.WriteLine(result.Pair.Title.ToUpperInvariant());
            Fill(output, result.Pair.Story);
            output.WriteLine();
            WriteTable(output, result);
            output.WriteLine();
            Fill(output, DemoText.Columns(result));
            Fill(output, DemoText.Finding(result));
        }

        output.WriteLine();
        Fill(output, DemoText.Rules);
        output.WriteLine();
        output.WriteLine($"The page: {Printable.Line(Path.Combine(folder, Demonstration.Page))}");
        output.WriteLine("What to try next:");
        foreach (string line in DemoText.Commands(made, folder)) output.WriteLine($"  {Printable.Line(line)}");
        if (Environment.ProcessPath is { } program && Path.GetFileNameWithoutExtension(program) == "Amalgam.Cli")
            output.WriteLine($"where amalgam is {Path.GetRelativePath(Environment.CurrentDirectory, program)}");
    }

    private static void WriteTable(TextWriter output, PairResult result)
    {
        string[] tasks = [.. result.Pair.Tasks.Select(t => $">{t.Name}")];
        Table table = new(1, ["", ">all", .. tasks, ">loss"]);
        string Share(double share) => DemoText.Percent(result, share);
        void Add(NetworkScore score) => table.Add([score.Name, Share(score.Joint), .. score.Tasks.Select(Share), $"{score.Loss:0.000}"]);
        void Gap() => table.Add(["", "", .. tasks.Select(_ => ""), ""]);
        foreach (NetworkScore parent in result.Parents) Add(parent);
        Add(result.Ensemble);
        Gap();
        foreach (MergeResult merged in result.Merged) Add(merged.Score);
        table.Write(output, Screen.WidthOf(output));
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
}
