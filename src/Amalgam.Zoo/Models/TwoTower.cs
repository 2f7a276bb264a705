using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>
/// An encoder for images and one for text side by side, each with a linear layer into one space: inputs <c>image</c> [N,C,H,W], <c>input_ids</c> and <c>attention_mask</c> [N,T].
/// The results <c>image_embedding</c> and <c>text_embedding</c> [N,d] have length 1; the first result, <c>embedding</c> [N,2d], has both side by side, each times exp(logit_scale / 2), so
/// that their products are cosines over a temperature, which is learned. Parameters of the towers begin with <c>image.</c> and <c>text.</c>
/// </summary>
/// <param name="Image">The tower for images: a <see cref="VisionTransformer"/>, or a <see cref="Cnn"/>, whose last channels stand side by side.</param>
/// <param name="Text">The tower for text.</param>
/// <param name="Units">Units of an embedding, d.</param>
public sealed record TwoTower(Architecture Image, TextEncoder Text, int Units) : Architecture
{
    /// <summary>Whether the mean of an encoder's positions, padding apart, is what it says, and not its first position.</summary>
    public bool UsesMean { get; init; } = true;

    /// <summary>The temperature that training begins with.</summary>
    public double Temperature { get; init; } = 0.07;

    /// <summary>Whether the temperature is trained.</summary>
    public bool LearnsTemperature { get; init; } = true;

    internal static ZooModel Entry => new(
        "two_tower",
        "An encoder for images and one for text that meet in one space",
        "Radford et al., Learning transferable visual models from natural language supervision (CLIP), ICML 2021; encoders of vit_tiny, cnn and bert (of the family distilbert) with their parameters' names behind image. and text.; projections and logit_scale as in Hugging Face transformers",
        "As the encoders; projections normal with deviation 0.02, temperature as asked for",
        [
            ImageOptions.Image,
            new("image_encoder", OptionKind.Word, "vit", "Encoder of images") { Words = ["vit", "cnn"] },
            new("patch", OptionKind.Whole, "8", "Height and width of a patch, of vit"),
            new("image_hidden", OptionKind.Whole, "64", "Units of a position, of vit"),
            new("image_depth", OptionKind.Whole, "3", "Number of blocks, of vit"),
            new("channels", OptionKind.Sizes, "16,32,64,128", "Channels of the convolutions, of cnn"),
            new("vocabulary", OptionKind.Whole, $"{Data.Captions.Vocabulary}", "Number of ids"),
            new("length", OptionKind.Whole, $"{Data.Captions.LengthOf(Data.Captions.UsualThings)}", "Length of a text in ids"),
            new("text_hidden", OptionKind.Whole, "64", "Units of a position of a text"),
            new("text_depth", OptionKind.Whole, "3", "Number of blocks for text"),
            new("heads", OptionKind.Whole, "4", "Attention heads, of both"),
            new("expansion", OptionKind.Whole, "4", "Units between the two linear layers of a block, in units of a position"),
            new("pool", OptionKind.Word, "mean", "What of an encoder's positions counts, padding apart") { Words = ["mean", "first"] },
            new("embedding", OptionKind.Whole, "64", "Units of an embedding"),
            new("temperature", OptionKind.Number, "0.07", "What cosines are divided by, at the start of training"),
            new("learned_temperature", OptionKind.Flag, "true", "Whether the temperature is trained"),
            new("dropout", OptionKind.Number, "0", "Share of each part's result that training drops") { FromZero = true, Limit = 1 },
        ],
        o => new TwoTower(ImageTower(o), TextTower(o), o.Whole("embedding"))
        {
            UsesMean = o.Word("pool") == "mean",
            Temperature = o.Number("temperature"),
            LearnsTemperature = o.Flag("learned_temperature"),
        });

    private static Architecture ImageTower(ModelOptions o)
    {
        if (o.Word("image_encoder") == "cnn") return new Cnn(o.Sizes("channels"), 1) { Image = o.Sizes("image"), Prefix = "image." };
        int hidden = o.Whole("image_hidden");
        float dropout = (float)o.Number("dropout");
        return new VisionTransformer(o.Whole("patch"), hidden, o.Whole("image_depth"), o.Whole("heads"), checked(hidden * o.Whole("expansion"))) { Image = o.Sizes("image"), Prefix = "image.", Epsilon = 1e-6f, Dropout = dropout };
    }

    private static TextEncoder TextTower(ModelOptions o)
    {
        int hidden = o.Whole("text_hidden");
        float dropout = (float)o.Number("dropout");
        return new(TextFamily.DistilBert, o.Whole("vocabulary"), hidden, o.Whole("text_depth"), o.Whole("heads"), checked(hidden * o.Whole("expansion")))
        {
            Prefix = "text.",
            Length = o.Whole("length"),
            Positions = o.Whole("length"),
            Dropout = dropout,
            AttentionDropout = dropout,
        };
    }

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        Node seen = Image switch
        {
            VisionTransformer vit => vit.Encode(net, batch) is var positions && UsesMean ? positions.Mean(false, 1) : VisionTransformer.ClassToken(positions),
            Cnn cnn => cnn.Encode(net, batch).Flatten(),
            _ => throw new GraphException("two_tower: images are encoded by a vit or a cnn"),
        };
        Node words = Text.Encode(net, batch), read = UsesMean ? MeanOf(words, net.Graph.Inputs["attention_mask"]) : TextEncoder.First(words);
        Initialisation start = Initialisation.Normal(0.02);
        Node image = net.Linear(seen, "visual_projection", Units, bias: false, start).Normalize(), text = net.Linear(read, "text_projection", Units, bias: false, start).Normalize();
        Node scale = net.Parameter("logit_scale", new(1), Initialisation.Same(Math.Log(1 / Temperature)), LearnsTemperature);
        net.Graph.Output("embedding", Layout.Concat(1, image, text) * (scale * 0.5f).Exp());
        net.Graph.Output("image_embedding", image);
        net.Graph.Output("text_embedding", text);
    }

    /// <summary>The mean of the positions that are no padding, [N,D].</summary>
    private static Node MeanOf(Node positions, Node valid)
    {
        Node counts = valid.Cast(DType.F32).Unsqueeze(2);
        return (positions * counts).Sum(false, 1) / counts.Sum(false, 1);
    }
}
