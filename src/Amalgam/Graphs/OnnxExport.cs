namespace Amalgam.Graphs;

/// <summary>Where an operation writes its ONNX form (<see cref="Op.Export"/>). The target is opset 17.</summary>
public abstract class OnnxExport
{
    /// <summary>Name of the ONNX value that holds a node's value.</summary>
    public abstract string this[Node node] { get; }

    /// <summary>Name of an ONNX value that holds integers (INT64).</summary>
    public abstract string Integers(params ReadOnlySpan<long> values);

    /// <summary>Name of an ONNX value that holds numbers.</summary>
    public abstract string Constant(Tensor value, DType? type = null);

    /// <summary>Adds an ONNX node with one result.</summary>
    /// <param name="opType">ONNX operator.</param>
    /// <param name="inputs">Names of values; an empty one for an optional input that is left out.</param>
    /// <param name="attributes">Name and value: long, float, string, long[], float[]. A null value leaves the attribute out.</param>
    /// <returns>Name of the result.</returns>
    public string Emit(string opType, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object? Value)> attributes) => Emit(1, opType, inputs, attributes)[0];

    /// <summary>Adds an ONNX node with several results.</summary>
    /// <param name="results">How many.</param>
    /// <param name="opType">ONNX operator.</param>
    /// <param name="inputs">Names of values; an empty one for an optional input that is left out.</param>
    /// <param name="attributes">Name and value: long, float, string, long[], float[]. A null value leaves the attribute out.</param>
    /// <returns>Names of the results.</returns>
    public abstract string[] Emit(int results, string opType, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object? Value)> attributes);

    /// <summary>Adds an ONNX node over a node's own inputs.</summary>
    public string Emit(string opType, Node y, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        string[] inputs = new string[y.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++) inputs[i] = this[y.Inputs[i]];
        return Emit(opType, inputs, attributes);
    }
}
