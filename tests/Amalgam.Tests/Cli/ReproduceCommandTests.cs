using Amalgam.Cli;
using Amalgam.Zoo.Experiments;

namespace Amalgam.Tests.Cli;

public class ReproduceCommandTests
{
    [Fact]
    public async Task What_is_not_there_is_told_in_a_sentence()
    {
        await CommandLine.Refuses("--table must be 1, 2, 3 or 4", "reproduce", "cki", "--table", "5", "--dataset", "beauty");
        await CommandLine.Refuses("there is none of 'mnist'", "reproduce", "cki", "--dataset", "mnist");
        await CommandLine.Refuses("there is no 'bert'", "reproduce", "cki", "--dataset", "beauty", "--model", "bert");
        await CommandLine.Refuses("--dataset", "reproduce", "cki");
        await CommandLine.Refuses("--published goes with table 1, not with table 3", "reproduce", "cki", "--dataset", "beauty", "--published", "--table", "3");
        await CommandLine.Refuses("leave out --model", "reproduce", "cki", "--dataset", "beauty", "--published", "--model", "gru4rec");
        await CommandLine.Refuses("leave out --start", "reproduce", "cki", "--dataset", "beauty", "--published", "--start", "same");
        await CommandLine.Refuses("table 2 has a model of its own", "reproduce", "cki", "--dataset", "sst2", "--table", "2", "--model", "din");
        await CommandLine.Refuses("--methods all goes with tables 1 and 2", "reproduce", "cki", "--dataset", "beauty", "--table", "3", "--methods", "all");
        await CommandLine.Refuses("--methods all goes with tables 1 and 2", "reproduce", "cki", "--dataset", "beauty", "--table", "4", "--methods", "all");
        await CommandLine.Refuses("--table", "reproduce", "cki", "--dataset", "beauty", "--table", "x");
        await CommandLine.Refuses("--seeds", "reproduce", "cki", "--dataset", "beauty", "--seeds", "x");
        await CommandLine.Refuses("unknown command 'mergnet'", "reproduce", "mergnet");
        await CommandLine.Refuses("there is no table", "reproduce", "clafusion", "--table", "99");
        await CommandLine.Refuses("there is no table 'cycl' (did you mean 'cycle'?)", "reproduce", "mergenet", "--table", "cycl");
        await CommandLine.Refuses("--seeds", "reproduce", "mergenet", "--table", "1", "--seeds", "x");
        await CommandLine.Refuses("there is no part 'publishd' (did you mean 'published'?)", "reproduce", "mudsc", "--part", "publishd");
    }

    [Fact]
    public async Task A_small_part_of_real_clicks_goes_through()
    {
        CommandLine.UseRealData();
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");
        await CommandLine.Refuses($"{folder["file"]} is a file", "reproduce", "cki", "--dataset", "douban-music", "-o", folder["file"]);
        string text = await CommandLine.Succeeds("reproduce", "cki", "--dataset", "douban-music", "--epochs", "1", "--more-epochs", "1", "--limit", "400", "--users", "60", "--seeds", "1", "--start", "same", "-o", folder.Path, "-q");
        Assert.Contains("CKI, splice trained (head)", text);
        Assert.Contains("0.3805", File.ReadAllText(folder["table-1-douban-music-din/table.md"])); // the paper's
        Assert.Equal(12, File.ReadLines(folder["table-1-douban-music-din/rows.jsonl"]).Count());
    }

    [Fact]
    public async Task Published_networks_are_matched_and_the_rows_are_taken_over()
    {
        CommandLine.UseRealData();
        using TemporaryFolder folder = new();
        string[] line = ["reproduce", "mudsc", "--part", "published", "--pairs", "1", "--calibration", "40", "--limit", "40", "-o", folder.Path];
        string text = await CommandLine.Succeeds([.. line, "-q"]);
        Assert.Contains("MuDSC zip, alpha chosen", text);
        string[] rows = File.ReadAllLines(folder["published/rows.jsonl"]);
        Assert.Contains(rows, row => row.Contains("ZipIt!, heads after", StringComparison.Ordinal));
        Assert.Contains("| ZipIt! |", File.ReadAllText(folder["published/table.md"]));
        var (_, _, error) = await CommandLine.Run(line);
        Assert.Equal("", error);
        Assert.Equal(rows, File.ReadAllLines(folder["published/rows.jsonl"]));
        await CommandLine.Refuses("--overwrite replaces it", [.. line[..^4], "--limit", "41", "-o", folder.Path]);
    }

    [Fact]
    public async Task A_small_part_of_real_text_and_a_published_network_go_through()
    {
        CommandLine.UseRealData();
        using TemporaryFolder folder = new();
        string[] small = ["--epochs", "1", "--more-epochs", "1", "--limit", "128", "--users", "40", "--seeds", "1", "-o", folder.Path, "-q"];
        string text = await CommandLine.Succeeds(["reproduce", "cki", "--table", "2", "--dataset", "rte", "--start", "other", .. small]);
        Assert.Contains("CKI, splice trained (all matrices)", text);
        text = await CommandLine.Succeeds(["reproduce", "cki", "--dataset", "beauty", "--published", .. small]);
        Assert.Contains("CKI, splice trained (encoder)", text);
        await CommandLine.Refuses("the published network is one of beauty", "reproduce", "cki", "--dataset", "ml-1m", "--published");
        await CommandLine.Refuses("table 2 is of sst2 and rte", "reproduce", "cki", "--table", "2", "--dataset", "beauty");
    }

    [Fact]
    public async Task A_refusal_points_to_the_command_with_all_its_words()
    {
        await CommandLine.Refuses("Option '--table' is required; see amalgam reproduce mergenet --help", "reproduce", "mergenet");
        await CommandLine.Refuses("--seeds must be a whole number from 1 on, got '0'; see amalgam reproduce mergenet --help", "reproduce", "mergenet", "--table", "1", "--seeds", "0");
        await CommandLine.Refuses("--samples must be a whole number from 1 on, got 'abc'", "reproduce", "mergenet", "--table", "1", "--samples", "abc");
        await CommandLine.Refuses("unknown option '--bogus'; see amalgam reproduce cki --help", "reproduce", "cki", "--bogus");
        await CommandLine.Refuses("unknown command 'mergenet' (did you mean 'amalgam reproduce mergenet'?); see amalgam --help", "mergenet", "--help");
        await CommandLine.Refuses("unknown command 'mergenet' (did you mean 'amalgam reproduce mergenet'?)", "mergenet");
    }

    [Fact]
    public async Task Tables_are_listed_in_order_and_figures_by_their_number()
    {
        using TemporaryFolder folder = new();
        await CommandLine.Refuses("known are 1, 2, 3, 4, 5, 6, 7, cycle (figure 3), damped,", "reproduce", "mergenet", "--table", "nine", "-o", folder["out"]);
        Assert.Contains("cycle (figure 3): T_cycle", string.Join(" ", (await CommandLine.Succeeds("reproduce", "mergenet", "--help")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void A_run_that_fails_takes_away_the_empty_folders_that_it_made()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["here/mine"]);
        NewFolders made = new(folder["here"]), above = new(folder["some/where/else"]);
        Directory.CreateDirectory(folder["here/table-1/rows"]);
        Directory.CreateDirectory(folder["here/trainings"]);
        Directory.CreateDirectory(folder["some/where/else"]);
        File.WriteAllText(folder["here/trainings/a.txt"], "");
        made.RemoveEmpty();
        above.RemoveEmpty();
        Assert.Equal([folder["here/mine"], folder["here/trainings"]], Directory.GetDirectories(folder["here"]).Order());
        Assert.False(Directory.Exists(folder["some"]));
    }

    /// <summary>Data that is missing is found out after files of rows are opened.</summary>
    [Fact]
    public void A_file_of_rows_is_there_with_its_first_row()
    {
        using TemporaryFolder folder = new();
        MethodLog log = new(folder["rows.jsonl"], "what, it is", overwrite: false);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        MethodRow row = new("a", "seed 1", "alone", "", 1, double.NaN, [], 0.5);
        log.Add(row);
        log.Add(row with { Method = "other" });
        Assert.Equal(["alone", "other"], new MethodLog(folder["rows.jsonl"], "what, it is", overwrite: false).Rows.Select(r => r.Method));
        Assert.Contains("'it is' there, 'it was' here", Assert.Throws<InvalidDataException>(() => new MethodLog(folder["rows.jsonl"], "what, it was", overwrite: false)).Message);
    }
}
