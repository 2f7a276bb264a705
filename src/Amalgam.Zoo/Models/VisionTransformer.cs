using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>
/// A vision transformer as Hugging Face builds and names it: input <c>image</c> [N,C,H,W]; patches become positions behind a learned class token. The result is
/// <c>logits</c> [N,classes]; without classes <c>last_hidden_state</c> [N,1+patches,D] and, with a pooler, <c>pooler_output</c> [N,D].
/// </summary>
/// <param name="Patch">Height and width of a patch.</param>
/// <param name="Hidden">Units of a position.</param>
/// <param name="Depth">Number of blocks.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="Inner">Units between the two linear layers of a block.</param>
public sealed record VisionTransformer(int Patch, int Hidden, int Depth, int Heads, int Inner) : Architecture
{
    /// <summary>Channels, height and width of an image.</summary>
    public ImmutableArray<int> Image { get; init; } = [3, 32, 32];

    /// <summary>Units of the result; 0 for the encoder alone.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Whether the encoder alone ends with a linear layer and tanh of the class token.</summary>
    public bool Pooler { get; init; }

    /// <summary>Whether queries, keys and values have biases.</summary>
    public bool AttentionBias { get; init; } = true;

    /// <summary>Activation inside the blocks.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>The layer normalisations' epsilon.</summary>
    public float Epsilon { get; init; } = 1e-12f;

    /// <summary>Share of each part's result that training drops.</summary>
    public float Dropout { get; init; }

    /// <summary>Share of the attention that training drops.</summary>
    public float AttentionDropout { get; init; }

    /// <summary>Deviation of the truncated normal distribution that weights are drawn from.</summary>
    public double Deviation { get; init; } = 0.02;

    /// <summary>What names of the encoder's parameters begin with.</summary>
    public string Prefix { get; init; } = "vit.";

    internal static ZooModel Entry => new(
        "vit_tiny",
        "ViT-Ti with patches of 4x4 for images of 32x32, a class token and learned positions",
        "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021; the tiny size (192 units, 12 blocks, 3 heads) of Touvron et al., DeiT, ICML 2021; parameter names of Hugging Face transformers",
        "Weights, class token and positions truncated normal with deviation 0.02, biases 0, normalisation 1 and 0",
        [
            ImageOptions.Image, ImageOptions.Classes,
            new("patch", OptionKind.Whole, "4", "Height and width of a patch"),
            new("hidden", OptionKind.Whole, "192", "Units of a position"),
            new("depth", OptionKind.Whole, "12", "Number of blocks"),
            new("heads", OptionKind.Whole, "3", "Attention heads"),
            new("inner", OptionKind.Whole, "768", "Units between the two linear layers of a block"),
            new("dropout", OptionKind.Number, "0", "Share of each part's result that training drops") { FromZero = true, Limit = 1 },
        ],
        o => new VisionTransformer(o.Whole("patch"), o.Whole("hidden"), o.Whole("depth"), o.Whole("heads"), o.Whole("inner"))
        {
            Image = o.Sizes("image"),
            Classes = o.Whole("classes"),
            Dropout = (float)o.Number("dropout"),
            Epsilon = 1e-6f,
        });

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        Node x = Encode(net, batch);
        if (Classes > 0) net.Graph.Output("logits", net.Linear(ClassToken(x), "classifier", Classes));
        else net.Graph.Output("last_hidden_state", x);
        if (Classes == 0 && Pooler) net.Graph.Output("pooler_output", net.Linear(ClassToken(x), $"{Prefix}pooler.dense", Hidden).Activate("tanh"));
    }

    /// <summary>Adds the input and the encoder.</summary>
    /// <returns>[N,1+patches,D].</returns>
    internal Node Encode(Layers net, int batch)
    {
        net.ConvStart = net.LinearStart = Initialisation.TruncatedNormal(Deviation);
        net.BiasStart = Initialisation.Zeros;
        Node image = ImageOptions.Input(net, batch, Image);
        if (Image[1] % Patch != 0 || Image[2] % Patch != 0) throw new GraphException($"vit: patches of {Patch} do not fill an image of {Image[1]}x{Image[2]}");

        Node x = Embed(net, image);
        TransformerBlock block = new(BlockNames.Vit, Heads, Inner)
        {
            Activation = Activation,
            Epsilon = Epsilon,
            NormFirst = true,
            AttentionBias = AttentionBias,
            Dropout = Dropout,
            AttentionDropout = AttentionDropout,
        };
        for (int i = 0; i < Depth; i++) x = block.Apply(net, x, $"{Prefix}encoder.layer.{i}", null);
        return net.LayerNorm(x, $"{Prefix}layernorm", Epsilon);
    }

    private Node Embed(Layers net, Node image)
    {
        Graph g = net.Graph;
        string name = $"{Prefix}embeddings";
        Initialisation start = Initialisation.TruncatedNormal(Deviation);
        int patches = Image[1] / Patch * (Image[2] / Patch);
        Node token = net.Parameter($"{name}.cls_token", new(1, 1, Hidden), start), positions = net.Parameter($"{name}.position_embeddings", new(1, patches + 1, Hidden), start);
        Node x = net.Conv(image, $"{name}.patch_embeddings.projection", Hidden, Patch, Patch).Reshape(0, 0, -1).Transpose(0, 2, 1);
        Node tokens = g.Add(new Expand(), token, Layout.Concat(0, g.Add(new ShapeOf(0, 1), image), g.Constant([1, Hidden])));
        return Layers.Drop(Layout.Concat(1, tokens, x) + positions, Dropout);
    }

    /// <summary>What the encoder says of the class token, [N,D].</summary>
    internal static Node ClassToken(Node x) => x.Slice(1, 0, 1).Squeeze(1);
}
