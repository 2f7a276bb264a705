using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>Writes a network as the folder of Hugging Face that it came from: the configuration, the tokenizer, and the weights under the names of the checkpoint's tensors.</summary>
public static class HuggingFaceOutput
{
    /// <summary>The file of the weights.</summary>
    public const string Weights = "model.safetensors";

    private const string Config = "config.json";

    private static readonly ImmutableArray<string> Copied =
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "preprocessor_config.json"];

    /// <summary>Every file that it may write.</summary>
    public static readonly ImmutableArray<string> Names = [Config, Weights, .. Copied];

    /// <summary>Writes the folder. Files of another name stay.</summary>
    /// <param name="network">The network, with a classifier.</param>
    /// <param name="source">The folder that it came from.</param>
    /// <param name="folder">The folder to write, another one.</param>
    /// <param name="classes">Names of the classes; they are written where the source does not name as many.</param>
    /// <exception cref="InvalidDataException">The source has no configuration any more.</exception>
    public static void Write(Graph network, string source, string folder, IReadOnlyList<string> classes)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig given = HuggingFaceConfig.Read(source);
        Replace(Path.Combine(folder, Config), path => File.WriteAllText(path, Adapt(given, network, classes)));
        foreach (string name in Copied.Where(name => File.Exists(Path.Combine(source, name)))) Replace(Path.Combine(folder, name), path => File.Copy(Path.Combine(source, name), path, overwrite: true));
        GraphWeights.Save(network, Path.Combine(folder, Weights), overwrite: true);
    }

    /// <summary>The configuration of the network with its classifier and its element type.</summary>
    private static string Adapt(HuggingFaceConfig given, Graph network, IReadOnlyList<string> classes)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(given.Path))!.AsObject();
        config[config.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = "float32";
        if (network.Outputs.TryGetValue("logits", out Node? logits))
        {
            int count = logits.Shape.Size(1);
            config["architectures"] = new JsonArray(given.Text("model_type") switch
            {
                "bert" => "BertForSequenceClassification",
                "distilbert" => "DistilBertForSequenceClassification",
                "roberta" => "RobertaForSequenceClassification",
                _ => "ViTForImageClassification",
            });
            if (!given.NamesLabels || given.Labels != count)
            {
                string[] names = [.. Enumerable.Range(0, count).Select(i => classes.Count == count ? classes[i] : $"LABEL_{i}")];
                config["id2label"] = new JsonObject(names.Select((name, i) => KeyValuePair.Create($"{i}", (JsonNode?)name)));
                config["label2id"] = new JsonObject(names.Select((name, i) => KeyValuePair.Create(name, (JsonNode?)i)));
                config.Remove("num_labels");
            }
        }

        return config.ToJsonString(new(JsonSerializerDefaults.General) { WriteIndented = true }) + "\n";
    }

    private static void Replace(string path, Action<string> write)
    {
        write(path + ".tmp");
        File.Move(path + ".tmp", path, overwrite: true);
    }
}
