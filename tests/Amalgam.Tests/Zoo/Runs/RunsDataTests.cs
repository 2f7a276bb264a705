using Amalgam.Checkpoints;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Folders of runs that learned from other data than one another.</summary>
public sealed class RunsDataTests : IDisposable
{
    private const string Part = "part: {classes: [1], share: 0.5, seed: 0}", Rest = "part: {classes: [1], share: 0.5, seed: 0, rest: true}";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("name: glyphs", "name: mnist", "all classes of glyphs", "all classes of mnist")]
    [InlineData("name: glyphs, options: {classes: 4}", "name: glyphs, options: {classes: 5}", "(classes=4)", "(classes=5)")]
    [InlineData("name: glyphs, classes: [0, 1]", "name: glyphs, classes: [2, 3]", "the classes 0, 1 of glyphs", "the classes 2, 3 of glyphs")]
    [InlineData("name: glyphs, classes: [0, 1]", "name: glyphs, classes: [1, 0]", "the classes 0, 1", "the classes 1, 0")]
    [InlineData("name: glyphs, mean: [0.5], std: [0.25]", "name: glyphs", "mean 0.5 and std 0.25", "no mean and no std")]
    public async Task Runs_that_learned_from_data_of_other_kinds_are_refused_unless_the_data_is_named(string one, string other, params string[] phrases)
    {
        string a = Run("a", one), b = Run("b", other);
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => RunsData.Check([a, b]));
        Assert.All(phrases, phrase => Assert.Contains(phrase, refusal.Message));
        await Refuses(phrases[0], "fuse", a, b);
        await Refuses("its run has not ended", "fuse", a, b, "--data", "glyphs:classes=4");
    }

    [Theory]
    [InlineData("name: glyphs, mean: [0.5], std: [0.25]", "name: glyphs, mean: [0.5], std: [0.25], validation: 10, seed: 4")]
    [InlineData("name: glyphs, limit: 10", "name: glyphs, limit: 20")]
    [InlineData($"name: glyphs, {Part}", $"name: glyphs, {Part}")]
    public void Runs_that_learned_alike_are_looked_at_on_the_data_of_the_first(string one, string other)
    {
        Assert.Null(RunsData.Check([Run("a", one), _folder["file.onnx"], Run("b", other)]));
        Assert.Null(RunsData.Check([_folder["file.onnx"], Run("c", "name: mnist")]));
    }

    [Fact]
    public void Of_runs_that_learned_from_other_parts_a_note_says_whose_is_taken()
    {
        string a = Run("a", $"name: glyphs, {Part}"), b = Run("b", $"name: glyphs, {Rest}"), c = Run("c", "name: glyphs");
        Assert.Contains($"from which {a} learned; {b} learned from a part (the classes 1 with 0.5 of the others, seed 0; the rest)", RunsData.Check([a, b]));
        Assert.Contains($"on all samples of glyphs, from which {c} learned; {b} learned from a part", RunsData.Check([c, b]));
        Assert.Null(RunsData.Check([Run("d", "name: glyphs, mean: [0.5]"), c], withPixels: false));
    }

    [Fact]
    public void What_becomes_of_networks_for_parts_is_measured_on_all_classes()
    {
        DataDescription part = new("glyphs") { Part = new([1], 0.5) };
        string[] paths = [.. new[] { 1, 2 }.Select(seed =>
        {
            string path = _folder[$"{seed}.safetensors"];
            int pixels = (int)RunData.OpenTest(part).Fields[0].Shape.Count, classes = RunData.OpenTest(part).Classes.Length;
            Dictionary<string, string> options = new() { ["input"] = $"{pixels}", ["hidden"] = "8", ["classes"] = $"{classes}" };
            GraphWeights.Save(ZooModel.Find("mlp").With(options).Build(2, seed), path, metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = $"mlp:classes={classes},hidden=8,input={pixels}" });
            return path;
        })];
        NetworkFusion fusion = NetworkFusion.Open(paths, new() { Data = part });
        Assert.Equal(RunData.Open(part).Train!.Count, fusion.Data!.Train!.Count);
        Assert.Equal(RunData.OpenTest(new("glyphs")).Count, fusion.Data.Test!.Count);
        Assert.True(RunData.OpenTest(part).Count < fusion.Data.Test.Count);
    }

    private string Run(string name, string data)
    {
        Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(Path.Combine(_folder[name], RunFolder.Description), $"data: {{{data}}}\nmodel: mlp\nlr: 0.1\nepochs: 1\n");
        return _folder[name];
    }
}
