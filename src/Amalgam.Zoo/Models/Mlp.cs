using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>Linear layers <c>fc1</c>, <c>fc2</c> ... with an activation between: input <c>image</c> [N, ...], which is flattened, or <c>x</c> [N, features].</summary>
/// <param name="Input">Shape of a sample.</param>
/// <param name="Hidden">Units of the hidden layers.</param>
/// <param name="Classes">Units of the result.</param>
public sealed record Mlp(ImmutableArray<int> Input, ImmutableArray<int> Hidden, int Classes) : Architecture
{
    /// <summary>Whether layers have biases; OTFusion's have none.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>What stands between the layers.</summary>
    public string Activation { get; init; } = "relu";

    /// <summary>Whether the activation stands after the last layer too.</summary>
    public bool LastActivation { get; init; }

    internal static ZooModel Entry => new(
        "mlp",
        "Multilayer perceptron",
        "784-400-200-100-10 without biases is the one of Singh and Jaggi, Model Fusion via Optimal Transport, NeurIPS 2020, and of Nguyen et al. (CLAFusion), 2023; parameter names of sidak/otfusion",
        "PyTorch's default: weights and biases uniform in +-1 / sqrt(fan in)",
        [
            new("input", OptionKind.Sizes, "1,28,28", "Shape of a sample: channels, height, width of an image, or a number of features"),
            new("hidden", OptionKind.Sizes, "400,200,100", "Units of the hidden layers"),
            new("classes", OptionKind.Whole, "10", "Units of the result"),
            new("bias", OptionKind.Flag, "true", "Whether layers have biases"),
            new("activation", OptionKind.Word, "relu", "What stands between the layers") { Words = ["relu", "gelu", "tanh", "sigmoid", "silu", "leaky_relu"] },
            new("last_activation", OptionKind.Flag, "false", "Whether the activation stands after the last layer too"),
        ],
        o => new Mlp(o.Sizes("input"), o.Sizes("hidden"), o.Whole("classes")) { Bias = o.Flag("bias"), Activation = o.Word("activation"), LastActivation = o.Flag("last_activation") });

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        if (Input.IsEmpty) throw new GraphException("mlp: input must have one size or more");
        Node x = net.Graph.Input(Input.Length == 1 ? "x" : "image", Shape.Of([batch, .. Input]));
        if (Input.Length > 1) x = x.Flatten();
        for (int i = 0; i < Hidden.Length; i++) x = net.Linear(x, $"fc{i + 1}", Positive(Hidden[i], "mlp: hidden"), Bias).Activate(Activation);
        Node result = net.Linear(x, $"fc{Hidden.Length + 1}", Positive(Classes, "mlp: classes"), Bias);
        net.Graph.Output("logits", LastActivation ? result.Activate(Activation) : result);
    }
}
