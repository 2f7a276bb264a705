namespace Amalgam.Checkpoints;

/// <summary>How an ONNX model is written.</summary>
/// <param name="Batch">
/// Symbol for the leading size of every input, so that the model takes any number of samples; null writes the graph's own sizes. Refused where the graph cannot
/// take another number. Where the graph comes from a model, that model's symbols stay.
/// </param>
/// <param name="ExternalData">Whether weights go to a file beside the model, its name with <c>.data</c> behind it. They always do when they take more than a protobuf file can hold, 2 GB.</param>
/// <param name="Overwrite">Whether a file that is there is replaced, once the new one is complete.</param>
public sealed record OnnxOptions(string? Batch = null, bool ExternalData = false, bool Overwrite = false)
{
    /// <summary>Weights of more bytes than this are written as external data.</summary>
    internal long InlineLimit { get; init; } = 2_000_000_000;
}
