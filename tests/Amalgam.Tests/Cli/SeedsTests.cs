using System.Text.Json;
using System.Xml.Linq;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Seeds on the command line: one in the place of the description's, or several with what they have in common.</summary>
public class SeedsTests
{
    private const string Common = "data: {name: glyphs, options: {train: 120, test: 60}, validation: 40, seed: 5}\nlr: 0.02\nepochs: 1\nbatch: 32\nseed: 9\n";
    private const string One = Common + "model: {name: mlp, hidden: [6]}\n";
    private const string Two = Common + "adapter: {layers: 1, heads: 1}\nmodels: {a: {model: {name: mlp, hidden: [7, 4]}, seed: 4}, b: {model: {name: mlp, hidden: [5, 4]}}}\ntransfers: [{from: a, to: b}]\n";

    [Theory]
    [InlineData("train", One)]
    [InlineData("distill", One + "distill: {method: tf_kd_reg, solo: true}\n")]
    [InlineData("transfer", Two)]
    public async Task One_counts_in_the_place_of_all_that_the_description_says(string verb, string text)
    {
        using TemporaryFolder folder = new();
        await Succeeds(verb, Describe(folder, text), "-o", folder["option"], "--seed", "-2", "-q");
        await Succeeds(verb, Describe(folder, text.Replace(", seed: 4", "").Replace("seed: 9", "seed: -2")), "-o", folder["described"], "-q");
        await Succeeds(verb, Describe(folder, text), "-o", folder["other"], "-q");
        Assert.Equal(Networks(folder["described"]), Networks(folder["option"]));
        Assert.NotEqual(Networks(folder["other"]), Networks(folder["option"]));
        if (verb != "transfer") await Refuses("there 'seed: -2', here 'seed: 9'", verb, Describe(folder, text), "-o", folder["option"], "--resume");
        await Refuses("--seed must be a whole number", verb, Describe(folder, text), "-o", folder["x"], "--seed", "one");
    }

    [Fact]
    public async Task Several_are_several_runs_and_what_they_have_in_common()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("transfer", Describe(folder, Two), "-o", folder["all"], "--seeds", "3", "-q");
        for (int seed = 1; seed <= 3; seed++) await Succeeds("transfer", Describe(folder, Two), "-o", folder[$"{seed}"], "--seed", $"{seed}", "-q");
        for (int seed = 1; seed <= 3; seed++) Assert.Equal(Networks(folder[$"{seed}"]), Networks(folder[$"all/seed-{seed}"]));
        Assert.Equal(["report.html", "result.json", "seed-1", "seed-2", "seed-3"], Directory.EnumerateFileSystemEntries(folder["all"]).Select(path => Path.GetFileName(path)).Order());

        foreach (string verb in (string[])["eval", "show"]) await Refuses($"is the folder of a transfer with several seeds, not of a network; its runs are {folder["all/seed-1"]}, ", verb, folder["all"]);

        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder["all/result.json"]));
        Assert.Equal([1, 2, 3], result.RootElement.GetProperty("seeds").EnumerateArray().Select(e => e.GetInt64()));
        JsonElement[] scores = [.. result.RootElement.GetProperty("scores").EnumerateArray()];
        Assert.Equal(["validation a", "validation b", "test a", "test b"], scores.Select(s => $"{s.GetProperty("data").GetString()} {s.GetProperty("model").GetString()}"));
        double[] together = Of("with_transfers"), alone = Of("solo");
        JsonElement difference = scores[3].GetProperty("difference");
        double[] own = [.. together.Zip(alone, (t, s) => t - s)];
        double mean = own.Sum() / 3, variance = own.Sum(d => (d - mean) * (d - mean)) / 2;
        Assert.Equal(own, difference.GetProperty("of_seeds").EnumerateArray().Select(e => e.GetDouble()));
        Assert.Equal(mean, difference.GetProperty("mean").GetDouble(), 12);
        Assert.Equal(Math.Sqrt(variance), difference.GetProperty("standard_deviation").GetDouble(), 12);
        Assert.Equal(own.Count(d => d > 0), scores[3].GetProperty("better_with").GetInt32());

        // Nothing is written to a, so it has nothing to compare.
        Assert.False(scores[2].TryGetProperty("difference", out _));
        Assert.Matches("TEST DATA, 3 SEEDS +MEASURE +SOLO +WITH TRANSFER +DIFFERENCE +BETTER\na +accuracy .* not written to *\nb +accuracy .* points +[0-3] of 3\n  b, seed 1 [-+0-9.]+ points, seed 2 ", output);
        XDocument page = XDocument.Parse(File.ReadAllText(folder["all/report.html"]).Replace("<!DOCTYPE html>\n", ""));
        Assert.Contains("Each seed", page.ToString());
        Assert.Contains("better with", page.ToString());

        double[] Of(string what) => [.. Enumerable.Range(1, 3).Select(seed => JsonDocument.Parse(File.ReadAllText(folder[$"{seed}/result.json"])).RootElement.GetProperty("models").GetProperty("b").GetProperty("test").GetProperty(what).GetDouble())];
    }

    [Fact]
    public async Task Several_go_on_where_they_were_stopped_and_more_are_added()
    {
        using TemporaryFolder folder = new();
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["all"], "--seeds", "3", "--seed", "4", "-q");
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["parts"], "--seeds", "2", "--seed", "4", "-q");
        await Refuses("parts has runs with the seeds 4, 5; --resume goes on with what is there and adds what is missing, --overwrite begins anew, or name", "transfer", Describe(folder, Two), "-o", folder["parts"], "--seeds", "3", "--seed", "4");
        Directory.Delete(folder["parts/seed-5"], recursive: true);
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["parts"], "--seeds", "3", "--seed", "4", "--resume", "-q");
        Assert.Equal(Networks(folder["all"]), Networks(folder["parts"]));
        Assert.Equal(File.ReadAllText(folder["all/result.json"]), File.ReadAllText(folder["parts/result.json"]));
        await Refuses("holds 'seed-4', which a run of this kind does not leave", "transfer", Describe(folder, Two), "-o", folder["parts"], "--overwrite");
        await Refuses("'seed-4' there is nothing that a run of this kind leaves: name another folder", "transfer", Describe(folder, Two), "-o", folder["parts"]);
        Assert.Contains("It would run with the seeds 4, 5.", await Succeeds("transfer", Describe(folder, Two), "--seeds", "2", "--seed", "4", "--dry-run"));
    }

    [Fact]
    public async Task Without_solo_trainings_there_are_means_alone()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("transfer", Describe(folder, Two), "-o", folder["all"], "--seeds", "1", "--no-solo");
        Assert.StartsWith("seed 1\n", output);
        Assert.Matches("TEST DATA, 1 SEED +MEASURE +WITH TRANSFER\na +accuracy +[0-9.]+%\nb", output);
    }

    [Fact]
    public async Task What_stands_in_the_folder_already_is_said_and_never_lost()
    {
        using TemporaryFolder folder = new();
        string run = Describe(folder, Two), all = folder["all"];
        await Succeeds("transfer", run, "-o", all, "--seeds", "3", "--no-solo", "-q");
        string third = File.ReadAllText(folder["all/seed-3/transfer.yaml"]);

        // Runs with other seeds stay: replaced by nobody, and not counted.
        await Refuses("has runs with the seeds 1, 2, 3, and --overwrite would replace only those asked for: ask for the other seeds too", "transfer", run, "-o", all, "--seeds", "1", "--overwrite");
        await Refuses("--overwrite begins anew with the same seeds only", "transfer", run, "-o", all, "--seeds", "2");
        var (code, _, error) = await Run("transfer", run, "-o", all, "--seeds", "1", "--seed", "10", "--no-solo", "--resume", "-q");
        Assert.True(code == 0, error);
        Assert.Contains($"note: {all} has seeds 1, 2, 3 too: left as they are, and not counted\n", error);
        Assert.Equal(third, File.ReadAllText(folder["all/seed-3/transfer.yaml"]));
        using (JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder["all/result.json"]))) Assert.Equal([10], result.RootElement.GetProperty("seeds").EnumerateArray().Select(e => e.GetInt64()));

        File.WriteAllText(folder["all/thesis.txt"], "mine");
        foreach (string[] way in (string[][])[[], ["--resume"], ["--overwrite"]]) await Refuses("holds 'thesis.txt', which runs with several seeds do not leave", ["transfer", run, "-o", all, "--seeds", "3", .. way]);
        foreach (string[] way in (string[][])[[], ["--resume"], ["--overwrite"]]) await Refuses("is the folder of a run with one seed; name another folder for several", ["transfer", run, "-o", folder["all/seed-1"], "--seeds", "3", .. way]);
    }

    /// <summary>What stands in the way of a later seed is said before the first one trains.</summary>
    [Fact]
    public async Task Every_folder_is_looked_at_before_the_first_run()
    {
        using TemporaryFolder folder = new();
        string[] line = ["transfer", Describe(folder, Two), "-o", folder["all"], "--no-solo", "-q"];
        await Succeeds([.. line, "--seeds", "2"]);
        string[] before = Networks(folder["all"]);
        File.WriteAllText(folder["all/seed-2/foo.txt"], "mine");
        await Refuses("seed-2 holds 'foo.txt'", [.. line, "--seeds", "2", "--overwrite"]);
        Assert.Equal(before, Networks(folder["all"]));
        File.Delete(folder["all/seed-2/foo.txt"]);

        Directory.Delete(folder["all/seed-1"], recursive: true);
        Describe(folder, Two.Replace("lr: 0.02", "lr: 0.03"));
        await Refuses("seed-2 is that of a run with another description or other data (there 'lr: 0.02', here 'lr: 0.03'), which has ended", [.. line, "--seeds", "2", "--resume"]);
        _ = new TransferRun(new(TransferDescription.Parse(Two.Replace("lr: 0.02", "lr: 0.5"), "run.yml").WithSeed(3)), folder["all/seed-3"]);
        await Refuses("seed-3 is that of a run with another description, which has only begun: there 'lr: 0.5', here 'lr: 0.03'", [.. line, "--seeds", "2", "--seed", "3", "--resume"]);
        Assert.False(Directory.Exists(folder["all/seed-1"]) || Directory.Exists(folder["all/seed-4"]));
    }

    [Fact]
    public async Task Others_are_kept_out_until_the_last_one_has_ended()
    {
        using TemporaryFolder folder = new();
        string run = Describe(folder, Two);
        using (TransferSeedsFolder.Hold(folder["all"]))
        {
            foreach (string[] way in (string[][])[[], ["--resume"], ["--overwrite"], ["--seed", "7"]])
                await Refuses($"another run is at work in {folder["all"]}; wait for its end", ["transfer", run, "-o", folder["all"], "--seeds", "2", .. way]);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["all"]));
        string? refused = null;
        using Listener output = new("seed 2", () => refused = Assert.Throws<IOException>(() => TransferSeedsFolder.Hold(folder["all"])).Message);
        using StringWriter error = new();
        Assert.Equal(0, await Amalgam.Cli.Program.Run(["transfer", run, "-o", folder["all"], "--seeds", "2", "--no-solo"], output, error));
        Assert.StartsWith("another run is at work in ", refused);
        Assert.False(File.Exists(folder["all/.lock"]));
    }

    [Fact]
    public async Task Warnings_and_notes_of_every_seed_are_said_in_the_end()
    {
        using TemporaryFolder folder = new();
        string text = Two.Replace("epochs: 1", "epochs: 1\ncycle: 900");
        string quiet = await Succeeds("transfer", Describe(folder, text), "-o", folder["all"], "--seeds", "2", "-q"), page = File.ReadAllText(folder["all/report.html"]);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder["all/result.json"]));
        Assert.Matches("differences are taken seed for seed.\n(warning: .*\n)*note: seeds 1, 2: .* comes once", quiet);
        foreach (string kind in (string[])["warnings", "notes"])
        {
            List<string> expected = [];
            foreach (int seed in (int[])[1, 2])
            {
                using JsonDocument own = JsonDocument.Parse(File.ReadAllText(folder[$"all/seed-{seed}/result.json"]));
                expected.AddRange(own.RootElement.GetProperty(kind).EnumerateArray().Select(said => $"{seed} {said.GetString()}"));
            }

            JsonElement[] said = [.. result.RootElement.GetProperty(kind).EnumerateArray()];
            Assert.Equal(expected.Order(), said.SelectMany(one => one.GetProperty("seeds").EnumerateArray().Select(seed => $"{seed.GetInt64()} {one.GetProperty("text").GetString()}")).Order());
            foreach (JsonElement one in said) Assert.Contains(one.GetProperty("text").GetString()!, quiet);
        }

        Assert.Contains("Note, seeds 1, 2: ", page);
    }

    /// <summary>An adapter that learns much too fast rewrites its target, which each run warns of.</summary>
    [Fact]
    public async Task A_warning_of_one_run_is_one_of_all()
    {
        using TemporaryFolder folder = new();
        string astray = Two.Replace("{layers: 1, heads: 1}", "{layers: 1, heads: 1, lr: 1, damping: 0, trust_region: 0, dropout: 0, attention_dropout: 0, schedule: constant}").Replace("epochs: 1", "epochs: 2\ncycle: 1");
        string output = await Succeeds("transfer", Describe(folder, astray), "-o", folder["all"], "--seeds", "2", "--no-solo", "-q");
        string page = File.ReadAllText(folder["all/report.html"]);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder["all/result.json"]));
        foreach (int seed in (int[])[1, 2])
        {
            Assert.Contains($"\nwarning: seed {seed}: a transfer changed b:fc2.weight by ", output);
            Assert.Contains($"Warning, seed {seed}: a transfer changed b:fc2.weight by ", page);
            Assert.Contains(result.RootElement.GetProperty("warnings").EnumerateArray(), said => said.GetProperty("seeds")[0].GetInt64() == seed && said.GetProperty("text").GetString()!.StartsWith("a transfer changed b:fc2.weight by ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_failed_run_leaves_no_folder_and_numbers_have_bounds()
    {
        using TemporaryFolder folder = new();
        var (code, _, error) = await Run("transfer", Describe(folder, Two.Replace("lr: 0.02", "lr: 1.0e+30")), "-o", folder["deep/all"], "--seeds", "2", "-q");
        Assert.Equal(2, code);
        Assert.Contains("\nerror: ", error);
        Assert.False(Directory.Exists(folder["deep"]));
        string run = Describe(folder, Two);
        foreach (string[] way in (string[][])[["-o", folder["deep/all"]], ["--dry-run"]])
        {
            await Refuses("--seeds: 1,001 runs are more than the 1,000 that go into one folder", ["transfer", run, "--seeds", "1001", .. way]);
            await Refuses("--seeds: 2 seeds from 9223372036854775807 on go beyond the greatest", ["transfer", run, "--seeds", "2", "--seed", "9223372036854775807", .. way]);
        }

        Assert.False(Directory.Exists(folder["deep"]));
        Assert.Contains("It would run with the seeds 1 to 1000.", await Succeeds("transfer", run, "--seeds", "1000", "--dry-run"));
        Assert.Contains("It would run with the seed 9223372036854775807.", await Succeeds("transfer", run, "--seeds", "1", "--seed", "9223372036854775807", "--dry-run"));
    }

    /// <summary>Does something when a line is written.</summary>
    private sealed class Listener(string line, Action heard) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value == line) heard();
        }
    }

    private static string[] Networks(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories).Where(path => !path.EndsWith(RunFolder.State, StringComparison.Ordinal)).Order().Select(path => Path.GetRelativePath(folder, path) + Convert.ToHexString(File.ReadAllBytes(path)))];

    private static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }
}
