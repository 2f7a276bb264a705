using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>A small run of two towers on easy captions, once for all tests.</summary>
public sealed class TwoTowerRun : IDisposable
{
    public const string Description = """
        data: {name: captions, options: {train: 1500, validation: 80, test: 81, things: 1, glyphs: 3}, validation: own}
        model: {name: two_tower, image_hidden: 32, image_depth: 1, length: 14, text_hidden: 32, text_depth: 1, heads: 2, expansion: 2, embedding: 16}
        loss: contrastive
        optimizer: {name: adamw, decay_vectors: false, clip_norm: 1}
        schedule: {name: cosine, warmup: 1}
        lr: 0.003
        epochs: 6
        batch: 40
        seed: 1

        """;

    private readonly TemporaryFolder _folder = new();

    public TwoTowerRun()
    {
        File.WriteAllText(_folder["run.yml"], Description);
        Output = Succeeds("train", _folder["run.yml"], "-o", Path).GetAwaiter().GetResult();
    }

    public string Path => _folder["run"];

    public string Output { get; }

    public void Dispose() => _folder.Dispose();
}

public class TwoTowerRunTests(TwoTowerRun run) : IClassFixture<TwoTowerRun>
{
    [Fact]
    public async Task A_run_learns_to_find_pairs_and_evaluates_as_it_says()
    {
        Assert.Contains("validation: MEAN RECALL 0.", run.Output);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.Path, RunFolder.Result)));
        double said = result.RootElement.GetProperty("test_of_best").GetProperty("mean_recall").GetDouble();
        using JsonDocument eval = JsonDocument.Parse(await Succeeds("eval", run.Path, "--json"));
        JsonElement found = eval.RootElement.GetProperty("models")[0];
        Assert.Equal(said, found.GetProperty("mean_recall").GetDouble(), 1e-9);

        // By chance one text in 81 is the right one, and ten are found in an eighth of the cases.
        Assert.True(found.GetProperty("tr@10").GetDouble() > 0.4, $"{found}");
        Assert.True(found.GetProperty("ir@10").GetDouble() > 0.4, $"{found}");
        Assert.Contains("81 samples of 81 pictures", await Succeeds("eval", run.Path));
    }

    [Fact]
    public async Task An_ensemble_of_the_run_with_itself_finds_what_it_finds()
    {
        using JsonDocument eval = JsonDocument.Parse(await Succeeds("eval", run.Path, run.Path, "--json"));
        JsonElement models = eval.RootElement.GetProperty("models");
        Assert.Equal(3, models.GetArrayLength());
        Assert.Equal(models[0].GetProperty("mean_recall").GetDouble(), models[2].GetProperty("mean_recall").GetDouble(), 0.02);
    }

    [Fact]
    public void The_exported_network_gives_each_embedding_by_its_name()
    {
        using OnnxModel file = OnnxModel.Open(Path.Combine(run.Path, RunFolder.BestOnnx));
        Graph graph = file.ToGraph(batch: 2);
        Assert.Equal(["embedding", "image_embedding", "text_embedding"], graph.Outputs.Keys);
        Assert.All(graph.Outputs.Values.Skip(1), node => Assert.Equal([2, 16], node.Shape.Sizes.ToArray()));
    }

    [Fact]
    public async Task Data_without_pictures_is_refused()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["run.yml"], TwoTowerRun.Description.Replace("name: captions, options: {train: 1500, validation: 80, test: 81, things: 1, glyphs: 3}, validation: own", "name: glyphs, options: {train: 50, test: 20}"));
        await Refuses("is filled by no field of glyphs", "train", folder["run.yml"], "-o", folder["run"]);
    }
}
