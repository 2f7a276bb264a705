using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>VGG in the form for CIFAR: five groups of 3x3 convolutions with a pooling after each, then one linear layer.</summary>
/// <param name="Depth">Layers with weights in the original: 11, 13, 16 or 19.</param>
/// <param name="Classes">Units of the result.</param>
public sealed record Vgg(int Depth, int Classes) : Architecture
{
    private static readonly ImmutableArray<int> Channels = [64, 128, 256, 512, 512];

    /// <summary>Channels, height and width of an image; height and width are multiples of 32.</summary>
    public ImmutableArray<int> Image { get; init; } = [3, 32, 32];

    /// <summary>Factor on the numbers of channels.</summary>
    public double Width { get; init; } = 1;

    /// <summary>The first convolution keeps 64 channels and the last one 512 whatever the width, as in CLAFusion's half and double networks.</summary>
    public bool FixedEnds { get; init; }

    /// <summary>Normalisation after each convolution.</summary>
    public Norm Norm { get; init; } = Norm.Batch;

    /// <summary>Groups of channels, where the normalisation is by groups.</summary>
    public int Groups { get; init; } = 32;

    /// <summary>Whether convolutions have biases.</summary>
    public bool Bias { get; init; } = true;

    internal static IEnumerable<ZooModel> Entries => ((int[])[11, 13, 16, 19]).Select(depth => new ZooModel(
        $"vgg{depth}",
        $"VGG-{depth} in the form for CIFAR, with one linear layer",
        "Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015; widths of CLAFusion's networks with fixed_ends; parameter names of kuangliu/pytorch-cifar",
        "Convolutions Kaiming normal by fan out, the linear layer normal with deviation 0.01, biases 0 (torchvision's)",
        [
            ImageOptions.Image, ImageOptions.Classes, ImageOptions.Width,
            new("fixed_ends", OptionKind.Flag, "false", "Keeps 64 channels in the first convolution and 512 in the last, whatever the width"),
            .. ImageOptions.Norms("batch", 32),
            new("bias", OptionKind.Flag, "true", "Whether convolutions have biases"),
        ],
        o => new Vgg(depth, o.Whole("classes"))
        {
            Image = o.Sizes("image"),
            Width = o.Number("width"),
            FixedEnds = o.Flag("fixed_ends"),
            Norm = o.Norm(),
            Groups = o.Whole("groups"),
            Bias = o.Flag("bias"),
        }));

    /// <summary>Convolutions in each group.</summary>
    private ImmutableArray<int> Convolutions => Depth switch
    {
        11 => [1, 1, 2, 2, 2],
        13 => [2, 2, 2, 2, 2],
        16 => [2, 2, 3, 3, 3],
        19 => [2, 2, 4, 4, 4],
        _ => throw new GraphException($"vgg: depth must be 11, 13, 16 or 19, got {Depth}"),
    };

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        (net.ConvStart, net.LinearStart, net.BiasStart) = (Initialisation.KaimingFanOut, Initialisation.Normal(0.01), Initialisation.Zeros);
        Node x = ImageOptions.Input(net, batch, Image);
        ImmutableArray<int> counts = Convolutions;
        int module = 0;
        for (int group = 0; group < counts.Length; group++)
        {
            for (int i = 0; i < counts[group]; i++)
            {
                bool first = group == 0 && i == 0, last = group == counts.Length - 1 && i == counts[group] - 1;
                int channels = FixedEnds && (first || last) ? Channels[group] : Layers.Scaled(Channels[group], Width);
                x = net.Conv(x, $"features.{module++}", channels, 3, padding: 1, bias: Bias);
                if (Norm != Norm.None) x = net.Normalise(x, $"features.{module++}", Norm, Groups);
                x = net.Graph.Add(new Relu(), x);
                module++;
            }

            x = Layers.MaxPool(x, 2);
            module++;
        }

        net.Graph.Output("logits", net.Linear(x.Flatten(), "classifier", Positive(Classes, "vgg: classes")));
    }
}
