using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>What verbs that train do with what they find in the folder of a run.</summary>
public class RunFolderTests
{
    private const string Labels = """
        data: {name: glyphs, options: {train: 90, test: 30}, validation: 20}
        model: {name: mlp, hidden: [6]}
        lr: 0.01
        epochs: 1
        batch: 32

        """;

    private static readonly Dictionary<string, string> Descriptions = new()
    {
        ["train"] = Labels,
        ["distill"] = Labels + "distill: {method: tf_kd_reg, solo: true}\n",
        ["transfer"] = Labels.Replace("model: {name: mlp, hidden: [6]}", "models: {a: {model: {name: mlp, hidden: [6, 4]}}, b: {model: {name: mlp, hidden: [5, 4]}}}\nadapter: {layers: 1, heads: 1}"),
    };

    public static TheoryData<string> Verbs => [.. Descriptions.Keys];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task To_go_on_with_nothing_is_said(string verb)
    {
        using TemporaryFolder folder = new();
        string line = $"nothing to go on with in {folder["run"]}, the run begins\n";
        Assert.Contains(line, await Errors(verb, Describe(folder, verb), "-o", folder["run"], "--resume"));
        Assert.DoesNotContain("nothing to go on", await Errors(verb, Describe(folder, verb), "-o", folder["run"], "--overwrite"));
    }

    /// <summary>A run that is killed before it kept anything leaves its descriptions, and perhaps a file that is not complete.</summary>
    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task A_run_that_had_only_begun_begins_again(string verb)
    {
        using TemporaryFolder folder = new();
        await Succeeds(verb, Describe(folder, verb), "-o", folder["whole"], "-q");
        BeginOnly(folder, verb);
        string[] before = [.. Directory.EnumerateFileSystemEntries(folder["run"], "*", SearchOption.AllDirectories).Order()];

        // Without leave it is not touched, nor where the description is another one.
        await Refuses("run is not empty; --overwrite", verb, Describe(folder, verb), "-o", folder["run"]);
        await Refuses("another description, which has only begun: there 'lr: 0.01', here 'lr: 0.02'", verb, Describe(folder, verb, "lr: 0.02"), "-o", folder["run"], "--resume");
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(folder["run"], "*", SearchOption.AllDirectories).Order());

        Assert.Contains($"nothing to go on with in {folder["run"]}, the run begins\n", await Errors(verb, Describe(folder, verb), "-o", folder["run"], "--resume"));
        Assert.Equal(Networks(folder["whole"]), Networks(folder["run"]));

        BeginOnly(folder, verb);
        File.WriteAllText(folder["run/notes.txt"], "mine");
        await Refuses("it holds no interrupted run to go on with", verb, Describe(folder, verb), "-o", folder["run"], "--resume");
        Assert.Equal("mine", File.ReadAllText(folder["run/notes.txt"]));
    }

    [Theory]
    [InlineData("train")]
    [InlineData("distill")]
    public async Task A_state_of_another_description_is_refused_with_the_difference(string verb)
    {
        using TemporaryFolder folder = new();
        await Succeeds(verb, Describe(folder, verb), "-o", folder["run"], "-q");
        await Refuses("begin anew with another output: there 'lr: 0.01', here 'lr: 0.02'", verb, Describe(folder, verb, "lr: 0.02"), "-o", folder["run"], "--resume");
        if (verb == "distill") await Refuses("here 'temperature: 5'", verb, Describe(folder, verb, more: "temperature: 5"), "-o", folder["run"], "--resume");
    }

    /// <summary>Of two runs that write one folder the later one is refused, whatever it is told to do with what is there.</summary>
    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task No_run_writes_where_another_is_at_work(string verb)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["run"]);
        using (File.Open(folder["run/.lock"], FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
        {
            foreach (string[] way in (string[][])[[], ["--resume"], ["--overwrite"]])
                await Refuses($"another run is at work in {folder["run"]}; wait for its end, or name another folder", [verb, Describe(folder, verb), "-o", folder["run"], .. way]);
            Assert.Equal([folder["run/.lock"]], Directory.EnumerateFileSystemEntries(folder["run"]).Where(File.Exists));
        }

        // What a killed run leaves of it is in nobody's way.
        await Succeeds(verb, Describe(folder, verb), "-o", folder["run"], "-q");
        Assert.False(File.Exists(folder["run/.lock"]));
    }

    [Fact]
    public void A_run_does_not_go_on_where_another_began_since()
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse(Labels, "run.yml");
        TrainingRun first = new(run, folder["run"]), second = new(run with { Seed = 1 }, folder["run"], overwrite: true);
        Assert.Contains("another run has begun", Assert.Throws<IOException>(() => first.Train()).Message);
        Assert.Single(second.Train().Epochs);
    }

    private static void BeginOnly(TemporaryFolder folder, string verb)
    {
        if (Directory.Exists(folder["run"])) Directory.Delete(folder["run"], recursive: true);
        string path = Describe(folder, verb);
        if (verb == "transfer") _ = new TransferRun(new(TransferDescription.Read(path)), folder["run"]);
        else if (verb == "distill") _ = new DistillationRun(RunDescription.Read(path), folder["run"]);
        else _ = new TrainingRun(RunDescription.Read(path), folder["run"]);
        File.WriteAllText(folder["run/.lock"], "");
        File.WriteAllText(folder["run/state.safetensors.partial"], "half");
    }

    private static string[] Networks(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories).Where(path => !path.EndsWith(RunFolder.State, StringComparison.Ordinal)).Order().Select(path => Path.GetRelativePath(folder, path) + Convert.ToHexString(File.ReadAllBytes(path)))];

    private static async Task<string> Errors(params string[] line)
    {
        var (code, _, error) = await Run(line);
        Assert.True(code == 0, error);
        return error;
    }

    private static string Describe(TemporaryFolder folder, string verb, string rate = "lr: 0.01", string more = "solo: true")
    {
        File.WriteAllText(folder["run.yml"], Descriptions[verb].Replace("lr: 0.01", rate).Replace("solo: true", more));
        return folder["run.yml"];
    }
}
