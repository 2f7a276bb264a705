using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>How a residual network leads the stream past a block that changes its shape.</summary>
public enum Shortcut
{
    /// <summary>Every second pixel, with channels of zeros on both sides (option A of the paper).</summary>
    Pad,

    /// <summary>A 1x1 convolution and a normalisation (option B).</summary>
    Projection,

    /// <summary>A 3x3 convolution and a normalisation.</summary>
    WideProjection,
}

/// <summary>A residual network of basic blocks in the form for CIFAR: a 3x3 convolution, stages of blocks that halve the image from the second on, the mean of each channel, one linear layer.</summary>
/// <param name="Blocks">Number of blocks of each stage.</param>
/// <param name="Channels">Channels of the first stage; each further one has twice as many.</param>
/// <param name="Classes">Units of the result.</param>
public sealed record ResNet(ImmutableArray<int> Blocks, int Channels, int Classes) : Architecture
{
    /// <summary>Channels, height and width of an image.</summary>
    public ImmutableArray<int> Image { get; init; } = [3, 32, 32];

    /// <summary>Factor on the numbers of channels.</summary>
    public double Width { get; init; } = 1;

    /// <summary>Normalisation after each convolution.</summary>
    public Norm Norm { get; init; } = Norm.Batch;

    /// <summary>Groups of channels, where the normalisation is by groups.</summary>
    public int Groups { get; init; } = 8;

    /// <summary>What leads past blocks that change the shape.</summary>
    public Shortcut Shortcut { get; init; } = Shortcut.Projection;

    /// <summary>Name of the result: <c>logits</c>, or <c>embedding</c> for a network whose vectors are compared with others.</summary>
    public string Result { get; init; } = "logits";

    /// <summary>How convolutions begin.</summary>
    public Initialisation ConvStart { get; init; } = Initialisation.KaimingFanOut;

    /// <summary>How the linear layer begins.</summary>
    public Initialisation LinearStart { get; init; } = Initialisation.Default;

    internal static ZooModel SmallEntry => new(
        "resnet20",
        "ResNet-20 for CIFAR: three stages of 16, 32 and 64 channels",
        "He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016, section 4.2; width, 3x3 shortcuts, embeddings and group normalisation (8 groups) as in MuDSC; parameter names of akamaster/pytorch_resnet_cifar10",
        "Convolutions and the linear layer Kaiming normal by fan in, its bias uniform in +-1 / sqrt(fan in); normalisation 1 and 0 (akamaster's)",
        [
            ImageOptions.Image, ImageOptions.Classes, ImageOptions.Width,
            new("blocks", OptionKind.Whole, "3", "Blocks of each stage: n gives ResNet-(6n + 2)"),
            .. ImageOptions.Norms("batch", 8),
            new("shortcut", OptionKind.Word, "pad", "Past blocks that change the shape: every second pixel and zero channels, or a 1x1 or 3x3 convolution") { Words = ["pad", "1x1", "3x3"] },
            Results,
        ],
        o => new ResNet([.. Enumerable.Repeat(o.Whole("blocks"), 3)], 16, o.Whole("classes"))
        {
            Image = o.Sizes("image"),
            Width = o.Number("width"),
            Norm = o.Norm(),
            Groups = o.Whole("groups"),
            Result = o.Word("result"),
            Shortcut = o.Word("shortcut") switch { "pad" => Shortcut.Pad, "1x1" => Shortcut.Projection, _ => Shortcut.WideProjection },
            ConvStart = Initialisation.KaimingFanIn,
            LinearStart = Initialisation.KaimingFanIn,
        });

    internal static ImmutableArray<ZooModel> LargeEntries => [Large(18, [2, 2, 2, 2]), Large(34, [3, 4, 6, 3])];

    private static ZooModel Large(int depth, ImmutableArray<int> blocks) => new(
        $"resnet{depth}",
        $"ResNet-{depth} in the form for CIFAR: a 3x3 convolution first and no pooling after it",
        "He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016; without normalisation as in OTFusion and CLAFusion; parameter names of kuangliu/pytorch-cifar",
        "Convolutions Kaiming normal by fan out with a normalisation (torchvision's), PyTorch's default without one; the linear layer PyTorch's default; normalisation 1 and 0",
        [ImageOptions.Image, ImageOptions.Classes, ImageOptions.Width, .. ImageOptions.Norms("batch", 32), Results],
        o => new ResNet(blocks, 64, o.Whole("classes"))
        {
            Image = o.Sizes("image"),
            Width = o.Number("width"),
            Norm = o.Norm(),
            Groups = o.Whole("groups"),
            Result = o.Word("result"),
            ConvStart = o.Norm() == Norm.None ? Initialisation.Default : Initialisation.KaimingFanOut,
        });

    private static ModelOption Results => new("result", OptionKind.Word, "logits", "Name of the result; embedding for vectors that are compared with others") { Words = ["logits", "embedding"] };

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        (net.ConvStart, net.LinearStart) = (ConvStart, LinearStart);
        Node x = ImageOptions.Input(net, batch, Image);
        x = Relu(ConvNorm(net, x, "conv1", "bn1", Layers.Scaled(Channels, Width), 3, 1));
        for (int stage = 0; stage < Blocks.Length; stage++)
        {
            int channels = Layers.Scaled(Channels << stage, Width);
            for (int i = 0; i < Blocks[stage]; i++) x = Block(net, x, $"layer{stage + 1}.{i}", channels, stage > 0 && i == 0 ? 2 : 1);
        }

        net.Graph.Output(Result, net.Linear(Layers.ChannelMeans(x), "linear", Positive(Classes, "resnet: classes")));
    }

    private Node Block(Layers net, Node x, string name, int channels, int stride)
    {
        Node y = Relu(ConvNorm(net, x, $"{name}.conv1", $"{name}.bn1", channels, 3, stride));
        y = ConvNorm(net, y, $"{name}.conv2", $"{name}.bn2", channels, 3, 1);
        bool same = stride == 1 && x.Shape[1] == channels;
        return Relu(y + (same ? x : Shortcut == Shortcut.Pad ? Pad(x, channels, stride) : Project(net, x, name, channels, stride)));
    }

    private Node Project(Layers net, Node x, string name, int channels, int stride) =>
        ConvNorm(net, x, $"{name}.shortcut.0", $"{name}.shortcut.1", channels, Shortcut == Shortcut.WideProjection ? 3 : 1, stride);

    private static Node Pad(Node x, int channels, int stride)
    {
        Node y = stride == 1 ? x : x.Slice(2, 0, long.MaxValue, stride).Slice(3, 0, long.MaxValue, stride);
        long before = (channels - x.Shape[1]) / 2, after = channels - x.Shape[1] - before;
        return y.Pad([0, before, 0, 0, 0, after, 0, 0]);
    }

    private Node ConvNorm(Layers net, Node x, string conv, string norm, int channels, int kernel, int stride) =>
        net.Normalise(net.Conv(x, conv, channels, kernel, stride, kernel / 2, bias: false), norm, Norm, Groups);

    private static Node Relu(Node x) => x.Graph.Add(new Relu(), x);
}
