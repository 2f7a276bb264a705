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

    /// <summary>From the first step to the page: also while the network is trained that there is to compare with.</summary>
    [Fact]
    public void A_distillation_holds_its_folder_to_the_end()
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse(Descriptions["distill"], "run.yml");
        List<string> refused = [];
        DistillationResult result = new DistillationRun(run, folder["run"]).Train(epochDone: (_, _) =>
            refused.AddRange(new[] { folder["run"], folder["run/solo"] }.Where(Directory.Exists).Select(path => Assert.Throws<IOException>(() => new TrainingRun(run with { Seed = 5, Distill = null }, path, overwrite: true, beside: ["solo"])).Message)));
        Assert.Equal(3, refused.Count(message => message.StartsWith("another run is at work in ", StringComparison.Ordinal)));
        _ = new DistillationRun(run, folder["whole"]).Train();
        Assert.Equal(Networks(folder["whole"]), Networks(folder["run"]));
        Assert.NotNull(result.Solo);
    }

    [Fact]
    public async Task A_distillation_is_refused_while_another_trains_without_a_teacher()
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse(Descriptions["distill"], "run.yml");
        string path = Describe(folder, "distill");
        string? error = null;
        DistillationRun first = new(run, folder["run"]);
        first.Train(epochDone: (alone, _) =>
        {
            if (alone) error = Assert.Throws<IOException>(() => new DistillationRun(RunDescription.Read(path) with { Seed = 5 }, folder["run"], overwrite: true)).Message;
        });
        Assert.Equal($"another run is at work in {folder["run"]}; wait for its end, or name another folder", error);
        Assert.True(File.Exists(folder["run/solo/run.yaml"]) && File.Exists(folder["run/report.html"]));
        await Succeeds("distill", path, "-o", folder["run"], "--overwrite", "-q");
    }

    [Fact]
    public void A_transfer_holds_the_folders_of_its_networks()
    {
        using TemporaryFolder folder = new();
        TransferPlan plan = new(TransferDescription.Parse(Descriptions["transfer"], "run.yml"));
        RunDescription other = RunDescription.Parse(Labels, "run.yml");
        int refused = 0;
        new TransferRun(plan, folder["run"]).Train(epochDone: (_, alone, _) =>
        {
            foreach (string name in alone ? [] : (string[])["a", "b"])
                refused += Assert.Throws<IOException>(() => new TrainingRun(other, folder[$"run/{name}"], overwrite: true)).Message.StartsWith("another run is at work in ", StringComparison.Ordinal) ? 1 : 0;
        });
        Assert.Equal(4, refused);
        _ = new TransferRun(plan, folder["whole"]).Train();
        Assert.Equal(Networks(folder["whole"]), Networks(folder["run"]));
        Assert.Empty(Directory.EnumerateFiles(folder["run"], ".lock", SearchOption.AllDirectories));

        // Where one of them is at work, the run does not begin anew.
        string before = File.ReadAllText(folder["run/transfer.yaml"]);
        using (File.Open(folder["run/b/.lock"], FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            Assert.Contains($"at work in {folder["run/b"]};", Assert.Throws<IOException>(() => new TransferRun(plan, folder["run"], overwrite: true)).Message);
        Assert.Equal(before, File.ReadAllText(folder["run/transfer.yaml"]));
        Assert.False(File.Exists(folder["run/.lock"]));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task What_is_no_run_at_work_is_not_said_to_be_one(string verb)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["run/.lock"]);
        var (code, _, error) = await Run(verb, Describe(folder, verb), "-o", folder["run"]);
        Assert.Equal(2, code);
        Assert.Contains("run/.lock is a folder, expected none", error);
        Assert.DoesNotContain("another run", error);
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
