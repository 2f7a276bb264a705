using Amalgam.Checkpoints;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Folders of Hugging Face that teach each other: each reads the texts by its own tokenizer, and is left as a folder again.</summary>
public class TransferTextTests
{
    [Fact]
    public async Task Encoders_of_different_depth_and_tokenizers_teach_by_the_values_of_their_last_attention()
    {
        using TemporaryFolder folder = new();
        TinyTextModel.WriteTexts(folder["train.tsv"], 96);
        TinyTextModel.WriteTexts(folder["test.tsv"], 24);
        string deep = TinyTextModel.Write(folder["deep"], TextFamily.Bert, 2, layers: 2), wide = TinyTextModel.Write(folder["wide"], TextFamily.Roberta, 2);
        File.WriteAllText(folder["run.yml"], $$"""
            data: {name: texts, validation: 16, options: {train: '{{folder["train.tsv"]}}', test: '{{folder["test.tsv"]}}', columns: sentence, length: 12} }
            optimizer: adam
            lr: 0.005
            epochs: 3
            batch: 8
            models: {deep: '{{deep}}', wide: '{{wide}}'}
            transfers: [{from: deep, to: wide, both: true}]
            adapter: {layers: 1}

            """);
        string output = await Succeeds("transfer", folder["run.yml"], "-o", folder["run"], "--no-solo");
        const string OfDeep = "deep:bert.encoder.layer.1.attention.self.value.weight [16, 16]", OfWide = "wide:roberta.encoder.layer.0.attention.self.value.weight [16, 16]";
        Assert.Contains($"proposed: {OfDeep} -> {OfWide}", output);
        Assert.Contains($"proposed: {OfWide} -> {OfDeep}", output);
        foreach (var (name, source, vocabulary) in new[] { ("deep", deep, "vocab.txt"), ("wide", wide, "vocab.json") })
        {
            string left = folder[$"run/{name}"];
            Assert.Equal(File.ReadAllBytes(Path.Combine(source, vocabulary)), File.ReadAllBytes(Path.Combine(left, vocabulary)));
            using Checkpoint before = Checkpoint.Open(source), after = Checkpoint.Open(left);
            Assert.Equal(before.Tensors.Select(tensor => $"{tensor.Name} {tensor.Shape}").Order(), after.Tensors.Select(tensor => $"{tensor.Name} {tensor.Shape}").Order());
            Assert.Contains("ACCURACY", await Succeeds("eval", left));
        }

        // Begun anew, folders of Hugging Face make room too.
        await Succeeds("transfer", folder["run.yml"], "-o", folder["run"], "--overwrite", "--no-solo", "-q");
        Assert.True(File.Exists(folder[$"run/wide/{RunFolder.Last}"]));
    }
}
