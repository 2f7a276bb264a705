using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>What verbs that train leave out when they are asked to be quiet: one rule for all.</summary>
public class QuietTests
{
    private const string Labels = """
        data: {name: glyphs, options: {train: 90, test: 30}, validation: 20}
        model: {name: mlp, hidden: [6]}
        lr: 0.01
        epochs: 2
        batch: 500
        drop_last: true

        """;

    private const string Note = "a batch of 500 is more than the 70 samples", EpochLine = "epoch 1  loss ";

    public static TheoryData<string, string> Verbs => new()
    {
        { "train", Labels },
        { "distill", Labels + "distill: {method: tf_kd_reg, solo: true}\n" },
        { "transfer", Labels.Replace("model: {name: mlp, hidden: [6]}", "models: {a: {model: {name: mlp, hidden: [6, 4]}}, b: {model: {name: mlp, hidden: [5, 4]}}}\nadapter: {layers: 1, heads: 1}") },
    };

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Quiet_leaves_out_progress_and_lines_of_epochs_and_nothing_else(string verb, string text)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["run.yml"], text);
        var (code, output, error) = await Run(verb, folder["run.yml"], "-o", folder["loud"]);
        Assert.Equal(0, code);
        Assert.Contains(EpochLine, output);
        Assert.Contains(Note, error);

        var (quietCode, quietOutput, quietError) = await Run(verb, folder["run.yml"], "-o", folder["quiet"], "-q");
        Assert.Equal(0, quietCode);
        Assert.DoesNotContain(EpochLine, quietOutput);
        Assert.Contains("network", quietOutput);
        Assert.All(quietError.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("note: ", line));
        Assert.Equal(Notes(error), Notes(quietError));
        Assert.Contains(Note, quietError);
    }

    private static IEnumerable<string> Notes(string error) => error.Split('\n').Where(line => line.StartsWith("note: ", StringComparison.Ordinal));
}
