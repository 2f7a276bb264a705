using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>Bounds that a value keeps whatever the network is given, as far as its last operations tell.</summary>
/// <param name="Least">The lower bound.</param>
/// <param name="Greatest">The upper bound.</param>
internal readonly record struct ValueRange(float Least, float Greatest)
{
    /// <summary>Any number.</summary>
    public static readonly ValueRange All = new(float.NegativeInfinity, float.PositiveInfinity);

    /// <summary>What an activation leaves alone, so that applied twice it is applied once; null for one that leaves nothing, or too little, alone.</summary>
    public static ValueRange? KeptBy(Op activation) => activation switch
    {
        Relu => new(0, float.PositiveInfinity),
        Clip clip => new(clip.Min, clip.Max),
        _ => null,
    };

    /// <summary>The bounds of a node's value.</summary>
    public static ValueRange Of(Node node) => node.Op switch
    {
        Relu or Clip => KeptBy(node.Op)!.Value,
        Sigmoid or HardSigmoid or Softmax => new(0, 1),
        View or Transpose or MaxPool or Slice => Of(node.Inputs[0]),
        AveragePool or GlobalAveragePool => Of(node.Inputs[0]).With(0),
        Add => Of(node.Inputs[0]).Plus(Of(node.Inputs[1])),
        _ => All,
    };

    /// <summary>Whether these bounds lie within others.</summary>
    public bool IsWithin(ValueRange other) => Least >= other.Least && Greatest <= other.Greatest;

    private ValueRange With(float value) => new(Math.Min(Least, value), Math.Max(Greatest, value));

    private ValueRange Plus(ValueRange other) => new(Least + other.Least, Greatest + other.Greatest);

    /// <summary>For example <c>[0, 6]</c>.</summary>
    public override string ToString() => $"[{Least}, {Greatest}]";
}
