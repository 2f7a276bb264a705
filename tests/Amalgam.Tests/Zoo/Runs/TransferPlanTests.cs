using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;
using static Amalgam.Tests.Cli.TransferCommandTests;

namespace Amalgam.Tests.Zoo.Runs;

public class TransferPlanTests
{
    /// <summary>A source at a rank trains in factors, unless it is frozen: then its network trains as by itself.</summary>
    [Theory]
    [InlineData("", true)]
    [InlineData(", freeze: ['fc.weight']", false)]
    public void A_network_of_which_a_frozen_matrix_alone_has_a_rank_is_not_changed(string freeze, bool changes)
    {
        string run = Head + $"models: {{a: {{model: {{name: cnn, channels: [4, 6]{freeze}}}}}, b: {{model: {{name: mlp, hidden: [8, 8]}}}}}}\ntransfers: [{{from: {{model: a, matrix: fc.weight, rank: 2}}, to: 'b:fc2.weight'}}]\n";
        TransferPlan plan = new(TransferDescription.Parse(run, "run.yml"));
        Assert.Equal((changes, true), (plan.Changes("a"), plan.Changes("b")));
        Assert.Equal(changes ? ["a:fc.weight at rank 2"] : [], plan.InFactors.Select(matrix => $"{matrix}"));
    }

    /// <summary>Where weights were given, fresh factors take what they had learned; where they are drawn there is nothing to lose.</summary>
    [Theory]
    [InlineData("drawn", false)]
    [InlineData("weights", true)]
    [InlineData("onnx", true)]
    [InlineData("run", true)]
    public async Task Fresh_factors_in_the_place_of_given_weights_get_a_note(string kind, bool isGiven)
    {
        using TemporaryFolder folder = new();
        const string Phrase = "a:fc2.weight at rank 2 begins with fresh factors: what this weight of a had learned is discarded";
        await Succeeds("train", Describe(folder, Trained), "-o", folder["given"], "-q");
        string model = kind switch
        {
            "weights" => $"{{name: mlp, hidden: [8, 8], weights: '{folder[$"given/{RunFolder.Model}"]}'}}",
            "onnx" => $"'{folder[$"given/{RunFolder.Onnx}"]}'",
            "run" => $"'{folder["given"]}'",
            _ => "{name: mlp, hidden: [8, 8]}",
        };
        string Of(string start) => Describe(folder, Head + $"models: {{a: {{model: {model}}}, b: {{model: {{name: mlp, hidden: [8, 8]}}}}}}\ntransfers: [{{from: 'b:fc2.weight', to: {{model: a, matrix: fc2.weight, rank: 2, start: {start}}}, both: true}}]\n");
        string output = await Succeeds("transfer", Of("fresh"), "--dry-run");
        Assert.Equal(isGiven ? 2 : 1, output.Split($"note: {Phrase}").Length);
        Assert.DoesNotContain("begins with fresh factors", await Succeeds("transfer", Of("decomposition"), "--dry-run"));
        if (kind != "weights") return;
        var (code, _, error) = await Run("transfer", Of("fresh"), "-o", folder["run"], "--no-solo");
        Assert.Equal(0, code);
        Assert.Contains($"note: {Phrase}", error);
    }

    private const string Trained = """
        data: {name: glyphs, options: {train: 96, test: 24}, validation: 24}
        model: {name: mlp, hidden: [8, 8]}
        lr: 0.01
        epochs: 1
        batch: 24

        """;
}
