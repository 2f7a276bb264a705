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

    /// <summary>Files that are a vocabulary; a name that begins with a dot is an ending.</summary>
    private static readonly string[] Vocabularies =
        ["tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.model", "sentencepiece.bpe.model", "spm.model", "tekken.json", ".tiktoken"];

    private static readonly string[] Copied =
    [
        .. Vocabularies, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
        "video_preprocessor_config.json",
    ];

    /// <summary>All are folders with vocabulary files, and these are the same in all, byte for byte.</summary>
    public static bool HaveSameTokenizer(IEnumerable<string> folders)
    {
        string[] all = [.. folders];
        if (!all.All(Directory.Exists)) return false;
        string[] names = [.. all.SelectMany(f => Among(f, Vocabularies)).Distinct(StringComparer.Ordinal)];
        return names.Length > 0 && names.All(name => all.All(f => File.Exists(Path.Combine(f, name)))
            && all.Skip(1).All(f => File.ReadAllBytes(Path.Combine(f, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(all[0], name)))));
    }

    /// <summary>Names of the files in a folder that go with its weights: configuration and tokenizer.</summary>
    public static IEnumerable<string> Of(string folder) => Among(folder, [Config, .. Copied]);

    /// <summary>Adds the donor's files, with the layer count and the element type of the result, the recipe and a model card.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="recipe">The recipe as the user wrote it.</param>
    /// <param name="output">The output; a single file takes none of these.</param>
    public static void Write(MergePlan plan, string recipe, CheckpointOutput output)
    {
        string donor = plan.Donor.Checkpoint.Path;
        if (Directory.Exists(donor))
        {
            foreach (string name in Among(donor, Copied)) output.AddCopy(Path.Combine(donor, name));
            if (File.Exists(Path.Combine(donor, Config))) output.AddText(Config, Adapt(Path.Combine(donor, Config), plan));
        }

        output.AddText("amalgam.yml", recipe);
        output.AddText("README.md", ModelCard.Write(plan, recipe));
    }

    /// <summary>What a user should know of a configuration that is to get another number of layers; null when there is nothing.</summary>
    /// <param name="donor">The folder that lends the configuration.</param>
    /// <param name="layers">The number of layers.</param>
    /// <exception cref="InvalidDataException">It is not JSON.</exception>
    public static string? NoteOnLayers(string donor, int layers)
    {
        string path = Path.Combine(donor, Config);
        if (!File.Exists(path) || LayerCounts.Any(Parse(path).ContainsKey)) return null;
        return $"the result has {layers} layers, and {path} has none of the keys {string.Join(", ", LayerCounts)}: set the layer count in its copy";
    }

    private static string[] Among(string folder, string[] names) =>
        [.. Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).Where(f => names.Any(n => n.StartsWith('.') ? f.EndsWith(n, StringComparison.Ordinal) : f == n)).Order(StringComparer.Ordinal)];

    private static string Adapt(string path, MergePlan plan)
    {
        JsonObject config = Parse(path);
        config[config.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = plan.MainType.LongName;
        if (plan.Layers is { } layers && LayerCounts.FirstOrDefault(config.ContainsKey) is { } key) config[key] = layers;
        return config.ToJsonString(new(JsonSerializerDefaults.General) { WriteIndented = true }) + "\n";
    }

    private static JsonObject Parse(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path), documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject ?? throw new InvalidDataException($"{path} is not a JSON object");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not JSON: {e.Message}", e);
        }
    }
}
