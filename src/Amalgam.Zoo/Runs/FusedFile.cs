using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Writes fused networks as the network whose widths they have: an ONNX file stays one, and weights stay weights where they say what they are of. That is the reference's architecture where no layer was added
/// or taken away, else one of the Zoo that the result turns out to be.
/// </summary>
internal static class FusedFile
{
    /// <summary>Refuses a place that a network cannot be written to.</summary>
    /// <exception cref="GraphException">Weights alone would not say what network they are of.</exception>
    public static void Check(Graph network, IReadOnlyList<ParentModel> models, int reference, string path)
    {
        if (!ModelDescription.IsOnnxFile(path) && !IsLike(network, models[reference].Graph)) _ = Find(network, models, reference, path);
    }

    /// <summary>Writes a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="models">The networks that it came from.</param>
    /// <param name="reference">Which of them has its widths.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="overwrite">Replace what is there.</param>
    public static void Save(Graph network, IReadOnlyList<ParentModel> models, int reference, string path, bool overwrite)
    {
        if (ModelDescription.IsOnnxFile(path) || IsLike(network, models[reference].Graph))
        {
            NetworkFile.Save(network, models[reference], path, overwrite);
            return;
        }

        FusedArchitecture found = Find(network, models, reference, path);
        GraphWeights.Save(found.Network, path, overwrite, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = found.Model.Text });
    }

    /// <summary>Whether a network has the weights of another, by name and shape.</summary>
    public static bool IsLike(Graph network, Graph other) =>
        network.Parameters.Count == other.Parameters.Count && network.Parameters.All(p => other.Parameters.TryGetValue(p.Key, out Node? node) && node.Shape == p.Value.Shape);

    private static FusedArchitecture Find(Graph network, IReadOnlyList<ParentModel> models, int reference, string path) =>
        FusedArchitecture.Find(network, [.. models.Select(m => m.Model)])
        ?? throw new GraphException($"{path}: layers were added to {models[reference].Name} or taken from it, and what came of it is no architecture that weights alone could be of; name an .onnx file, which says it all");
}
