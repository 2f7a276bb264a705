using System.Text.Json;
using System.Text.Json.Nodes;
using Amalgam.Checkpoints;
using Amalgam.Merging.Planning;

namespace Amalgam.Merging;

/// <summary>The files around the tensors in a Hugging Face folder: configuration, tokenizer, model card.</summary>
internal static class SideFiles
{
    private const string Config = "config.json";

    private static readonly string[] LayerCounts = ["num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "decoder_layers"];

    private static readonly string[] Vocabularies = ["tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model"];

    private static readonly string[] Copied =
    [
        "tokenizer_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer.model", "added_tokens.json", "merges.txt", "vocab.json", "vocab.txt",
        "spiece.model", "chat_template.jinja", "chat_template.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
        "video_preprocessor_config.json",
    ];

    /// <summary>All are folders with vocabulary files, and these are the same in all, byte for byte.</summary>
    public static bool HaveSameTokenizer(IEnumerable<string> folders)
    {
        string[] all = [.. folders];
        if (!all.All(Directory.Exists)) return false;
        string[] names = [.. Vocabularies.Where(v => all.Any(f => File.Exists(Path.Combine(f, v))))];
        return names.Length > 0 && names.All(name => all.All(f => File.Exists(Path.Combine(f, name)))
            && all.Skip(1).All(f => File.ReadAllBytes(Path.Combine(f, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(all[0], name)))));
    }

    /// <summary>Adds the donor's files, with the layer count and the element type of the result, the recipe and a model card.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="recipe">The recipe as the user wrote it.</param>
    /// <param name="output">The output; a single file takes none of these.</param>
    public static void Write(MergePlan plan, string recipe, CheckpointOutput output)
    {
        string donor = plan.Donor.Checkpoint.Path;
        if (Directory.Exists(donor))
        {
            foreach (string name in Copied.Where(n => File.Exists(Path.Combine(donor, n)))) output.AddCopy(Path.Combine(donor, name));
            if (File.Exists(Path.Combine(donor, Config))) output.AddText(Config, Adapt(Path.Combine(donor, Config), plan));
        }

        output.AddText("amalgam.yml", recipe);
        output.AddText("README.md", ModelCard.Write(plan, recipe));
    }

    private static string Adapt(string path, MergePlan plan)
    {
        try
        {
            if (JsonNode.Parse(File.ReadAllText(path)) is not JsonObject config) throw new InvalidDataException($"{path} is not a JSON object");
            config[config.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = plan.MainType.LongName;
            if (plan.Layers is { } layers && LayerCounts.FirstOrDefault(config.ContainsKey) is { } key) config[key] = layers;
            return config.ToJsonString(new(JsonSerializerDefaults.General) { WriteIndented = true }) + "\n";
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not JSON: {e.Message}", e);
        }
    }
}
