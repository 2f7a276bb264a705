using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>What the parts of a transformer block are called, after the block's own name.</summary>
internal sealed record BlockNames(string Query, string Key, string Value, string AttentionOutput, string AttentionNorm, string Inner, string Output, string OutputNorm)
{
    /// <summary>Hugging Face's BERT and RoBERTa.</summary>
    public static readonly BlockNames Bert = new(
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
        "intermediate.dense", "output.dense", "output.LayerNorm");

    /// <summary>Hugging Face's DistilBERT.</summary>
    public static readonly BlockNames DistilBert = new(
        "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm");

    /// <summary>Hugging Face's ViT.</summary>
    public static readonly BlockNames Vit = new(
        "attention.attention.query", "attention.attention.key", "attention.attention.value", "attention.output.dense", "layernorm_before",
        "intermediate.dense", "output.dense", "layernorm_after");

    /// <summary>salesforce/ICLRec.</summary>
    public static readonly BlockNames IclRec = new(
        "attention.query", "attention.key", "attention.value", "attention.dense", "attention.LayerNorm", "intermediate.dense_1", "intermediate.dense_2", "intermediate.LayerNorm");

    /// <summary>Names of our own.</summary>
    public static readonly BlockNames Plain = new(
        "attention.query", "attention.key", "attention.value", "attention.output", "attention.norm", "feed_forward.inner", "feed_forward.output", "feed_forward.norm");
}

/// <summary>A block of an encoder: attention of the positions to each other, then two linear layers at each position, each part with a residual and a layer normalisation.</summary>
/// <param name="Names">What its parts are called.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="Inner">Units between the two linear layers.</param>
internal sealed record TransformerBlock(BlockNames Names, int Heads, int Inner)
{
    /// <summary>What stands between the two linear layers.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>The layer normalisations' epsilon.</summary>
    public float Epsilon { get; init; } = 1e-12f;

    /// <summary>Whether each part's input is normalised, as in ViT, and not the sum after it, as in BERT.</summary>
    public bool NormFirst { get; init; }

    /// <summary>Whether queries, keys and values have biases.</summary>
    public bool AttentionBias { get; init; } = true;

    /// <summary>Share of each part's result that training drops.</summary>
    public float Dropout { get; init; }

    /// <summary>Share of the attention that training drops.</summary>
    public float AttentionDropout { get; init; }

    /// <summary>Adds the block.</summary>
    /// <param name="net">The network.</param>
    /// <param name="x">[N,T,D].</param>
    /// <param name="name">The block's name, without a dot at its end.</param>
    /// <param name="mask">Added to the scores of the attention; null for none.</param>
    /// <param name="lastOnly">Whether only the last position's result is wanted, so that the others' is not computed; the mask is then for one position.</param>
    /// <returns>[N,T,D], or [N,1,D].</returns>
    public Node Apply(Layers net, Node x, string name, Node? mask, bool lastOnly = false)
    {
        Node a = NormFirst ? Norm(net, x, $"{name}.{Names.AttentionNorm}") : x, asking = a;
        if (lastOnly) (x, asking) = (x.Slice(1, -1), a.Slice(1, -1));
        Node attended = Layers.Attend(
            net.Linear(asking, $"{name}.{Names.Query}", Units(x), AttentionBias),
            net.Linear(a, $"{name}.{Names.Key}", Units(x), AttentionBias),
            net.Linear(a, $"{name}.{Names.Value}", Units(x), AttentionBias),
            Heads, mask, AttentionDropout);
        x += Layers.Drop(net.Linear(attended, $"{name}.{Names.AttentionOutput}", Units(x)), Dropout);
        if (!NormFirst) x = Norm(net, x, $"{name}.{Names.AttentionNorm}");

        Node f = NormFirst ? Norm(net, x, $"{name}.{Names.OutputNorm}") : x;
        f = net.Linear(f, $"{name}.{Names.Inner}", Inner).Activate(Activation);
        x += Layers.Drop(net.Linear(f, $"{name}.{Names.Output}", Units(x)), Dropout);
        return NormFirst ? x : Norm(net, x, $"{name}.{Names.OutputNorm}");
    }

    private Node Norm(Layers net, Node x, string name) => net.LayerNorm(x, name, Epsilon);

    private static int Units(Node x) => x.Shape.Size(^1);
}
