using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Data.Tokenizers;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Tiny random text models as save_pretrained writes them, and texts for them.</summary>
internal static class TinyTextModel
{
    /// <summary>Merges that make one piece of each word, letter by letter.</summary>
    public static readonly string[] Merges = [.. ((string[])["the", "Ġfilm", "Ġplot", "Ġis", "Ġgood", "Ġgreat", "Ġbad", "Ġawful", "Ġvery"]).SelectMany(word => Enumerable.Range(1, word.Length - 1).Select(n => $"{word[..n]} {word[n]}")).Distinct()];

    private static readonly string[] Good = ["good", "great", "very good", "good good"], Bad = ["bad", "awful", "very bad", "bad bad"];

    /// <summary>Writes a BERT, a DistilBERT or a RoBERTa.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="family">Which.</param>
    /// <param name="classes">Units of the classifier; 0 for an encoder alone, without a head's prefix.</param>
    /// <param name="seed">Draws the weights.</param>
    /// <param name="layers">Blocks of attention and two linear layers.</param>
    public static string Write(string folder, TextFamily family, int classes, long seed = 1, int layers = 1)
    {
        Directory.CreateDirectory(folder);
        bool roberta = family == TextFamily.Roberta;
        if (roberta) TinyTokenizers.WriteRoberta(folder, Merges);
        else TinyTokenizers.WriteBert(folder);
        int vocabulary = roberta ? TinyTokenizers.RobertaPieces(Merges).Length : TinyTokenizers.BertPieces.Length;
        string type = family.ToString().ToLowerInvariant();
        TextEncoder model = new(family, vocabulary, 16, layers, 2, 32)
        {
            Length = 8,
            Positions = 24,
            Segments = roberta ? 1 : 2,
            Classes = classes,
            Deviation = 0.2,
            Padding = roberta ? 1 : 0,
            Prefix = classes > 0 ? $"{type}." : "",
        };
        Graph graph = model.Build(1, seed);
        GraphWeights.Save(graph, Path.Combine(folder, "model.safetensors"), overwrite: true);
        string name = family switch { TextFamily.Bert => "Bert", TextFamily.DistilBert => "DistilBert", _ => "Roberta" } + (classes > 0 ? "ForSequenceClassification" : "Model");
        string sizes = family == TextFamily.DistilBert ? $"\"dim\": 16, \"n_layers\": {layers}, \"n_heads\": 2, \"hidden_dim\": 32, \"dropout\": 0, \"attention_dropout\": 0, \"seq_classif_dropout\": 0"
            : $"\"hidden_size\": 16, \"num_hidden_layers\": {layers}, \"num_attention_heads\": 2, \"intermediate_size\": 32, \"hidden_dropout_prob\": 0, \"attention_probs_dropout_prob\": 0";
        string labels = classes > 0 ? $", \"id2label\": {{{string.Join(", ", Enumerable.Range(0, classes).Select(i => $"\"{i}\": \"L{i}\""))}}}" : "";
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type": "{{type}}", "architectures": ["{{name}}"], "vocab_size": {{vocabulary}}, {{sizes}}, "max_position_embeddings": 24,
             "type_vocab_size": {{(roberta ? 1 : 2)}}, "pad_token_id": {{(roberta ? 1 : 0)}}{{labels}}, "torch_dtype": "float16", "initializer_range": 0.2, "some_note": "kept"}
            """);
        return folder;
    }

    /// <summary>Writes a tab-separated file of sentences that a tiny model can learn to tell apart.</summary>
    public static string WriteTexts(string path, int count)
    {
        IEnumerable<string> lines = Enumerable.Range(0, count).Select(i => $"the {(i % 3 == 0 ? "plot" : "film")} is {(i % 2 == 0 ? Bad : Good)[i / 2 % 4]} !\t{(i % 2 == 0 ? "down" : "up")}");
        File.WriteAllText(path, string.Join('\n', lines.Prepend("sentence\tlabel")) + "\n");
        return path;
    }
}
