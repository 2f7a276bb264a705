using Amalgam.Transfer;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class SpliceResultTests
{
    [Theory]
    [InlineData("accuracy", 0.8, 0.7, null)]
    [InlineData("accuracy", 0.7, 0.8, "no better than b: accuracy 70.00% against 80.00%")]
    [InlineData("accuracy", 0.8, 0.8, "no better than b")]
    [InlineData("ndcg@10", 0.2, 0.3, "no better than b: ndcg@10 0.2000 against 0.3000")]
    [InlineData("loss", 0.2, 0.3, null)]
    [InlineData("loss", 0.3, 0.2, "no better than b: loss 0.3000 against 0.2000")]
    public void A_splice_that_is_no_better_than_a_model_is_said_to_be(string measure, double learned, double rival, string? expected)
    {
        SpliceRow Row(SpliceStage stage, string name, double value) => new(stage, name, [new(measure, value, measure == "accuracy")], []);
        double worse = measure == "loss" ? 9 : 0;
        string? warning = Of(Row(SpliceStage.Given, "a", worse), Row(SpliceStage.Given, "b", rival), Row(SpliceStage.Combined, "ensemble of outputs", measure == "loss" ? 0 : 1), Row(SpliceStage.Trained, "learned splice", learned)).Warning;
        if (expected is null) Assert.Null(warning);
        else Assert.Contains(expected, warning!);
    }

    [Fact]
    public void Nothing_is_said_without_validation_data() =>
        Assert.Null(Of(new(SpliceStage.Given, "a", [], [new("accuracy", 1, true)]), new(SpliceStage.Trained, "learned splice", [], [new("accuracy", 0, true)])).Warning);

    private static SpliceResult Of(params SpliceRow[] rows) => new()
    {
        Models = ["a", "b"],
        Host = "a",
        Method = "cki",
        Train = TrainScope.Splice,
        Rows = [.. rows],
        Weights = [],
        Epochs = [],
        Best = null,
        Before = new(1, 1, 1),
        Together = new(2, 2, 2),
        After = new(1, 1, 1),
        IsSameNetwork = true,
        Seconds = (1, 1, 2),
        Batch = 1,
    };
}
