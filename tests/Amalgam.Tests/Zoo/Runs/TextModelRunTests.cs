using System.Text.Json;
using System.Text.Json.Nodes;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>A user's own folder of Hugging Face through the commands: train, eval, merge.</summary>
public class TextModelRunTests
{
    [Theory]
    [InlineData(TextFamily.Bert, 2)]
    [InlineData(TextFamily.Bert, 0)]
    [InlineData(TextFamily.DistilBert, 0)]
    [InlineData(TextFamily.Roberta, 2)]
    [InlineData(TextFamily.Roberta, 3)]
    public async Task A_folder_is_trained_evaluated_and_left_as_a_folder(TextFamily family, int classes)
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], family, classes), run = folder["run"];
        var (code, output, error) = await Run("train", Describe(folder, model), "-o", run);
        Assert.True(code == 0, error);
        Assert.Equal(classes != 2, error.Contains("has no classifier of 2 classes; drawn anew: "));
        Assert.Contains("8 epochs", output);

        // The same network, by the run, by its folder as Hugging Face's, and by its file.
        JsonElement ofRun = await Evaluate(run);
        Assert.True(ofRun.GetProperty("accuracy").GetDouble() > 0.9, $"{ofRun}");
        foreach (string key in (string[])["auc", "macro_recall", "macro_f1"]) Assert.InRange(ofRun.GetProperty(key).GetDouble(), 0.9, 1);
        string texts = $"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},length=12";
        string alone = Directory.CreateDirectory(folder["alone"]).FullName;
        foreach (string name in HuggingFaceOutput.Names.Where(name => File.Exists(Path.Combine(run, name)))) File.Copy(Path.Combine(run, name), Path.Combine(alone, name));
        Assert.Equal($"{ofRun}".Replace(run, ""), $"{await Evaluate(alone, "--data", texts)}".Replace(alone, ""));
        Assert.Equal(ofRun.GetProperty("loss").GetDouble(), (await Evaluate(Path.Combine(run, RunFolder.Model), "--data", texts)).GetProperty("loss").GetDouble());

        // It is the model's own layout: names with the prefix of the class for classification, labels, the tokenizer.
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(run, "config.json")))!.AsObject();
        Assert.EndsWith("ForSequenceClassification", (string?)config["architectures"]![0]);
        Assert.Equal((classes == 2 ? "L1" : "up", "kept", "float32"), ((string?)config["id2label"]!["1"], (string?)config["some_note"], (string?)config["torch_dtype"]));
        using Checkpoint left = Checkpoint.Open(run);
        Assert.Equal("pt", left.Metadata["format"]);
        Assert.DoesNotContain(ModelLoader.ArchitectureKey, left.Metadata.Keys);
        string prefix = $"{family.ToString().ToLowerInvariant()}.";
        Assert.All(left.Tensors, t => Assert.True(t.Name.StartsWith(prefix, StringComparison.Ordinal) || t.Name.Contains("classifier", StringComparison.Ordinal), t.Name));
        string vocabulary = family == TextFamily.Roberta ? "vocab.json" : "vocab.txt";
        Assert.Equal(File.ReadAllBytes(Path.Combine(model, vocabulary)), File.ReadAllBytes(Path.Combine(run, vocabulary)));
    }

    [Fact]
    public async Task Two_of_them_are_merged_into_a_folder_again()
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], TextFamily.Bert, 2);
        await Succeeds("train", Describe(folder, model, "seed: 1"), "-o", folder["a"]);
        await Succeeds("train", Describe(folder, model, "seed: 2"), "-o", folder["b"]);
        await Succeeds("merge", "-m", "linear", folder["a"], folder["b"], "-o", folder["merged"]);
        JsonElement merged = await Evaluate(folder["merged"], "--data", $"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},length=12");
        Assert.True(merged.GetProperty("accuracy").GetDouble() > 0.9, $"{merged}");
        var (a, b, mean) = (TestModel.Read(folder["a"]), TestModel.Read(folder["b"]), TestModel.Read(folder["merged"]));
        Assert.Equal(a.Keys.Order(), mean.Keys.Order());
        float[] expected = [.. a["classifier.weight"].Values.Zip(b["classifier.weight"].Values, (x, y) => (x + y) / 2)];
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], mean["classifier.weight"].Values[i], 1e-6);
    }

    [Theory]
    [InlineData(TextFamily.Bert)]
    [InlineData(TextFamily.Roberta)]
    public async Task Two_of_them_are_spliced_into_a_folder_again(TextFamily family)
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], family, 2);
        await Succeeds("train", Describe(folder, model, "seed: 1"), "-o", folder["a"]);
        await Succeeds("train", Describe(folder, model, "seed: 2"), "-o", folder["b"]);
        string run = Describe(folder, model);
        File.WriteAllText(run, string.Join('\n', File.ReadLines(run).Where(line => !line.StartsWith("model", StringComparison.Ordinal))));
        await Succeeds("splice", folder["a"], folder["b"], "--train", run, "-o", folder["spliced"], "--include", "classifier*.weight");
        JsonElement spliced = await Evaluate(folder["spliced"], "--data", $"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},length=12");
        Assert.True(spliced.GetProperty("accuracy").GetDouble() > 0.9, $"{spliced}");
        var (a, result) = (TestModel.Read(folder["a"]), TestModel.Read(folder["spliced"]));
        Assert.Equal(a.Keys.Order(), result.Keys.Order());
        string[] changed = [.. a.Keys.Where(name => !a[name].Values.AsSpan().SequenceEqual(result[name].Values)).Order()];
        Assert.Equal(family == TextFamily.Bert ? ["classifier.weight"] : ["classifier.dense.weight", "classifier.out_proj.weight"], changed);
    }

    [Fact]
    public async Task With_validation_the_folder_holds_the_best_epoch_and_the_last_stands_beside()
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], TextFamily.Bert, 2), run = folder["run"];
        await Succeeds("train", Describe(folder, model, validation: 16), "-o", run);
        Assert.True(File.Exists(Path.Combine(run, RunFolder.Last)));
        Assert.False(File.Exists(Path.Combine(run, RunFolder.Best)));
        Assert.Equal(Path.Combine(run, RunFolder.Model), RunFolder.ModelOf(run));
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, RunFolder.Result)));
        Assert.Equal(result.RootElement.GetProperty("test_of_best").GetProperty("loss").GetDouble(), (await Evaluate(run)).GetProperty("loss").GetDouble(), 5);
        double last = result.RootElement.GetProperty("test").GetProperty("loss").GetDouble();
        Assert.Equal(last, (await Evaluate(Path.Combine(run, RunFolder.Last), "--data", $"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},length=12")).GetProperty("loss").GetDouble(), 5);

        byte[] best = File.ReadAllBytes(Path.Combine(run, RunFolder.Model)), lastBytes = File.ReadAllBytes(Path.Combine(run, RunFolder.Last));
        await Succeeds("train", folder["run.yml"], "-o", run, "--resume"); // it has ended: the same files again
        Assert.Equal(best, File.ReadAllBytes(Path.Combine(run, RunFolder.Model)));
        Assert.Equal(lastBytes, File.ReadAllBytes(Path.Combine(run, RunFolder.Last)));

        await Succeeds("train", Describe(folder, model), "-o", run, "--overwrite"); // it knows what such a run leaves
        Assert.False(File.Exists(Path.Combine(run, RunFolder.Last)));
        await Refuses("would replace it", "train", Describe(folder, model), "-o", model, "--overwrite");
        string other = TinyTextModel.Write(folder["other"], TextFamily.Bert, 2);
        await Refuses("holds 'config.json', which a run of this kind does not leave", "train", Describe(folder, model), "-o", other, "--overwrite");
    }

    [Fact]
    public async Task What_does_not_belong_together_is_refused_in_one_sentence()
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], TextFamily.Bert, 2), config = Path.Combine(model, "config.json"), good = File.ReadAllText(config);
        await RefusesTraining("longer than the 24 positions of the model", Describe(folder, model, length: 25));
        await RefusesTraining("has no room for texts beside the 3 ids", Describe(folder, model), edit: text => text.Replace("length: 12", "length: 3").Replace("columns: sentence", "columns: [sentence, label]"));
        await RefusesTraining("it has the option classes alone, found 'hidden'", Describe(folder, model), edit: text => text.Replace("name: '" + model + "'", "name: '" + model + "', hidden: 3"));

        File.WriteAllText(config, good.Replace("\"pad_token_id\": 0", "\"pad_token_id\": 3"));
        await RefusesTraining("pads with the id 0", Describe(folder, model));
        File.WriteAllText(config, good);

        File.AppendAllText(Path.Combine(model, "vocab.txt"), "more\n");
        await RefusesTraining("has ids up to 20, ", Describe(folder, model));
        File.Delete(Path.Combine(model, "vocab.txt"));
        await RefusesTraining("has no tokenizer", Describe(folder, model));

        model = TinyTextModel.Write(folder["cut"], TextFamily.Roberta, 2);
        byte[] weights = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        File.WriteAllBytes(Path.Combine(model, "model.safetensors"), weights[..^9]);
        await RefusesTraining("is not a valid safetensors file", Describe(folder, model));
        string json = File.ReadAllText(Path.Combine(model, "vocab.json"));
        File.WriteAllText(Path.Combine(model, "vocab.json"), json[..^40]);
        await RefusesTraining("vocab.json is not valid JSON", Describe(folder, model));

        await RefusesTraining("no/folder does not exist", Describe(folder, "no/folder"));
        await RefusesTraining("has no config.json", Describe(folder, Directory.CreateDirectory(folder["empty"]).FullName));
        await Refuses("is read from files of yours", "data", "get", "texts");

        async Task RefusesTraining(string phrase, string run, Func<string, string>? edit = null)
        {
            if (edit is not null) File.WriteAllText(run, edit(File.ReadAllText(run)));
            await Refuses(phrase, "train", run, "-o", folder["run"]);
            Assert.False(Directory.Exists(folder["run"]));
        }
    }

    [Fact]
    public void What_a_folder_has_is_read_and_the_rest_is_drawn()
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], TextFamily.Roberta, 3);
        HuggingFaceModel same = HuggingFace.Classifier(model, 3, seed: 5), other = HuggingFace.Classifier(model, 2, seed: 5), again = HuggingFace.Classifier(model, 2, seed: 6);
        Assert.Empty(same.Notes);
        Assert.Equal(2, other.Graph.Outputs["logits"].Shape[1]);
        foreach (var (name, node) in other.Graph.Parameters)
        {
            bool drawn = name.StartsWith("classifier.out_proj", StringComparison.Ordinal);
            Assert.Equal(drawn, !node.Value!.Span.SequenceEqual(same.Graph.Parameters[name].Value!.Span));
        }

        Assert.False(other.Graph.Parameters["classifier.out_proj.weight"].Value!.Span.SequenceEqual(again.Graph.Parameters["classifier.out_proj.weight"].Value!.Span));
        Assert.Contains("classifier.out_proj.weight, classifier.out_proj.bias", Assert.Single(other.Notes));
    }

    [Fact]
    public void Another_length_of_texts_is_the_same_network()
    {
        // A classifier that is trained on texts of 12 ids and run on 20 sees the padding as nothing.
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], TextFamily.Bert, 2);
        DataDescription data = new("texts") { Options = DataDescription.Parse($"texts:train={TinyTextModel.WriteTexts(folder["t.tsv"], 20)},test={folder["t.tsv"]},length=12").Options };
        Graph graph = ModelLoader.Load(model);
        Tensor[] scores = [.. ((string[])["12", "20"]).Select(length => Predictions.Of(graph, RunData.OpenTest(ModelText.For(data with { Options = data.Options.SetItem("length", length) }, model)), 7))];
        for (int i = 0; i < scores[0].Count; i++) Assert.Equal(scores[0].Span[i], scores[1].Span[i], 1e-5f);
    }

    private static string Describe(TemporaryFolder folder, string model, string more = "", int validation = 0, int length = 12)
    {
        TinyTextModel.WriteTexts(folder["train.tsv"], 96);
        TinyTextModel.WriteTexts(folder["test.tsv"], 24);
        File.WriteAllText(folder["run.yml"], $$"""
            data: {name: texts, validation: {{validation}}, options: {train: '{{folder["train.tsv"]}}', test: '{{folder["test.tsv"]}}', columns: sentence, length: {{length}} } }
            model: {name: '{{model}}'}
            optimizer: adam
            lr: 0.005
            epochs: 8
            batch: 8
            {{more}}
            """);
        return folder["run.yml"];
    }

    private static async Task<JsonElement> Evaluate(params string[] line)
    {
        using JsonDocument json = JsonDocument.Parse(await Succeeds(["eval", .. line, "--json"]));
        return json.RootElement.GetProperty("models")[0].Clone();
    }
}
