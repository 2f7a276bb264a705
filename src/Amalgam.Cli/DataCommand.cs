using System.CommandLine;
using Amalgam.Zoo.Data;

namespace Amalgam.Cli;

/// <summary><c>amalgam data</c>: the data sets that Amalgam knows.</summary>
internal static class DataCommand
{
    public static Command Create() =>
        new Verb("data", "Show the data sets that Amalgam knows, and fetch them from their publishers.", ["amalgam data list", "amalgam data get mnist"]) { CreateList(), CreateGet() };

    private static Verb CreateList()
    {
        Verb verb = new("list", "List the data sets: what they are, and whether they are there.", ["amalgam data list"]);
        verb.Runs((parse, _) =>
        {
            TextWriter output = parse.InvocationConfiguration.Output;
            string root = DataFolder.Root;
            output.WriteLine($"looked for under {Printable.Line(root)} ({DataFolder.Variable} names another folder)");
            output.WriteLine();
            Table table = new(2, "NAME", "HERE", "WHAT", "TERMS");
            foreach (DataSource source in DataSource.All) table.Add(source.Name, Here(source, root), source.Summary, source.Terms);
            table.Write(output, Screen.WidthOf(output));
        });
        return verb;
    }

    private static Verb CreateGet()
    {
        Argument<string> name = new("name") { Description = "The data set, as amalgam data list shows it" };
        Option<string?> to = new("--to") { Description = $"The data folder [default: {DataFolder.Variable}, or amalgam/data in the user's folder]", HelpName = "folder" };
        Option<bool> quiet = new("--quiet", "-q") { Description = "No progress" };
        Verb verb = new(
            "get", "Fetch a data set from its publisher, check it, and put it where Amalgam looks. An interrupted fetch goes on where it stopped.",
            ["amalgam data get mnist", "amalgam data get cifar10 --to /data"]) { name, to, quiet };
        verb.Runs((parse, cancel) =>
        {
            TextWriter output = parse.InvocationConfiguration.Output;
            string root = parse.GetValue(to) is { } folder ? Path.GetFullPath(folder) : DataFolder.Root;
            DataSource source = DataSource.Find(parse.GetValue(name)!);
            if (source.Downloads.IsEmpty)
            {
                throw new InvalidDataException(source.IsYours ? $"{source.Name} is read from files of yours, which its options name (docs/data.md)"
                    : source.Files.IsEmpty ? $"{source.Name} is made on the spot, there is nothing to fetch"
                    : $"{source.Name} is not offered for fetching; put {string.Join(" and ", source.Files)} under {root} by hand (docs/data.md)");
            }

            using HttpClient client = new() { Timeout = Timeout.InfiniteTimeSpan };
            DataFetch fetch = new(client, root);
            bool any = false;
            using (Progress progress = new(parse.InvocationConfiguration.Error, parse.GetValue(quiet)))
            {
                foreach (Download download in source.Downloads)
                {
                    Fetched report = new(progress, Path.GetFileName(download.Address));
                    any |= fetch.GetAsync(download, report, cancel).GetAwaiter().GetResult();
                }
            }

            output.WriteLine(any ? $"{source.Name} is under {Printable.Line(root)}" : $"{source.Name} was there already, under {Printable.Line(root)}");
        });
        return verb;
    }

    private static string Here(DataSource source, string root) => source.IsYours ? "yours" : source.Files.IsEmpty ? "made" : source.IsThere(root) ? "yes" : source.Files.Any(f => DataFolder.Find(root, f) is not null) ? "in part" : "no";

    private sealed class Fetched(Progress progress, string file) : IProgress<(long Done, long? Total)>
    {
        public void Report((long Done, long? Total) value) => progress.Report(value.Done, Math.Max(value.Total ?? value.Done, 1), file);
    }
}
