using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>MobileNetV2: inverted residual blocks of a 1x1 convolution, a 3x3 one by channel, and a 1x1 one without activation.</summary>
/// <param name="Classes">Units of the result.</param>
public sealed record MobileNetV2(int Classes) : Architecture
{
    /// <summary>Table 2 of the paper: expansion, channels, number of blocks, stride of the first.</summary>
    private static readonly ImmutableArray<(int Expansion, int Channels, int Count, int Stride)> Stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    /// <summary>Channels, height and width of an image.</summary>
    public ImmutableArray<int> Image { get; init; } = [3, 32, 32];

    /// <summary>Factor on the numbers of channels, each then rounded to a multiple of 8 as the paper's code does.</summary>
    public double Width { get; init; } = 1;

    /// <summary>The first convolution and the second stage keep the image's size, for images of 32x32; false is the paper's form for 224x224.</summary>
    public bool SmallImages { get; init; } = true;

    /// <summary>Share of the features before the classifier that training drops.</summary>
    public float Dropout { get; init; } = 0.2f;

    internal static ZooModel Entry => new(
        "mobilenetv2",
        "MobileNetV2, in the form for CIFAR unless small_images is false",
        "Sandler et al., MobileNetV2, CVPR 2018; strides for CIFAR of kuangliu/pytorch-cifar; parameter names of torchvision",
        "Convolutions Kaiming normal by fan out, the linear layer normal with deviation 0.01, biases 0; normalisation 1 and 0 (torchvision's)",
        [
            ImageOptions.Image, ImageOptions.Classes, ImageOptions.Width,
            new("small_images", OptionKind.Flag, "true", "The first convolution and the second stage keep the image's size"),
            new("dropout", OptionKind.Number, "0.2", "Share of the features before the classifier that training drops") { FromZero = true, Limit = 1 },
        ],
        o => new MobileNetV2(o.Whole("classes")) { Image = o.Sizes("image"), Width = o.Number("width"), SmallImages = o.Flag("small_images"), Dropout = (float)o.Number("dropout") });

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        (net.ConvStart, net.LinearStart, net.BiasStart) = (Initialisation.KaimingFanOut, Initialisation.Normal(0.01), Initialisation.Zeros);
        Node x = ImageOptions.Input(net, batch, Image);
        x = Relu6(ConvNorm(net, x, "features.0.0", "features.0.1", Divisible(32 * Width), 3, SmallImages ? 1 : 2));
        int block = 1;
        for (int stage = 0; stage < Stages.Length; stage++)
        {
            var (expansion, channels, count, stride) = Stages[stage];
            if (SmallImages && stage == 1) stride = 1;
            for (int i = 0; i < count; i++) x = Inverted(net, x, $"features.{block++}.conv", expansion, Divisible(channels * Width), i == 0 ? stride : 1);
        }

        x = Relu6(ConvNorm(net, x, $"features.{block}.0", $"features.{block}.1", Divisible(1280 * Math.Max(1, Width)), 1, 1));
        net.Graph.Output("logits", net.Linear(Layers.Drop(Layers.ChannelMeans(x), Dropout), "classifier.1", Positive(Classes, "mobilenetv2: classes")));
    }

    private static Node Inverted(Layers net, Node x, string name, int expansion, int channels, int stride)
    {
        int module = 0, inner = (int)x.Shape[1] * expansion;
        Node y = x;
        if (expansion > 1) y = Relu6(ConvNorm(net, y, $"{name}.{module}.0", $"{name}.{module++}.1", inner, 1, 1));
        y = Relu6(ConvNorm(net, y, $"{name}.{module}.0", $"{name}.{module++}.1", inner, 3, stride, groups: inner));
        y = ConvNorm(net, y, $"{name}.{module}", $"{name}.{module + 1}", channels, 1, 1);
        return stride == 1 && x.Shape[1] == channels ? x + y : y;
    }

    private static Node ConvNorm(Layers net, Node x, string conv, string norm, int channels, int kernel, int stride, int groups = 1) =>
        net.BatchNorm(net.Conv(x, conv, channels, kernel, stride, kernel / 2, groups, bias: false), norm);

    private static Node Relu6(Node x) => x.Graph.Add(new Clip(0, 6), x);

    /// <summary>The nearest multiple of 8, at least 8, and not below nine tenths of the value.</summary>
    private static int Divisible(double channels)
    {
        int rounded = Math.Max(8, (int)(channels + 4) / 8 * 8);
        return rounded < 0.9 * channels ? rounded + 8 : rounded;
    }
}
