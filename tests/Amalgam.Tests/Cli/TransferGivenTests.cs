using System.Text.Json;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;
using static Amalgam.Tests.Cli.TransferCommandTests;

namespace Amalgam.Tests.Cli;

/// <summary>What <c>amalgam transfer</c> says of networks that bring weights.</summary>
public class TransferGivenTests
{
    /// <summary>What training does to a trained network, by itself too, is seen beside what it was worth before.</summary>
    [Fact]
    public async Task What_given_networks_were_worth_stands_beside_what_became_of_them()
    {
        using TemporaryFolder folder = new();
        string data = "{name: glyphs, options: {train: 330, test: 120}, validation: 90}";
        foreach (var (name, hidden) in new[] { ("teacher", 24), ("pupil", 16) })
        {
            File.WriteAllText(folder["train.yml"], $"data: {data}\nmodel: {{name: mlp, hidden: [{hidden}, 12]}}\noptimizer: adam\nlr: 0.01\nepochs: 3\n");
            await Succeeds("train", folder["train.yml"], "-o", folder[name], "-q");
        }

        string run = $"data: {data}\noptimizer: sgd\nlr: 0.001\nepochs: 1\nmodels:\n  teacher: {{model: '{folder["teacher"]}', frozen: true}}\n  pupil: '{folder["pupil/best.onnx"]}'\n  fresh: {{model: {{name: mlp, hidden: [9, 8]}}}}\n";
        string output = await Succeeds("transfer", Describe(folder, run), "-o", folder["run"], "-q");
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        double Of(string kind, string name, string part) => result.RootElement.GetProperty(kind).GetProperty(name).GetProperty(part).GetProperty("as_given").GetDouble();
        foreach (var (kind, name, path) in new[] { ("frozen", "teacher", "teacher"), ("models", "pupil", "pupil/best.onnx") })
        {
            using JsonDocument measured = JsonDocument.Parse(await Succeeds("eval", folder[path], "--data", "glyphs:train=330,test=120", "--json"));
            double right = measured.RootElement.GetProperty("models")[0].GetProperty("accuracy").GetDouble();
            Assert.Equal(right, Of(kind, name, "test"));
            string[] epochs = File.ReadAllLines(folder[$"{name}/{RunFolder.Metrics}"]);
            Assert.Equal(epochs.Max(line => JsonDocument.Parse(line).RootElement.GetProperty("validation_accuracy").GetDouble()), Of(kind, name, "validation"));
            Assert.Matches($@"\n{name} +accuracy +{FormattableString.Invariant($"{100 * right:0.00}%")} +\S", output);
        }

        Assert.Matches(@"\nTEST DATA +MEASURE +AS GIVEN +SOLO +WITH TRANSFER +DIFFERENCE\n", output);
        Assert.Matches(@"\nteacher +accuracy +\S+% +- +- +frozen\n", output);
        Assert.Matches(@"\nfresh +accuracy +- +\S+% +\S+% +\S+ points\n", output);
        Assert.Contains("teacher is frozen and measured on the data of pupil.", output);
        Assert.False(result.RootElement.GetProperty("models").GetProperty("fresh").GetProperty("test").TryGetProperty("as_given", out _));
        string page = File.ReadAllText(folder[$"run/{TransferFolder.Report}"]);
        Assert.Contains("as given", page);
        Assert.Contains("teacher is frozen and measured on the data of pupil.", page);

        // Of a teacher of other classes nobody knows what it is worth here.
        File.WriteAllText(folder["train.yml"], "data: {name: glyphs, options: {train: 330, test: 120}, classes: [0, 1, 2]}\nmodel: {name: mlp, hidden: [24, 12], classes: 3}\nlr: 0.01\nepochs: 1\n");
        await Succeeds("train", folder["train.yml"], "-o", folder["teacher"], "--overwrite", "-q");
        output = await Succeeds("transfer", Describe(folder, run), "-o", folder["run"], "--overwrite", "-q");
        Assert.DoesNotMatch(@"\nteacher +accuracy", output);
    }
}
