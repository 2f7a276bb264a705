using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>Options that the networks for images share.</summary>
internal static class ImageOptions
{
    public static readonly ModelOption Image = new("image", OptionKind.Sizes, "3,32,32", "Channels, height and width of an image");
    public static readonly ModelOption Classes = new("classes", OptionKind.Whole, "10", "Units of the result");
    public static readonly ModelOption Width = new("width", OptionKind.Number, "1", "Factor on the numbers of channels: 0.5 is half, 2 is double") { Limit = 65 };

    /// <summary>The normalisation and its groups.</summary>
    public static ImmutableArray<ModelOption> Norms(string start, int groups) =>
    [
        new("norm", OptionKind.Word, start, "Normalisation after each convolution") { Words = ["batch", "group", "none"] },
        new("groups", OptionKind.Whole, $"{groups}", "Groups of channels, where the normalisation is by groups"),
    ];

    /// <summary>The chosen normalisation.</summary>
    public static Norm Norm(this ModelOptions options) => options.Word("norm") switch
    {
        "batch" => Models.Norm.Batch,
        "group" => Models.Norm.Group,
        _ => Models.Norm.None,
    };

    /// <summary>Declares the input <c>image</c>.</summary>
    public static Node Input(Layers net, int batch, ImmutableArray<int> image) =>
        image.Length == 3 ? net.Graph.Input("image", Shape.Of([batch, .. image])) : throw new GraphException($"image must be channels,height,width, got {image.Length} sizes");
}
