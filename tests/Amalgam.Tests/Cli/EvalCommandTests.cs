using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Zoo.Models;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Real networks have here the accuracies that were measured where they come from.</summary>
public class EvalCommandTests
{
    private static readonly string[] OfMnist = ["--data", "mnist", "--mean", "0.1307", "--std", "0.3081", "--json"];

    public EvalCommandTests() => UseRealData();

    private static string A => RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors");

    private static string B => RealData.At("models", "mlp-mnist-pair", "mlp-mnist-b.safetensors");

    [Fact]
    public async Task The_mnist_pair_and_its_ensemble_are_as_published()
    {
        JsonElement[] models = await Evaluate([A, B, "--model", "mlp:bias=false", .. OfMnist]);
        Assert.Equal([0.9772, 0.9775, 0.9788], models.Select(m => m.GetProperty("accuracy").GetDouble()));
        Assert.All(models, m => Assert.InRange(m.GetProperty("top-5").GetDouble(), 0.999, 1));
    }

    [Fact]
    public async Task The_plain_average_of_the_mnist_pair_loses_a_quarter()
    {
        using TemporaryFolder folder = new();
        string average = folder["ab.safetensors"];
        await Succeeds("merge", "-m", "linear", A, B, "-o", average);
        JsonElement model = Assert.Single(await Evaluate([average, "--model", "mlp:bias=false", .. OfMnist]));
        Assert.Equal(0.7384, model.GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public async Task The_resnet_is_as_published()
    {
        JsonElement model = Assert.Single(await Evaluate(
            [RealData.At("models", "resnet20-cifar10", "resnet20-cifar10.onnx"), "--data", "cifar10", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225", "--json"]));
        Assert.Equal(0.9173, model.GetProperty("accuracy").GetDouble(), 0.0005);
    }

    [Fact]
    public async Task Halves_are_evaluated_jointly_and_by_task()
    {
        string vectors = RealData.At("models", "resnet20-cifar10-halves", "class_vectors.safetensors");
        string[] line =
        [
            RealData.At("models", "resnet20-cifar10-halves", "a.onnx"), RealData.At("models", "resnet20-cifar10-halves", "b.onnx"), "--data", "cifar10", "--class-vectors", vectors,
            "--tasks", "0,1,2,6,9/3,4,5,7,8", "--mean", "0.4914,0.48219608,0.44650392", "--std", "0.2023,0.1994,0.201", "--limit", "2000", "--json",
        ];
        JsonElement[] models = await Evaluate(line);
        Assert.Equal(0.8692, models[0].GetProperty("task_1").GetDouble(), 0.02); // info.json, on all test images
        Assert.Equal(0.7822, models[1].GetProperty("task_2").GetDouble(), 0.02);
        Assert.All(models[..3], m => Assert.True(m.GetProperty("accuracy").GetDouble() < 0.5));
        Assert.True(models[3].GetProperty("accuracy").GetDouble() > 0.55); // each answers its own task
        Assert.Equal("ensemble of both (sum of scores)", models[2].GetProperty("model").GetString());
    }

    [Fact]
    public async Task A_checkpoint_without_a_graph_is_evaluated_by_a_description_of_its_layers()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["cnn.yml"], """
            input: [1, 28, 28]
            layers:
              - conv: {name: "0", channels: 16, kernel: 4, stride: 2, padding: 1}
              - relu
              - conv: {name: "2", channels: 32, kernel: 4, stride: 2, padding: 1}
              - relu
              - flatten
              - linear: {name: "5", features: 100}
              - relu
              - linear: {name: "7", features: 10}
            """);
        JsonElement model = Assert.Single(await Evaluate([RealData.At("models", "cnn-mnist-fashion-pair", "mnist.pth"), "--model", folder["cnn.yml"], "--data", "mnist", "--json"]));
        Assert.Equal(0.9820, model.GetProperty("accuracy").GetDouble(), 0.0005);
        Assert.Contains("166,406", await Succeeds("show", folder["cnn.yml"]));
    }

    [Fact]
    public async Task A_table_is_for_people()
    {
        string output = await Succeeds(A, B, "--model", "mlp:bias=false", "--limit", "500", "--batch", "33");
        Assert.StartsWith("mnist", output);
        Assert.Matches(@"\nMODEL +ACCURACY +TOP-5 +LOSS +MACRO RECALL +MACRO F1\n", output);
        Assert.Matches(@"\nensemble of both \(sum of scores\) +9\d\.\d\d%", output);

        static Task<string> Succeeds(params string[] line) => CommandLine.Succeeds(["eval", .. line, .. OfMnist[..^1]]);
    }

    [Fact]
    public async Task IclRec_ranks_all_items_of_Beauty_as_published()
    {
        string[] iclRec = [RealData.At("models", "iclrec-sequential", "iclrec-beauty.safetensors"), "--model", "iclrec:items=12103,depth=1", "--data", "beauty-next"];
        JsonElement model = Assert.Single(await Evaluate([.. iclRec, "--json"]));
        foreach (var (k, hit, ndcg) in ((int, double, double)[])[(5, 0.0500, 0.0326), (10, 0.0744, 0.0403), (20, 0.1058, 0.0483)])
        {
            Assert.Equal(hit, model.GetProperty($"hr@{k}").GetDouble(), 4);
            Assert.Equal(ndcg, model.GetProperty($"ndcg@{k}").GetDouble(), 4);
        }

        // Twice the same network is an ensemble that ranks as it does alone.
        JsonElement[] three = await Evaluate([iclRec[0], .. iclRec, "--limit", "300", "--batch", "77", "--validation-data", "--json"]);
        Assert.Equal("ensemble of both (sum of scores)", three[2].GetProperty("model").GetString());
        Assert.Equal(three[0].GetProperty("ndcg@20").GetDouble(), three[2].GetProperty("ndcg@20").GetDouble());

        using TemporaryFolder folder = new();
        GraphWeights.Save(ZooModel.Find("iclrec").Build(1, new Dictionary<string, string> { ["items"] = "12000" }), folder["small.safetensors"]);
        await Refuses("'item_embeddings.weight' [12000,64] has rows for 12000 ids, beauty-next, test has 12102", "eval", folder["small.safetensors"], "--model", "iclrec:items=12000", "--data", "beauty-next", "--limit", "1");
    }

    [Fact]
    public async Task A_part_for_validation_is_only_where_there_is_one()
    {
        await Refuses("mnist has no validation part of its own", ["eval", A, "--model", "mlp:bias=false", .. OfMnist, "--validation-data"]);
        await Refuses("exclude each other", ["eval", A, "--model", "mlp:bias=false", .. OfMnist, "--validation-data", "--training-data"]);
    }

    [Fact]
    public async Task What_does_not_fit_is_refused()
    {
        await Refuses("name it with --model", ["eval", A, .. OfMnist]);
        await Refuses("name the data", "eval", A, "--model", "mlp:bias=false");
        await Refuses("mlp has no option 'biases' (did you mean 'bias'?)", ["eval", A, "--model", "mlp:biases=false", .. OfMnist]);
        await Refuses("'fc1.bias' [400]", ["eval", A, "--model", "mlp", .. OfMnist]);
        await Refuses("'10' is no class of mnist", ["eval", A, "--model", "mlp:bias=false", .. OfMnist, "--tasks", "1,2/10"]);
        await Refuses("mean has 3 numbers, images of mnist", "eval", A, "--model", "mlp:bias=false", "--data", "mnist", "--mean", "1,2,3");
        await Refuses("numbers of std must be above 0", "eval", A, "--model", "mlp:bias=false", "--data", "mnist", "--std", "0");
        await Refuses("--mean takes numbers", "eval", A, "--data", "mnist", "--mean", "a");
        await Refuses("there is no data set 'mnits'", "eval", A, "--model", "mlp:bias=false", "--data", "mnits");
        await Refuses("class vectors [10,512] do not go with an embedding [1,10]", ["eval", A, "--model", "mlp:bias=false", .. OfMnist, "--class-vectors", RealData.At("models", "resnet20-cifar10-halves", "class_vectors.safetensors")]);
    }

    private static async Task<JsonElement[]> Evaluate(string[] line)
    {
        using JsonDocument json = JsonDocument.Parse(await Succeeds(["eval", .. line]));
        return [.. json.RootElement.GetProperty("models").EnumerateArray().Select(m => m.Clone())];
    }
}
