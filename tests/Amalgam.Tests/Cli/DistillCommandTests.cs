using System.Text.Json;
using System.Xml.Linq;
using Amalgam.Checkpoints;
using Amalgam.Transfer.Teaching;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class DistillCommandTests
{
    private const string Labels = """
        data: {name: glyphs, options: {train: 900, test: 300}, validation: 150, mean: [0.2], std: [0.3]}
        model: {name: mlp, hidden: [10]}
        optimizer: adamw
        lr: 0.004
        epochs: 3
        batch: 64

        """;

    private static readonly string[] OfStudent = ["fc1.bias", "fc1.weight", "fc2.bias", "fc2.weight"];

    [Fact]
    public async Task A_student_is_compared_with_its_teacher_and_with_itself()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Labels.Replace("[10]", "[60]")), "-o", folder["teacher"], "-q");
        string taught = $"{Labels}distill: {{method: dkd, teachers: '{folder["teacher"]}', warmup: 2}}\n";
        string output = await Succeeds("distill", Describe(folder, taught), "-o", folder["student"], "--solo", "--report", folder["pages/page.html"], "-q");

        // What it leaves is what training by the same description leaves, with and without a teacher.
        await Succeeds("train", Describe(folder, taught), "-o", folder["again"], "-q");
        await Succeeds("train", Describe(folder, Labels), "-o", folder["alone"], "-q");
        foreach (string file in new[] { RunFolder.Best, RunFolder.Model, RunFolder.BestOnnx })
        {
            Assert.Equal(File.ReadAllBytes(folder[$"again/{file}"]), File.ReadAllBytes(folder[$"student/{file}"]));
            Assert.Equal(File.ReadAllBytes(folder[$"alone/{file}"]), File.ReadAllBytes(folder[$"student/solo/{file}"]));
        }

        // What it says is what an evaluation says.
        string[] test = [.. output[output.IndexOf("DKD, TEST DATA", StringComparison.Ordinal)..].Split('\n').Skip(1).Take(3)];
        foreach (var (line, name, path) in test.Zip([$"teacher ({folder["teacher"]})", "student", "the same without a teacher"], ["teacher", "student", "student/solo"]))
        {
            Assert.StartsWith(name, line);
            Assert.Contains(EvalCommand(await Accuracy(folder[path])), line);
        }

        // And what it leaves has it too.
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder["student/result.json"]));
        JsonElement[] networks = [.. result.RootElement.GetProperty("networks").EnumerateArray()];
        Assert.Equal([$"teacher ({folder["teacher"]})", "student", "the same without a teacher"], networks.Select(n => n.GetProperty("name").GetString()));
        foreach (var (network, path) in networks.Zip(["teacher", "student", "student/solo"]))
        {
            Assert.Equal(await Accuracy(folder[path]), network.GetProperty("test").GetProperty("accuracy").GetDouble());
            Assert.InRange(network.GetProperty("validation").GetProperty("accuracy").GetDouble(), 0, 1);
        }

        // What the teacher added is the difference of the two rows, in text, page and JSON.
        double Right(int row, string part) => networks[row].GetProperty(part).GetProperty("accuracy").GetDouble();
        foreach (string part in (string[])["validation", "test"])
        {
            double difference = Right(1, part) - Right(2, part);
            Assert.Equal(difference, result.RootElement.GetProperty($"difference_on_{part}").GetProperty("accuracy").GetDouble(), 1e-12);
            Assert.Contains(FormattableString.Invariant($"{100 * difference:+0.00;-0.00;0.00} points of accuracy on the {part} data"), output);
        }

        string scores = $"Scores are of the epochs that did best on the validation data: student {BestOf("student")} of 3, the same without a teacher {BestOf("student/solo")} of 3.";
        Assert.Contains(scores + "\nAgainst the same without a teacher the student has ", output);
        Assert.Contains(scores, File.ReadAllText(folder["pages/page.html"]));
        int BestOf(string run) => JsonDocument.Parse(File.ReadAllText(folder[$"{run}/result.json"])).RootElement.GetProperty("best_epoch").GetInt32();

        Assert.Equal([47_710, 7_960, 7_960], networks.Select(n => n.GetProperty("parameters").GetInt64()));
        Assert.Equal("dkd", result.RootElement.GetProperty("method").GetString());
        Assert.Equal(3, result.RootElement.GetProperty("epochs").GetInt32());

        string[] rows = [.. File.ReadAllText(folder["pages/page.html"]).Split("<tr>").Skip(1).Where(row => row.Contains("7,960"))];
        Assert.Equal(2, rows.Length);
        Assert.All(rows, row => Assert.Contains("15,910", row));
        XDocument page = XDocument.Parse(File.ReadAllText(folder["pages/page.html"]).Replace("<!DOCTYPE html>", ""));
        Assert.Contains("A student taught by dkd", page.ToString());
        Assert.Contains("the same without a teacher", page.ToString());
        Assert.False(File.Exists(folder["student/report.html"]));
        Assert.Contains("solo: true", File.ReadAllText(folder["student/run.yaml"]));
        Assert.DoesNotContain("distill", File.ReadAllText(folder["student/solo/run.yaml"]));

        // Gone on with at its end it measures again, and does not say that this was the time of all its epochs.
        Assert.Matches(@"\n3 epochs in [0-9.]+ s, network in ", output);
        Assert.Matches(@"\n3 epochs, [0-9.]+ s in this start, network in ", await Succeeds("distill", Describe(folder, taught), "-o", folder["student"], "--solo", "--resume", "-q"));
    }

    [Fact]
    public async Task A_head_that_helps_is_gone_at_the_end()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("distill", Describe(folder, $"{Labels}distill: uskd\n"), "-o", folder["student"], "-q");
        Assert.DoesNotContain("without a teacher", output);
        Assert.False(Directory.Exists(folder["student/solo"]));
        Assert.True(File.Exists(folder["student/report.html"]));
        foreach (string file in new[] { RunFolder.Best, RunFolder.Model })
        {
            using Checkpoint checkpoint = Checkpoint.Open(folder[$"student/{file}"]);
            Assert.Equal(OfStudent, checkpoint.Tensors.Select(t => t.Name).Order());
        }

        using (OnnxModel onnx = OnnxModel.Open(folder["student/best.onnx"])) Assert.Equal(OfStudent, onnx.ToGraph().Parameters.Keys.Order());
        Assert.Equal(await Accuracy(folder["student"]), await Accuracy(folder["student/best.onnx"], "--data", "glyphs:test=300", "--mean", "0.2", "--std", "0.3"));

        // A run that begins anew leaves nothing of one that had more.
        await Succeeds("distill", Describe(folder, $"{Labels}distill: {{method: tf_kd_reg, solo: true}}\n"), "-o", folder["student"], "-q", "--overwrite");
        Assert.True(File.Exists(folder["student/solo/best.safetensors"]));
        await Succeeds("distill", Describe(folder, $"{Labels}distill: tf_kd_reg\n"), "-o", folder["student"], "-q", "--overwrite");
        Assert.False(Directory.Exists(folder["student/solo"]));
    }

    [Fact]
    public async Task Relations_may_be_learned_from_a_teacher_of_other_classes()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Labels.Replace("validation: 150", "classes: [0, 1, 2, 3]").Replace("[10]", "[10], classes: 4")), "-o", folder["teacher"], "-q");
        var (code, output, error) = await Run("distill", Describe(folder, $"{Labels}distill: {{method: rkd, teachers: '{folder["teacher"]}', solo: true}}\n"), "-o", folder["student"], "-q");
        Assert.True(code == 0, error);
        Assert.Contains("the same without a teacher", File.ReadAllText(folder["student/report.html"]));
        Assert.Contains($"teacher ({folder["teacher"]}) gives 4 scores for a sample, the student 10: it is not measured", error);
        Assert.Contains("it is not measured", File.ReadAllText(folder["student/report.html"]));
        Assert.Contains("it is not measured", File.ReadAllText(folder["student/result.json"]));
        Assert.DoesNotContain("epoch 1", output + error);
        Assert.StartsWith("student", output.Split('\n').SkipWhile(line => !line.StartsWith("RKD, TEST DATA")).ElementAt(1));
        await Refuses("both need a score for each of the same classes", "distill", Describe(folder, $"{Labels}distill: {{method: kd, teachers: '{folder["teacher"]}'}}\n"), "-o", folder["other"]);
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_to_the_same_bits()
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse($"{Labels}distill: {{method: uskd, solo: true}}\n", "run.yml");
        new DistillationRun(run, folder["whole"]).Train();
        foreach (var (alone, epoch) in new[] { (false, 2), (true, 1), (true, 3) })
        {
            using CancellationTokenSource stop = new();
            DistillationRun part = new(run, folder["parts"], resume: true);
            Assert.ThrowsAny<OperationCanceledException>(() => part.Train(null, (isAlone, e) => { if (isAlone == alone && e.Epoch == epoch) stop.Cancel(); }, stop.Token));
        }

        DistillationResult result = new DistillationRun(run, folder["parts"], resume: true).Train();
        Assert.Equal((3, 3), (result.Student.Epochs.Count, result.Solo!.Epochs.Count));
        foreach (string file in new[] { RunFolder.Best, RunFolder.Model, "solo/best.safetensors", "solo/model.safetensors" })
            Assert.Equal(File.ReadAllBytes(folder[$"whole/{file}"]), File.ReadAllBytes(folder[$"parts/{file}"]));
    }

    [Fact]
    public void How_far_a_run_is_is_said_of_the_training_at_work()
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse($"{Labels}distill: {{method: tf_kd_reg, solo: true}}\n", "run.yml");
        using CancellationTokenSource stop = new();
        DistillationRun part = new(run, folder["run"]);
        Assert.Equal((false, 0L, 36L), (part.IsAlone, part.Step, part.Steps));
        Assert.ThrowsAny<OperationCanceledException>(() => part.Train(null, (isAlone, e) => { if (isAlone && e.Epoch == 1) stop.Cancel(); }, stop.Token));
        Assert.Equal((true, 12L, 36L), (part.IsAlone, part.Step, part.Steps));
        DistillationRun rest = new(run, folder["run"], resume: true);
        Assert.Equal((true, 12L, 36L), (rest.IsAlone, rest.Step, rest.Steps));
    }

    [Fact]
    public async Task A_teacher_that_is_no_copy_of_the_student_is_said()
    {
        using TemporaryFolder folder = new();
        foreach (string hidden in (string[])["[10]", "[12]"])
        {
            await Succeeds("train", Describe(folder, Labels.Replace("[10]", hidden).Replace("epochs: 3", "epochs: 1")), "-o", folder["teacher"], "--overwrite", "-q");
            var (code, _, error) = await Run("distill", Describe(folder, $"{Labels.Replace("epochs: 3", "epochs: 1")}distill: {{method: tf_kd_self, teachers: '{folder["teacher"]}'}}\n"), "-o", folder["student"], "--overwrite");
            Assert.True(code == 0, error);
            Assert.Equal(hidden == "[12]", error.Contains($"teacher ({folder["teacher"]}) is another network than the student"));
        }
    }

    [Fact]
    public async Task Bad_requests_are_refused_before_work_begins()
    {
        using TemporaryFolder folder = new();
        string uskd = $"{Labels}distill: uskd\n";
        await Refuses("run.yml:1:1: 'distill' is missing here", "distill", Describe(folder, Labels), "-o", folder["x"]);
        await Refuses("name a folder", "distill", Describe(folder, uskd));
        await Refuses("exclude each other", "distill", Describe(folder, uskd), "-o", folder["x"], "--resume", "--overwrite");
        await Refuses("run.yml:7:10: distill: goes with the loss cross_entropy", "distill", Describe(folder, uskd + "loss: mse\n"), "-o", folder["x"]);
        await Refuses($"run.yml:7:21: {folder["nobody"]} does not exist", "distill", Describe(folder, $"{Labels}distill: {{teachers: '{folder["nobody"]}'}}\n"), "-o", folder["x"]);
        await Refuses("run.yml:7:10: there is no weight 'conv9.weight'", "distill", Describe(folder, $"{Labels}distill: {{method: uskd, middle: conv9.weight}}\n"), "-o", folder["x"]);
        await Refuses("rkd learns from one teacher, found 2", "distill", Describe(folder, $"{Labels}distill: {{method: rkd, teachers: [a, b]}}\n"), "-o", folder["x"]);
        await Succeeds("train", Describe(folder, Labels.Replace("epochs: 3", "epochs: 1").Replace("validation: 150", "classes: [0, 1, 2]").Replace("hidden: [10]", "hidden: [4], classes: 3")), "-o", folder["three"], "-q");
        await Refuses("run.yml:7:10: ", "distill", Describe(folder, $"{Labels}distill: {{teachers: '{folder["three"]}'}}\n"), "-o", folder["x"]);
        File.WriteAllBytes(folder["cut.safetensors"], File.ReadAllBytes(folder["three/model.safetensors"])[..300]);
        await Refuses("run.yml:7:21: ", "distill", Describe(folder, $"{Labels}distill: {{teachers: '{folder["cut.safetensors"]}'}}\n"), "-o", folder["x"]);
        File.WriteAllText(folder["page.html"], "mine");
        await Refuses("--report", "distill", Describe(folder, uskd), "-o", folder["x"], "--report", folder["page.html"]);
        foreach (string page in (string[])["page.html", "solo/model.safetensors", "model.onnx", "solo"])
            await Refuses("is in the folder that the run makes itself; name another place, or ", "distill", Describe(folder, uskd), "-o", folder["x"], "--report", folder[$"x/{page}"]);
        Assert.False(Directory.Exists(folder["x"]));

        Directory.CreateDirectory(folder["mine/solo"]);
        File.WriteAllText(folder["mine/solo/thesis.txt"], "");
        await Refuses("holds 'thesis.txt'", "distill", Describe(folder, uskd), "-o", folder["mine"], "--overwrite");
        Assert.True(File.Exists(folder["mine/solo/thesis.txt"]));
    }

    [Fact]
    public void A_teacher_that_is_of_no_use_is_said()
    {
        DistillationResult Of(double student, double solo) => new()
        {
            Method = new Kd(),
            Rows = [Row(SpliceStage.Given, "teacher t", 0.9), Row(SpliceStage.Trained, DistillationResult.StudentName, student), Row(SpliceStage.Trained, DistillationResult.SoloName, solo)],
            Sizes = [],
            Student = new([], null, null, null, []),
        };
        Assert.Null(Of(0.75, 0.7).Warning);
        Assert.Contains("accuracy 70.00% against 75.00%", Of(0.7, 0.75).Warning);
        Assert.NotNull(Of(0.7, 0.7).Warning);
        Assert.Null((Of(0.7, 0.75) with { Rows = Of(0.7, 0.75).Rows[..2] }).Warning);

        static SpliceRow Row(SpliceStage stage, string name, double accuracy) => new(stage, name, [new("accuracy", accuracy, true)], []);
    }

    private static string EvalCommand(double accuracy) => FormattableString.Invariant($"{100 * accuracy:0.00}%");

    private static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }

    private static async Task<double> Accuracy(params string[] line)
    {
        using JsonDocument json = JsonDocument.Parse(await Succeeds(["eval", .. line, "--json"]));
        return json.RootElement.GetProperty("models")[0].GetProperty("accuracy").GetDouble();
    }
}
