using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>A model of a Hugging Face folder: the network with its weights.</summary>
/// <param name="Architecture">What the configuration says.</param>
/// <param name="Graph">The network; its parameters have the names of the checkpoint's tensors.</param>
/// <param name="Notes">What a user should know, one sentence each: tensors of heads that were left out.</param>
public sealed record HuggingFaceModel(Architecture Architecture, Graph Graph, ImmutableArray<string> Notes);

/// <summary>What a text model takes.</summary>
/// <param name="Vocabulary">Ids are below this.</param>
/// <param name="Padding">The id that fills texts up.</param>
/// <param name="Longest">Ids of a text at most.</param>
public sealed record TextLimits(int Vocabulary, int Padding, int Longest);

/// <summary>
/// Builds networks from folders as Hugging Face's <c>save_pretrained</c> writes them: <c>config.json</c> beside safetensors or PyTorch files, whole or in shards. Known are
/// BERT, DistilBERT, RoBERTa and ViT, alone or with a classifier of sequences or images; of other heads the encoder is built.
/// </summary>
public static class HuggingFace
{
    private static readonly ImmutableArray<string> Types = ["bert", "distilbert", "roberta", "vit"];

    /// <summary>Heads that are left out, and buffers that hold numbers from 0 on.</summary>
    private static readonly ImmutableArray<string> OtherHeads = ["cls.", "lm_head.", "qa_outputs.", "classifier.", "vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "decoder."];

    /// <summary>Whether a folder has a <c>config.json</c> of a model that can be built.</summary>
    public static bool IsModel(string folder) => File.Exists(Path.Combine(folder, "config.json")) && Types.Contains(HuggingFaceConfig.Read(folder).Text("model_type") ?? "");

    /// <summary>Builds the network of a folder and reads its weights.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="length">Length of a text in ids; null for 128, or as many as the model has positions.</param>
    /// <param name="weights">Another checkpoint of the model; null for the folder's.</param>
    /// <exception cref="InvalidDataException">The configuration asks for what cannot be built, or the tensors do not fit it; everything that is wrong is named.</exception>
    /// <exception cref="FileNotFoundException">There is no checkpoint in the folder.</exception>
    public static HuggingFaceModel Load(string folder, int batch = 1, int? length = null, string? weights = null)
    {
        HuggingFaceConfig config = HuggingFaceConfig.Read(folder);
        using Checkpoint checkpoint = Checkpoint.Open(weights ?? folder);
        Architecture architecture = Describe(config, checkpoint, length);
        CheckSize(config, architecture, checkpoint);
        Graph graph = architecture.Build(batch, null);

        SortedSet<string> heads = [];
        GraphWeights.Load(graph, checkpoint, ignore: name => IsIgnored(name, heads));
        ImmutableArray<string> notes = heads.Count == 0 ? [] : [$"the encoder was built; {heads.Count} tensors of a head were left out: {string.Join(", ", heads.Take(6))}{(heads.Count > 6 ? " ..." : "")}"];
        return new(architecture, graph, notes);
    }

    /// <summary>
    /// The network of a folder with a classifier, to be trained. What the folder has of it is read; what it lacks, or has for another number of classes, is drawn anew, and a note says so.
    /// Parameters have the names that the model's class for classification gives them.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Draws what is new.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="length">Length of a text in ids; null for 128, or as many as the model has positions.</param>
    /// <exception cref="InvalidDataException">As for <see cref="Load"/>.</exception>
    /// <exception cref="FileNotFoundException">There is no checkpoint in the folder.</exception>
    public static HuggingFaceModel Classifier(string folder, int classes, long seed, int batch = 1, int? length = null)
    {
        HuggingFaceModel given = Load(folder, batch, length);
        string prefix = $"{HuggingFaceConfig.Read(folder).Text("model_type")}.", own = given.Architecture is TextEncoder text ? text.Prefix! : ((VisionTransformer)given.Architecture).Prefix;
        Architecture wanted = given.Architecture switch
        {
            TextEncoder t => t with { Classes = classes, Prefix = prefix },
            VisionTransformer v => v with { Classes = classes, Prefix = prefix },
            _ => given.Architecture,
        };
        if (wanted == given.Architecture) return given;
        Graph graph = wanted.Build(batch, seed);
        List<string> drawn = [];
        foreach (var (name, node) in graph.Parameters)
        {
            string there = name.StartsWith(prefix, StringComparison.Ordinal) ? own + name[prefix.Length..] : name;
            if (given.Graph.Parameters.TryGetValue(there, out Node? from) && from.Shape == node.Shape) from.Value!.Span.CopyTo(node.Value!.Span);
            else drawn.Add(name);
        }

        ImmutableArray<string> notes = drawn.Count == 0 ? given.Notes : [.. given.Notes, $"{folder} has no classifier of {classes} classes; drawn anew: {string.Join(", ", drawn)}"];
        return new(wanted, graph, notes);
    }

    /// <summary>What a text model of a folder takes; null where the folder has no text model.</summary>
    /// <exception cref="InvalidDataException">The configuration is damaged.</exception>
    public static TextLimits? LimitsOf(string folder)
    {
        if (!IsModel(folder)) return null;
        HuggingFaceConfig config = HuggingFaceConfig.Read(folder);
        if (config.Text("model_type") == "vit") return null;
        int vocabulary = config.Whole("vocab_size"), positions = config.Whole("max_position_embeddings", 512);
        bool roberta = config.Text("model_type") == "roberta";
        int padding = config.Id("pad_token_id", roberta ? 1 : 0);
        config.Check();
        return new(vocabulary, padding, roberta ? positions - padding - 1 : positions);
    }

    /// <summary>The architecture that a configuration describes, with the parts that the checkpoint has.</summary>
    private static Architecture Describe(HuggingFaceConfig config, Checkpoint checkpoint, int? length)
    {
        string? type = config.Text("model_type");
        if (type is null || !Types.Contains(type))
            throw new InvalidDataException($"{config.Path}: 'model_type' {(type is null ? "is missing" : $"'{type}' is not supported")}; supported: {string.Join(", ", Types)}");
        config.RefuseUnlessEmpty("quantization_config", "pruned_heads", "is_decoder", "add_cross_attention");
        Architecture architecture = type == "vit" ? Vision(config, checkpoint) : Text(config, checkpoint, type, length);
        config.Check();
        return architecture;
    }

    private static TextEncoder Text(HuggingFaceConfig config, Checkpoint checkpoint, string type, int? length)
    {
        bool distil = type == "distilbert", roberta = type == "roberta";
        config.Word("position_embedding_type", "absolute", "absolute");
        int padding = config.Id("pad_token_id", roberta ? 1 : 0), positions = config.Whole("max_position_embeddings", 512);
        int longest = Math.Max(1, roberta ? positions - padding - 1 : positions), hidden = config.Whole(distil ? "dim" : "hidden_size"), heads = config.Whole(distil ? "n_heads" : "num_attention_heads");
        if (length > longest) config.Refuse($"the model has {longest} positions, texts of {length} ids were asked for");
        if (hidden % heads != 0) config.Refuse($"{heads} heads do not divide {hidden} units");

        TextFamily family = distil ? TextFamily.DistilBert : roberta ? TextFamily.Roberta : TextFamily.Bert;
        float dropout = config.Number(distil ? "dropout" : "hidden_dropout_prob", 0.1f);
        string prefix = Prefix(checkpoint, type);
        return new(family, config.Whole("vocab_size"), hidden, config.Whole(distil ? "n_layers" : "num_hidden_layers"), heads, config.Whole(distil ? "hidden_dim" : "intermediate_size"))
        {
            Length = length ?? Math.Min(128, longest),
            Positions = positions,
            Padding = padding,
            Prefix = prefix,
            Segments = config.Whole("type_vocab_size", roberta ? 1 : 2),
            Activation = config.Word(distil ? "activation" : "hidden_act", "gelu", Activations.Names),
            Epsilon = distil ? 1e-12f : config.Number("layer_norm_eps", 1e-12f),
            Dropout = dropout,
            AttentionDropout = config.Number(distil ? "attention_dropout" : "attention_probs_dropout_prob", 0.1f),
            ClassifierDropout = distil ? config.Number("seq_classif_dropout", 0.2f) : config.Number("classifier_dropout", dropout),
            Deviation = config.Number("initializer_range", 0.02f, 1000),
            Classes = HasClassifier(config, checkpoint, "ForSequenceClassification", roberta ? "classifier.out_proj.weight" : "classifier.weight") ? config.Labels : 0,
            Pooler = checkpoint.TryFind($"{prefix}pooler.dense.weight", out _),
            OldNormNames = checkpoint.TryFind($"{prefix}embeddings.LayerNorm.gamma", out _),
        };
    }

    private static VisionTransformer Vision(HuggingFaceConfig config, Checkpoint checkpoint)
    {
        int hidden = config.Whole("hidden_size"), heads = config.Whole("num_attention_heads"), patch = config.Whole("patch_size", 16), size = config.Whole("image_size", 224);
        if (hidden % heads != 0) config.Refuse($"{heads} heads do not divide {hidden} units");
        if (size % patch != 0) config.Refuse($"patches of {patch} do not fill an image of {size}");
        config.Word("pooler_act", "tanh", "tanh");
        string prefix = Prefix(checkpoint, "vit");
        return new(patch, hidden, config.Whole("num_hidden_layers"), heads, config.Whole("intermediate_size"))
        {
            Image = [config.Whole("num_channels", 3), size, size],
            Prefix = prefix,
            Activation = config.Word("hidden_act", "gelu", Activations.Names),
            Epsilon = config.Number("layer_norm_eps", 1e-12f),
            AttentionBias = config.Flag("qkv_bias", true),
            Dropout = config.Number("hidden_dropout_prob", 0),
            AttentionDropout = config.Number("attention_probs_dropout_prob", 0),
            Deviation = config.Number("initializer_range", 0.02f, 1000),
            Classes = HasClassifier(config, checkpoint, "ForImageClassification", "classifier.weight") ? config.Labels : 0,
            Pooler = checkpoint.TryFind($"{prefix}pooler.dense.weight", out _),
        };
    }

    /// <summary>A configuration may claim any size; memory is taken only for one that the checkpoint comes near to.</summary>
    private static void CheckSize(HuggingFaceConfig config, Architecture architecture, Checkpoint checkpoint)
    {
        const double Allowance = 1 << 22;
        double claimed = architecture switch
        {
            TextEncoder t => ((double)t.Vocabulary + t.Positions + t.Segments + t.Classes) * t.Hidden + t.Depth * ((4.0 * t.Hidden * t.Hidden) + (2.0 * t.Hidden * t.Inner)),
            VisionTransformer v => v.Depth * ((4.0 * v.Hidden * v.Hidden) + (2.0 * v.Hidden * v.Inner))
                + (v.Hidden * ((double)v.Image[0] * v.Patch * v.Patch + (double)v.Image[1] / v.Patch * v.Image[2] / v.Patch + v.Classes)),
            _ => 0,
        };
        double stored = checkpoint.Tensors.Sum(t => (double)t.Shape.Count);
        if (claimed > Allowance + (4 * stored))
            throw new InvalidDataException($"{config.Path} describes a model of {claimed:G3} parameters, the checkpoint beside it has {stored:G3}: they do not belong together");
    }

    /// <summary>Beside a head the encoder's tensors have its name in front.</summary>
    private static string Prefix(Checkpoint checkpoint, string type) => checkpoint.Tensors.Any(t => t.Name.StartsWith($"{type}.", StringComparison.Ordinal)) ? $"{type}." : "";

    /// <summary>By the class that wrote the model, or by its tensors where the configuration does not say.</summary>
    private static bool HasClassifier(HuggingFaceConfig config, Checkpoint checkpoint, string ending, string tensor) =>
        config.FirstOf("architectures") is { } name ? name.EndsWith(ending, StringComparison.Ordinal) : checkpoint.TryFind(tensor, out _);

    private static bool IsIgnored(string name, SortedSet<string> heads)
    {
        if (name.EndsWith("embeddings.position_ids", StringComparison.Ordinal) || name.EndsWith("embeddings.token_type_ids", StringComparison.Ordinal)) return true;
        bool isHead = OtherHeads.Any(h => name.StartsWith(h, StringComparison.Ordinal)) || name.Contains("pooler.dense.", StringComparison.Ordinal);
        if (isHead) heads.Add(name);
        return isHead;
    }
}
