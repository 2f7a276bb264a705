using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>Activations by the names that descriptions and Hugging Face's configurations use.</summary>
internal static class Activations
{
    private static readonly ImmutableArray<(string Name, Op Op)> All =
    [
        ("relu", new Relu()),
        ("gelu", new Gelu()),
        ("gelu_new", new Gelu(Tanh: true)),
        ("gelu_pytorch_tanh", new Gelu(Tanh: true)),
        ("relu6", new Clip(0, 6)),
        ("tanh", new Tanh()),
        ("sigmoid", new Sigmoid()),
        ("silu", new Silu()),
        ("swish", new Silu()),
        ("leaky_relu", new LeakyRelu()),
    ];

    /// <summary>The names.</summary>
    public static IEnumerable<string> Names => All.Select(a => a.Name);

    /// <summary>The activation of that name; null when there is none.</summary>
    public static Op? Find(string name) => All.FirstOrDefault(a => a.Name == name).Op;

    /// <summary>Applies the activation of a name that is known.</summary>
    public static Node Activate(this Node x, string name) => x.Graph.Add(Find(name) ?? throw new ArgumentException($"no activation '{name}'", nameof(name)), x);
}
