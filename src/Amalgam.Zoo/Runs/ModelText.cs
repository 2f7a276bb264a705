using Amalgam.Zoo.Data;
using Amalgam.Zoo.Data.Tokenizers;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>Texts for a model that brings its own tokenizer: a folder of Hugging Face.</summary>
public static class ModelText
{
    /// <summary>
    /// The data as a model takes it: texts by the tokenizer of the model's folder, unless the data names one. Checked is that the ids, the padding and the length are the model's.
    /// Other data, and other models, stay as they are.
    /// </summary>
    /// <param name="data">The data.</param>
    /// <param name="model">A folder of Hugging Face, or a checkpoint in one.</param>
    /// <exception cref="InvalidDataException">The tokenizer is missing or damaged, or does not belong to the model.</exception>
    public static DataDescription For(DataDescription data, string model)
    {
        if (!TextSource.Is(data.Name) || FolderOf(model) is not { } folder || HuggingFace.LimitsOf(folder) is not { } limits) return data;
        string from = data.Options.GetValueOrDefault(TextSource.Tokenizer, folder);
        Check(TokenizerFolder.Open(from), from, folder, limits);
        string length = data.Options.GetValueOrDefault("length", DataSource.Find(data.Name).Options["length"]);
        if (int.TryParse(length, out int ids) && ids > limits.Longest)
            throw new InvalidDataException($"texts of {ids} ids are longer than the {limits.Longest} positions of the model in {folder}; write options: {{length: {limits.Longest}}} for {data.Name}, or less");
        return data with { Options = data.Options.SetItem(TextSource.Tokenizer, from) };
    }

    /// <summary>The folder of Hugging Face that a path is, or lies in; null where there is none.</summary>
    internal static string? FolderOf(string path)
    {
        string? folder = Directory.Exists(path) ? path : File.Exists(path) && !ModelDescription.IsOnnxFile(path) ? Path.GetDirectoryName(Path.GetFullPath(path)) : null;
        return folder is not null && HuggingFace.IsModel(folder) ? folder : null;
    }

    private static void Check(Tokenizer tokenizer, string from, string folder, TextLimits limits)
    {
        string config = Path.Combine(folder, "config.json");
        if (tokenizer.Count > limits.Vocabulary)
            throw new InvalidDataException($"the tokenizer in {from} has ids up to {tokenizer.Count - 1}, {config} says vocab_size {limits.Vocabulary}: they do not belong together");
        if (tokenizer.Template.Padding != limits.Padding)
            throw new InvalidDataException($"the tokenizer in {from} pads with the id {tokenizer.Template.Padding}, {config} says pad_token_id {limits.Padding}: they do not belong together");
    }
}
