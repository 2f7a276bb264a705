using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>A small network for small images: 3x3 convolutions <c>conv1</c>, <c>conv2</c> ... of stride 2 with ReLU, the mean of every channel, one linear layer <c>fc</c>.</summary>
/// <param name="Channels">Channels of the convolutions.</param>
/// <param name="Classes">Units of the result.</param>
public sealed record Cnn(ImmutableArray<int> Channels, int Classes) : Architecture
{
    /// <summary>Channels, height and width of an image.</summary>
    public ImmutableArray<int> Image { get; init; } = [1, 28, 28];

    /// <summary>What names of parameters begin with.</summary>
    public string Prefix { get; init; } = "";

    internal static ZooModel Entry => new(
        "cnn",
        "Small network of convolutions for small images",
        "Convolutions of stride 2 instead of pooling: Springenberg et al., Striving for Simplicity: The All Convolutional Net, 2015; sizes and parameter names are Amalgam's own",
        "Convolutions Kaiming normal by fan out, the linear layer's weights PyTorch's default, biases 0",
        [
            new("image", OptionKind.Sizes, "1,28,28", "Channels, height and width of an image"),
            new("channels", OptionKind.Sizes, "16,32,64,128", "Channels of the convolutions"),
            ImageOptions.Classes,
        ],
        o => new Cnn(o.Sizes("channels"), o.Whole("classes")) { Image = o.Sizes("image") });

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch) => net.Graph.Output("logits", net.Linear(Layers.ChannelMeans(Encode(net, batch)), "fc", Positive(Classes, "cnn: classes")));

    /// <summary>Adds the input and the convolutions.</summary>
    /// <returns>[N,C,H,W].</returns>
    internal Node Encode(Layers net, int batch)
    {
        if (Channels.IsEmpty) throw new GraphException("cnn: channels must have one size or more");
        (net.ConvStart, net.BiasStart) = (Initialisation.KaimingFanOut, Initialisation.Zeros);
        Node x = ImageOptions.Input(net, batch, Image);
        for (int i = 0; i < Channels.Length; i++) x = net.Conv(x, $"{Prefix}conv{i + 1}", Positive(Channels[i], "cnn: channels"), 3, stride: 2, padding: 1).Relu();
        return x;
    }
}
