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
        await Refuses("parts is not empty; --overwrite", "transfer", Describe(folder, Two), "-o", folder["parts"], "--seeds", "3", "--seed", "4");
        Directory.Delete(folder["parts/seed-5"], recursive: true);
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["parts"], "--seeds", "3", "--seed", "4", "--resume", "-q");
        Assert.Equal(Networks(folder["all"]), Networks(folder["parts"]));
        Assert.Equal(File.ReadAllText(folder["all/result.json"]), File.ReadAllText(folder["parts/result.json"]));
        await Refuses("holds 'seed-6', which a run of this kind does not leave", "transfer", Describe(folder, Two), "-o", folder["parts"], "--seeds", "2", "--seed", "4", "--overwrite");
        await Refuses("holds 'seed-4', which a run of this kind does not leave", "transfer", Describe(folder, Two), "-o", folder["parts"], "--overwrite");
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

    private static string[] Networks(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories).Where(path => !path.EndsWith(RunFolder.State, StringComparison.Ordinal)).Order().Select(path => Path.GetRelativePath(folder, path) + Convert.ToHexString(File.ReadAllBytes(path)))];

    private static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }
}
