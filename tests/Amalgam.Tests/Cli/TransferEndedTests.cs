using System.Text.Json;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;
using static Amalgam.Tests.Cli.TransferCommandTests;

namespace Amalgam.Tests.Cli;

/// <summary>A transfer run that has ended, or was interrupted: what can be had of it later, and what is said of its times.</summary>
public class TransferEndedTests
{
    /// <summary>Up to where times stand.</summary>
    private static string PageOf(string file) => File.ReadAllText(file) is var page && page.IndexOf(">Time<", StringComparison.Ordinal) is > 0 and var end ? page[..end] : "no times";

    [Fact]
    public async Task Another_page_is_written_from_what_is_there()
    {
        using TemporaryFolder folder = new();
        string run = Describe(folder, Two.Replace(", both: true, back_cycle: 2", ""));
        string output = await Succeeds("transfer", run, "-o", folder["run"], "-q");
        byte[] result = File.ReadAllBytes(folder[$"run/{RunFolder.Result}"]), weights = File.ReadAllBytes(folder["run/dense/best.safetensors"]);
        File.WriteAllText(folder["run/notes.txt"], "mine");
        string again = await Succeeds("transfer", run, "-o", folder["run"], "--resume", "--report", folder["late.html"], "-q");
        Assert.Equal(PageOf(folder[$"run/{TransferFolder.Report}"]), PageOf(folder["late.html"]));
        Assert.Contains("by itself", PageOf(folder["late.html"]));
        Assert.Equal(Tables(output), Tables(again));
        Assert.Equal(result, File.ReadAllBytes(folder[$"run/{RunFolder.Result}"]));
        Assert.Equal(weights, File.ReadAllBytes(folder["run/dense/best.safetensors"]));

        // What is not there any more, or not as it was, is said.
        File.WriteAllText(folder[$"run/dense/{RunFolder.Metrics}"], "{\"epoch\": 1");
        await Refuses("metrics.jsonl is not what a run leaves", "transfer", run, "-o", folder["run"], "--resume", "--report", folder["later.html"]);
        File.Delete(folder[$"run/{TransferFolder.Transfers}"]);
        await Refuses("transfers.jsonl is missing, so what the run came to cannot be read again", "transfer", run, "-o", folder["run"], "--resume", "--report", folder["later.html"]);
        Assert.False(File.Exists(folder["later.html"]));

        static string Tables(string output) => output[output.IndexOf("VALIDATION DATA", StringComparison.Ordinal)..output.IndexOf("A round took", StringComparison.Ordinal)];
    }

    [Fact]
    public async Task Networks_by_themselves_are_trained_later_where_that_was_left_out()
    {
        using TemporaryFolder folder = new();
        string run = Describe(folder, Two);
        await Succeeds("transfer", run, "-o", folder["whole"], "-q");
        await Succeeds("transfer", run, "-o", folder["parts"], "--no-solo", "-q");
        Assert.Contains("has ended, there is nothing to go on with", await Succeeds("transfer", run, "-o", folder["parts"], "--resume", "--no-solo"));
        Assert.False(Directory.Exists(folder["parts/solo"]));

        // Interrupted in the first of them, then to the end.
        using (CancellationTokenSource stop = new())
        {
            TransferRun part = new(new(TransferDescription.Parse(Two, "run.yml")), folder["parts"], resume: true);
            Assert.Throws<OperationCanceledException>(() => part.Train(epochDone: (_, _, _) => stop.Cancel(), cancel: stop.Token));
            Assert.Equal(("conv", 5, 10), part.Alone);
        }

        var (code, output, error) = await Run("transfer", run, "-o", folder["parts"], "--resume");
        Assert.True(code == 0, error);
        Assert.Contains("going on after the training together\n", error);
        Assert.Contains("going on with the training of conv by itself, after step 5 of 10\n", error);
        Assert.DoesNotContain("conv, epoch", output);
        foreach (string name in (string[])["conv", "dense", "solo/conv", "solo/dense"]) AssertSame(folder[$"whole/{name}"], folder[$"parts/{name}"], OfModel, name);
        Assert.Equal(WithoutTimes(folder[$"whole/{RunFolder.Result}"]), WithoutTimes(folder[$"parts/{RunFolder.Result}"]));
        Assert.Equal(PageOf(folder[$"whole/{TransferFolder.Report}"]), PageOf(folder[$"parts/{TransferFolder.Report}"]));
        Assert.Contains("\nsolo: true\n", File.ReadAllText(folder[$"parts/{TransferFolder.Description}"]));
        Assert.Contains("has ended, there is nothing to go on with", await Succeeds("transfer", run, "-o", folder["parts"], "--resume"));
    }

    /// <summary>Each start prepares anew, and of the epoch that an interruption cut the time is not known: what is compared of a run in one go would be wrong.</summary>
    [Fact]
    public async Task Times_of_a_round_are_those_of_a_run_in_one_go()
    {
        using TemporaryFolder folder = new();
        string run = Describe(folder, Two);
        using (CancellationTokenSource stop = new())
        {
            TransferRun part = new(new(TransferDescription.Parse(Two, "run.yml")), folder["parts"]);
            Assert.Throws<OperationCanceledException>(() => part.Train(epochDone: (_, _, _) => stop.Cancel(), cancel: stop.Token));
        }

        string output = await Succeeds("transfer", run, "-o", folder["parts"], "--resume", "-q");
        Assert.Matches(@"\nThe training together took [0-9.]+ s in all starts of the run, of which transfers and adapters [0-9.]+ s\.", output);
        Assert.Matches(@"\n20 rounds, [0-9.]+ s in this start, networks in ", output);
        Assert.DoesNotContain("times as long", output + File.ReadAllText(folder[$"parts/{TransferFolder.Report}"]));
        Assert.True(Seconds().GetProperty("resumed").GetBoolean());
        foreach (string name in (string[])["ratio", "of_a_round_together", "of_a_round_alone"]) Assert.False(Seconds().TryGetProperty(name, out _), name);

        // A page that is written later says the same.
        Assert.Contains("in all starts of the run", await Succeeds("transfer", run, "-o", folder["parts"], "--resume", "--report", folder["late.html"], "-q"));
        Assert.False(Seconds().TryGetProperty("first_rounds", out _));
        foreach (string line in new[] { await Succeeds("transfer", run, "-o", folder["whole"], "-q"), await Succeeds("transfer", run, "-o", folder["whole"], "--resume", "--report", folder["whole.html"], "-q") })
            Assert.Matches(@"\nA round took .* with each network by itself.*\. The first 2 rounds are left out, since code is compiled there\.", line);
        JsonElement first = Seconds("whole").GetProperty("first_rounds");
        Assert.Equal(2, first.GetProperty("rounds").GetInt32());
        foreach (string phase in (string[])["steps", "transfers", "adapter_updates", "evaluation"]) Assert.InRange(first.GetProperty(phase).GetDouble(), 0, Seconds("whole").GetProperty(phase).GetDouble());

        string path = folder[$"whole/{RunFolder.Result}"];
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"rounds\": 2,", "\"rounds\": -2,"));
        await Refuses("rounds is no number of rounds", "transfer", run, "-o", folder["whole"], "--resume", "--report", folder["later.html"]);

        JsonElement Seconds(string of = "parts") => JsonDocument.Parse(File.ReadAllText(folder[$"{of}/{RunFolder.Result}"])).RootElement.GetProperty("seconds");
    }

    [Fact]
    public async Task No_state_is_left_when_a_run_has_ended()
    {
        using TemporaryFolder folder = new();
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["run"], "-q");
        Assert.Empty(Directory.EnumerateFiles(folder["run"], RunFolder.State, SearchOption.AllDirectories));
        Assert.True(File.Exists(folder["run/solo/dense/best.safetensors"]));
    }
}
