using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Where the page of a run may go: never where something else is that is worth anything.</summary>
public class ReportPlaceTests
{
    private const string Common = "data: {name: glyphs, options: {train: 90, test: 30}, validation: 20}\nlr: 0.01\nepochs: 1\nbatch: 32\n";

    [Theory]
    [InlineData("distill")]
    [InlineData("transfer")]
    [InlineData("transfer", "--seeds", "2")]
    public async Task Not_that_of_an_input_and_not_inside_the_run(string verb, params string[] more)
    {
        using TemporaryFolder folder = new();
        string mine = folder["mine.safetensors"], run = folder["run"];
        await Succeeds("train", Describe(folder, Common + "model: {name: mlp, hidden: [6, 4]}\n"), "-o", folder["given"], "-q");
        File.Copy(folder["given/model.safetensors"], mine);
        string before = Text(mine), path = Describe(folder, DescriptionOf(verb, mine));
        await Succeeds([verb, path, "-o", run, "-q", .. more]);
        foreach (string way in (string[])["--resume", "--overwrite"])
        {
            await Refuses("what the run reads; name another", [verb, path, "-o", run, "--report", mine, way, .. more]);
            foreach (string place in (string[])["result.json", "page.html", "solo/x.html", "a/model.safetensors", "solo/a/run.yaml", "seed-1/transfer.yaml", "b/../deep/page.html"])
                await Refuses("is in the folder that the run makes itself; name another place, or ", [verb, path, "-o", run, "--report", $"{run}/{place}", way, .. more]);
        }

        // Of the folder of a run that is named every file is one that is read.
        string named = Describe(folder, DescriptionOf(verb, folder["given"]));
        await Refuses("what the run reads; name another", [verb, named, "-o", folder["other"], "--report", folder["given/result.json"], "--overwrite", .. more]);
        Assert.StartsWith("{", File.ReadAllText(folder["given/result.json"]));
        Assert.Equal(before, Text(mine));
        Assert.StartsWith("{", File.ReadAllText(folder["run/result.json"]));
    }

    [Theory]
    [InlineData("distill")]
    [InlineData("transfer")]
    [InlineData("transfer", "--seeds", "2")]
    public async Task To_go_on_is_no_leave_to_replace_what_is_no_page(string verb, params string[] more)
    {
        using TemporaryFolder folder = new();
        string path = Describe(folder, DescriptionOf(verb, null)), page = folder["pages/p.html"], thesis = folder["thesis.html"];
        await Succeeds([verb, path, "-o", folder["run"], "-q", "--report", page, .. more]);
        string first = File.ReadAllText(page);
        File.WriteAllText(page, first.Replace("<h1>", "<h1>old "));
        File.WriteAllText(thesis, "<!DOCTYPE html>\n<html lang=\"en\"><body>mine</body></html>");
        await Refuses("is there already and no page of a run; name another", [verb, path, "-o", folder["run"], "--resume", "--report", thesis, .. more]);
        Assert.Contains("mine", File.ReadAllText(thesis));
        await Succeeds([verb, path, "-o", folder["run"], "-q", "--resume", "--report", page, .. more]);
        Assert.DoesNotContain("<h1>old ", File.ReadAllText(page));
        await Succeeds([verb, path, "-o", folder["run"], "-q", "--resume", "--report", folder["run/report.html"], .. more]);
        await Succeeds([verb, path, "-o", folder["run"], "-q", "--overwrite", "--report", thesis, .. more]);
        Assert.DoesNotContain("mine", File.ReadAllText(thesis));
    }

    private static string DescriptionOf(string verb, string? weights)
    {
        string given = $"{{name: mlp, hidden: [6, 4]{(weights is null ? "" : $", weights: '{weights}'")}}}";
        return Common + (verb == "distill" ? $"model: {given}\ndistill: {{method: tf_kd_reg, solo: true}}\n" : $"adapter: {{layers: 1, heads: 1}}\nmodels: {{a: {{model: {given}}}, b: {{model: {{name: mlp, hidden: [5, 4]}}}}}}\ntransfers: [{{from: b, to: a}}]\n");
    }

    private static string Text(string path) => Convert.ToHexString(File.ReadAllBytes(path));

    private static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }
}
