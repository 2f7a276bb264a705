using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>What a refusal of a description says was found, and what was expected.</summary>
public class RunRefusalTests
{
    private const string Run = "data: {name: glyphs}\nmodel: mlp\nlr: 0.1\nepochs: 1\n";

    [Theory]
    [InlineData("lr: 0.1", "lr: 1e400", "run.yml:3:5: expected a learning rate above 0, found '1e400', which is too large")]
    [InlineData("epochs: 1", "epochs: 99999999999", "run.yml:4:9: expected a number of epochs, found '99999999999', which is too large")]
    [InlineData("epochs: 1", "epochs: -1", "run.yml:4:9: expected a number of epochs, found '-1'")]
    [InlineData("epochs: 1", "epochs: 1\nseed: 99999999999999999999", "run.yml:5:7: expected a whole number, found '99999999999999999999', which is too large")]
    [InlineData("epochs: 1", "epochs: 1\nseed: 9a", "run.yml:5:7: expected a whole number, found '9a'")]
    [InlineData("glyphs}", "glyphs, std: [0]}", "run.yml:1:28: expected a number above 0, found '0'")]
    [InlineData("glyphs}", "glyphs, std: 0}", "run.yml:1:27: expected a number above 0 for each channel, found '0'")]
    [InlineData(Run, "", "run.yml:1:1: there is nothing here but comments or white space")]
    [InlineData(Run, "# none\n", "run.yml:1:1: there is nothing here but comments or white space")]
    public void A_run_says(string old, string now, string message) =>
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => RunDescription.Parse(Run.Replace(old, now), "run.yml")).Message);

    [Theory]
    [InlineData("models: {}\n", "run.yml:1:9: expected models, a mapping from a name to what it is, found an empty mapping")]
    [InlineData("models: {a: mlp}\ndata: glyphs\nlr: 1\nepochs: 1\ncycle: 99999999999\n", "run.yml:5:8: expected a number of rounds from 1 on, found '99999999999', which is too large")]
    public void A_transfer_says(string text, string message) => Assert.Equal(message, Assert.Throws<InvalidDataException>(() => TransferDescription.Parse(text, "run.yml")).Message);

    [Fact]
    public void A_rate_that_is_much_too_high_is_said_in_few_digits()
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse(Run.Replace("model: mlp", "model: {name: mlp, hidden: [4]}").Replace("{name: glyphs}", "{name: glyphs, options: {train: 200, test: 50}}").Replace("lr: 0.1", "lr: 1.0e+300"), "run.yml");
        Assert.Contains("(epoch 1, learning rate 1e+300)", Assert.Throws<TrainingException>(() => new TrainingRun(run, folder["run"]).Train()).Message);
    }
}
