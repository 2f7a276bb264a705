using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Numbers and lists are written as such, and what is read again is the same run.</summary>
public class ReadableYamlTests
{
    [Theory]
    [InlineData("{name: glyphs, options: {train: 2500}}", "{name: mobilenet_v2, width: 0.25, image: [1, 28, 28]}", "options: {train: 2500}", "width: 0.25", "image: [1, 28, 28]", "epsilon: 1e-8")]
    [InlineData("'1,28,28'", "{name: cnn, channels: [4, 6], weights: '12'}", "name: '1,28,28'", "channels: [4, 6]")]
    [InlineData("'it''s 5, of ''1,2'', or: 3.50'", "{name: mlp, hidden: [8], bias: 'false', freeze: ['glob:1E-08', '7']}", "'it''s 5, of ''1,2'', or: 3.50'", "'glob:1E-08'", "hidden: 8")]
    [InlineData("glyphs", "{name: cnn, channels: [4, 6], weights: '1,2', freeze: ['3,4', '5']}\noutput: '1,2'", "channels: [4, 6], weights: '1,2', freeze: ['3,4', 5]", "output: '1,2'\n")]
    [InlineData("glyphs", "{name: mlp, hidden: [8]}\ndistill: {method: kd, teachers: ['1,2', '3']}\noutput: '12'", "teachers: ['1,2', 3]", "hidden: 8", "output: 12\n")]
    [InlineData("runs/1E-08", "{name: '007', weights: '0x10', a: '1.', b: '-', c: '1,', d: '00', e: '1e3', f: '', g: '9999999999999999999999'}", "name: runs/1E-08", "name: '007'")]
    public void The_same_run(string data, string model, params string[] parts)
    {
        RunDescription run = RunDescription.Parse($"data: {data}\nmodel: {model.Replace(", f: ''", "")}\noptimizer: {{name: adam, weight_decay: 1.5e-9}}\nlr: 1.0e-12\nepochs: 2\n", "run.yml");
        string written = RunYaml.Write(run), readable = ReadableYaml.Of(written);
        Assert.Equal(written, RunYaml.Write(RunDescription.Parse(readable, "again.yml")));
        Assert.Equal(readable, ReadableYaml.Of(readable));
        foreach (string part in parts) Assert.Contains(part, readable);
        Assert.Contains("lr: 1e-12\n", readable);
        Assert.Contains("weight_decay: 1.5e-9", readable);
        Assert.DoesNotMatch("(?<![:/])[0-9]E-", readable);
    }

    [Fact]
    public void The_same_transfer()
    {
        TransferDescription run = TransferDescription.Parse(
            "data: {name: glyphs, options: {train: 90}}\nlr: 1.0e-5\nepochs: 1\nmodels: {1: {model: {name: mlp, hidden: [4, 5]}}, b: {model: {name: cnn, channels: [3]}, steps: 2}}\ntransfers: [{from: {model: 1, matrix: '7'}, to: 'b:fc.weight'}]\n", "run.yml");
        string written = TransferYaml.Write(run), readable = ReadableYaml.Of(written);
        Assert.Equal(written, TransferYaml.Write(TransferDescription.Parse(readable, "again.yml")));
        Assert.Contains("hidden: [4, 5]", readable);
        Assert.Contains("train: 90", readable);
    }

    [Fact]
    public void Texts_with_commas_stay_texts_in_a_transfer()
    {
        TransferDescription run = TransferDescription.Parse(
            "data: glyphs\nlr: 0.1\nepochs: 1\nmodels: {a: {model: {name: cnn, channels: [3, 4], weights: '1,2'}}, b: {model: {name: '5,6', weights: '7,8'}, frozen: true}}\ntransfers: [{from: {model: 'b', matrix: '7,9'}, to: {model: a, matrix: '3,4', rows: [1, 2]}}]\noutput: '3,4'\n", "run.yml");
        string written = TransferYaml.Write(run), readable = ReadableYaml.Of(written);
        TransferDescription again = TransferDescription.Parse(readable, "again.yml");
        Assert.Equal(written, TransferYaml.Write(again));
        Assert.Equal("3,4", again.Output);
        Assert.Equal("1,2", again.Models[0].Model.Weights);
        Assert.Contains("channels: [3, 4]", readable);
    }
}
