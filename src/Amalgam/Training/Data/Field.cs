namespace Amalgam.Training.Data;

/// <summary>One of the arrays that a sample is made of, named as the graph's input that it fills: <c>image</c>, <c>label</c>, <c>tokens</c>.</summary>
/// <param name="Name">Name of the graph's input.</param>
/// <param name="Shape">Shape for one sample, without the batch's axis: <c>[1,28,28]</c>, or <c>[]</c> for a label.</param>
/// <param name="Type">What the numbers are: F32, or I64 for ids, labels and masks. They travel as floats whatever it says.</param>
public sealed record Field(string Name, Shape Shape, DType Type)
{
    /// <summary>Of ids, their number: they go from 0 up to it, without it; null where that is not known.</summary>
    public int? Ids { get; init; }
}
