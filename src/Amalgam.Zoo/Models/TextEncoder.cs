using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>Which of the encoders for text an encoder is; they differ in names, positions and heads.</summary>
public enum TextFamily
{
    /// <summary>Devlin et al., BERT, NAACL 2019.</summary>
    Bert,

    /// <summary>Sanh et al., DistilBERT, 2019: no segments, no pooler.</summary>
    DistilBert,

    /// <summary>Liu et al., RoBERTa, 2019: positions count from the padding's id on, padding apart.</summary>
    Roberta,
}

/// <summary>
/// An encoder for text as Hugging Face builds and names it: inputs <c>input_ids</c>, <c>attention_mask</c> (1 for a word, 0 for padding) and, where there are
/// two segments or more, <c>token_type_ids</c>, each [N,T]. The result is <c>logits</c> [N,classes]; without classes <c>last_hidden_state</c> [N,T,D] and, with a pooler, <c>pooler_output</c> [N,D].
/// </summary>
/// <param name="Family">Which encoder.</param>
/// <param name="Vocabulary">Number of ids.</param>
/// <param name="Hidden">Units of a position.</param>
/// <param name="Depth">Number of blocks.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="Inner">Units between the two linear layers of a block.</param>
public sealed record TextEncoder(TextFamily Family, int Vocabulary, int Hidden, int Depth, int Heads, int Inner) : Architecture
{
    /// <summary>Length of a text in ids, T.</summary>
    public int Length { get; init; } = 64;

    /// <summary>Number of positions that have embeddings; RoBERTa's first ones, up to the padding's id, are never used.</summary>
    public int Positions { get; init; } = 512;

    /// <summary>Number of segments.</summary>
    public int Segments { get; init; } = 2;

    /// <summary>Units of the result; 0 for the encoder alone.</summary>
    public int Classes { get; init; } = 2;

    /// <summary>Whether the encoder alone ends with a linear layer and tanh of the first position.</summary>
    public bool Pooler { get; init; } = true;

    /// <summary>Activation inside the blocks.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>The layer normalisations' epsilon.</summary>
    public float Epsilon { get; init; } = 1e-12f;

    /// <summary>Id of the padding, from which RoBERTa's positions count.</summary>
    public int Padding { get; init; }

    /// <summary>Share of each part's result that training drops.</summary>
    public float Dropout { get; init; } = 0.1f;

    /// <summary>Share of the attention that training drops.</summary>
    public float AttentionDropout { get; init; } = 0.1f;

    /// <summary>Share of the classifier's input that training drops.</summary>
    public float ClassifierDropout { get; init; } = 0.1f;

    /// <summary>Deviation of the normal distribution that weights are drawn from.</summary>
    public double Deviation { get; init; } = 0.02;

    /// <summary>What names of the encoder's parameters begin with: <c>bert.</c> beside a head, nothing in a checkpoint of the encoder alone.</summary>
    public string? Prefix { get; init; }

    /// <summary>Layer normalisations have <c>gamma</c> and <c>beta</c>, as in checkpoints that came from TensorFlow.</summary>
    public bool OldNormNames { get; init; }

    internal static ZooModel Entry => new(
        "bert",
        "A BERT encoder with a classifier, small unless its options say otherwise",
        "Devlin, Chang, Lee and Toutanova, BERT, NAACL 2019; DistilBERT and RoBERTa by the option family; parameter names of Hugging Face transformers",
        "Weights normal with deviation 0.02, biases 0, normalisation 1 and 0 (Hugging Face's)",
        [
            new("family", OptionKind.Word, "bert", "Which encoder") { Words = ["bert", "distilbert", "roberta"] },
            new("vocabulary", OptionKind.Whole, "4096", "Number of ids"),
            new("hidden", OptionKind.Whole, "128", "Units of a position"),
            new("depth", OptionKind.Whole, "2", "Number of blocks"),
            new("heads", OptionKind.Whole, "2", "Attention heads"),
            new("inner", OptionKind.Whole, "512", "Units between the two linear layers of a block"),
            new("length", OptionKind.Whole, "64", "Length of a text in ids"),
            new("positions", OptionKind.Whole, "512", "Number of positions that have embeddings"),
            new("classes", OptionKind.Whole, "2", "Units of the result"),
            new("dropout", OptionKind.Number, "0.1", "Share of each part's result that training drops") { FromZero = true, Limit = 1 },
        ],
        o => Of(o.Word("family") switch { "bert" => TextFamily.Bert, "distilbert" => TextFamily.DistilBert, _ => TextFamily.Roberta }, o));

    private static TextEncoder Of(TextFamily family, ModelOptions o) => new(family, o.Whole("vocabulary"), o.Whole("hidden"), o.Whole("depth"), o.Whole("heads"), o.Whole("inner"))
    {
        Length = o.Whole("length"),
        Positions = o.Whole("positions"),
        Classes = o.Whole("classes"),
        Dropout = (float)o.Number("dropout"),
        AttentionDropout = (float)o.Number("dropout"),
        ClassifierDropout = (float)o.Number("dropout"),
        Segments = family == TextFamily.Roberta ? 1 : 2,
        Epsilon = family == TextFamily.Roberta ? 1e-5f : 1e-12f,
        Padding = family == TextFamily.Roberta ? 1 : 0,
    };

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        Node x = Encode(net, batch);
        if (Classes > 0) net.Graph.Output("logits", Classify(net, First(x), NamePrefix));
        else AddResults(net, x, NamePrefix);
    }

    /// <summary>Adds the inputs and the encoder.</summary>
    /// <returns>[N,T,D].</returns>
    internal Node Encode(Layers net, int batch)
    {
        int longest = Family == TextFamily.Roberta ? Positions - Padding - 1 : Positions;
        if (Length > longest) throw new GraphException($"texts of {Length} ids need as many positions, the model has {longest}");
        net.LinearStart = net.EmbeddingStart = Initialisation.Normal(Deviation);
        net.BiasStart = Initialisation.Zeros;
        if (OldNormNames) (net.ScaleName, net.ShiftName) = ("gamma", "beta");

        Node ids = net.Graph.Input("input_ids", new(batch, Length), DType.I64), valid = net.Graph.Input("attention_mask", new(batch, Length), DType.I64);
        Node x = Embed(net, ids, $"{NamePrefix}embeddings");
        Node mask = Layers.PaddingMask(valid.Cast(DType.F32));
        TransformerBlock block = new(Family == TextFamily.DistilBert ? BlockNames.DistilBert : BlockNames.Bert, Heads, Inner)
        {
            Activation = Activation,
            Epsilon = Epsilon,
            Dropout = Dropout,
            AttentionDropout = AttentionDropout,
        };
        string blocks = NamePrefix + (Family == TextFamily.DistilBert ? "transformer.layer" : "encoder.layer");
        for (int i = 0; i < Depth; i++) x = block.Apply(net, x, $"{blocks}.{i}", mask);
        return x;
    }

    private string NamePrefix => Prefix ?? Family switch { TextFamily.Bert => "bert.", TextFamily.DistilBert => "distilbert.", _ => "roberta." };

    private Node Embed(Layers net, Node ids, string name)
    {
        Node words = net.Table($"{name}.word_embeddings", Vocabulary, Hidden), positions = net.Table($"{name}.position_embeddings", Positions, Hidden);
        Node x = words.Gather(ids) + (Family == TextFamily.Roberta ? positions.Gather(RobertaPositions(ids)) : FirstRows(positions, ids));
        if (Family != TextFamily.DistilBert)
        {
            Node segments = net.Table($"{name}.token_type_embeddings", Segments, Hidden);
            x += Segments == 1 ? segments : segments.Gather(net.Graph.Input("token_type_ids", ids.Shape, DType.I64));
        }

        return Layers.Drop(net.LayerNorm(x, $"{name}.LayerNorm", Epsilon), Dropout);
    }

    /// <summary>As many rows of a table as a text is long; read from the ids, so that an instance for another length can be made.</summary>
    private static Node FirstRows(Node table, Node ids)
    {
        Graph g = ids.Graph;
        return g.Add(new Slice(), table, g.Constant([0]), g.Add(new ShapeOf(1, 2), ids), g.Constant([0]));
    }

    /// <summary>padding + 1, padding + 2 ... for the words from left to right, padding for padding.</summary>
    private Node RobertaPositions(Node ids)
    {
        Graph g = ids.Graph;
        Node isWord = g.Add(new Cast(DType.I64), g.Add(new Not(), g.Add(new Equal(), ids, g.Constant(Tensor.Scalar(Padding), DType.I64))));
        return (g.Add(new CumSum(1), isWord) * isWord) + g.Constant(Tensor.Scalar(Padding), DType.I64);
    }

    private Node Classify(Layers net, Node first, string prefix)
    {
        if (Family == TextFamily.Bert) first = net.Linear(first, $"{prefix}pooler.dense", Hidden).Activate("tanh");
        else if (Family == TextFamily.DistilBert) first = net.Linear(first, "pre_classifier", Hidden).Activate("relu");
        else first = net.Linear(Layers.Drop(first, ClassifierDropout), "classifier.dense", Hidden).Activate("tanh");
        return net.Linear(Layers.Drop(first, ClassifierDropout), Family == TextFamily.Roberta ? "classifier.out_proj" : "classifier", Classes);
    }

    private void AddResults(Layers net, Node x, string prefix)
    {
        net.Graph.Output("last_hidden_state", x);
        if (Pooler && Family != TextFamily.DistilBert) net.Graph.Output("pooler_output", net.Linear(First(x), $"{prefix}pooler.dense", Hidden).Activate("tanh"));
    }

    /// <summary>The first position, [N,D].</summary>
    internal static Node First(Node x) => x.Slice(1, 0, 1).Squeeze(1);
}
