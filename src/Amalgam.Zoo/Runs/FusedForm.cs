using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// How networks of a fused structure are written: as the reference's file or folder where no layer was added to it or taken away, so that all its tensors have places there; as weights of an architecture of the
/// Zoo where the structure turns out to be one; else as ONNX, which says it all.
/// </summary>
internal sealed class FusedForm
{
    private readonly ParentModel _reference;
    private readonly Graph _structure;
    private readonly bool _isLike;
    private readonly FusedArchitecture? _architecture;

    private FusedForm(Graph structure, ParentModel reference, bool isLike, FusedArchitecture? architecture) => (_structure, _reference, _isLike, _architecture) = (structure, reference, isLike, architecture);

    /// <summary>Finds it.</summary>
    /// <param name="structure">A network of the structure.</param>
    /// <param name="models">The networks that were fused.</param>
    /// <param name="reference">Which of them has its widths.</param>
    public static FusedForm Of(Graph structure, IReadOnlyList<ParentModel> models, int reference)
    {
        ParentModel like = models[reference];
        bool isLike = structure.Parameters.Count == like.Graph.Parameters.Count && structure.Parameters.All(p => like.Graph.Parameters.TryGetValue(p.Key, out Node? node) && node.Shape == p.Value.Shape);
        return new(structure, like, isLike, isLike || ModelDescription.IsOnnxFile(like.File) ? null : FusedArchitecture.Find(structure, [.. models.Select(m => m.Model)]));
    }

    /// <summary>The architecture that weights of this form are of, as the command line names it; null where an ONNX file or a folder says it.</summary>
    public string? Architecture => _architecture?.Model.Text ?? (_isLike && !_reference.IsFolder && !ModelDescription.IsOnnxFile(_reference.File) ? _reference.Model.Text : null);

    /// <summary>Whether it is a file that holds a network.</summary>
    public bool IsOnnx => _isLike ? ModelDescription.IsOnnxFile(_reference.File) : _architecture is null;

    /// <summary>The tensors of a file of this form.</summary>
    public ImmutableArray<TensorSpec> Tensors
    {
        get
        {
            if (!_isLike) return [.. (_architecture?.Network ?? _structure).Parameters.Select(p => new TensorSpec(p.Key, p.Value.Type.IsFloat ? p.Value.Type : DType.F32, p.Value.Shape))];
            using Checkpoint origin = Checkpoint.Open(_reference.File);
            return [.. origin.Tensors.Select(t => new TensorSpec(t.Name, t.DType, t.Shape))];
        }
    }

    /// <summary>The name of a file or folder of this form.</summary>
    /// <param name="stem">The name without an ending.</param>
    public string NameOf(string stem) => _isLike ? NetworkFile.NameLike(_reference, stem) : stem + (_architecture is null ? ".onnx" : ".safetensors");

    /// <summary>Refuses a place that what is written there would not say all at.</summary>
    /// <exception cref="GraphException">Weights alone would not say what network they are of.</exception>
    public void Check(string path)
    {
        if (!ModelDescription.IsOnnxFile(path) && !_isLike && _architecture is null)
            throw new GraphException($"{path}: layers were added to {_reference.Name} or taken from it, and what came of it is no architecture that weights alone could be of; name an .onnx file, which says it all");
    }

    /// <summary>Writes a network where a user wants it: an ONNX file, a file of weights, or a folder, as the path ends.</summary>
    /// <param name="network">The network, of this structure.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="overwrite">Replace what is there.</param>
    /// <exception cref="GraphException">An operation has no ONNX form.</exception>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public void Save(Graph network, string path, bool overwrite)
    {
        Check(path);
        if (ModelDescription.IsOnnxFile(path) || _isLike) NetworkFile.Save(network, _reference, path, overwrite);
        else GraphWeights.Save(_architecture!.Named(network), path, overwrite, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = _architecture.Model.Text });
    }

    /// <summary>Writes a network in this form.</summary>
    /// <param name="network">The network, of this structure.</param>
    /// <param name="path">A path of a name of <see cref="NameOf"/>.</param>
    public void SaveLike(Graph network, string path)
    {
        if (_isLike) NetworkFile.SaveLike(network, _reference, path, overwrite: true);
        else Save(network, path, overwrite: true);
    }

    /// <summary>A network of this structure, by a checkpoint with tensors of this form.</summary>
    /// <exception cref="InvalidDataException">A weight is missing, or of another shape.</exception>
    public Graph Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        Dictionary<string, string> names = _structure.Parameters.Keys.ToDictionary(name => name, NameOfWeight, StringComparer.Ordinal);
        return GivenNetworks.With(_structure, _structure.Parameters.ToDictionary(p => p.Key, p =>
        {
            if (!checkpoint.TryFind(names[p.Key], out TensorEntry? tensor) || tensor.Shape != p.Value.Shape)
                throw new InvalidDataException($"{path} has no '{names[p.Key]}' {p.Value.Shape}, so it is not the network that its models were balanced to be");
            Tensor value = new(tensor.Shape);
            GraphWeights.Read(tensor, value);
            return value;
        }, StringComparer.Ordinal));
    }

    /// <summary>Weights of a network of this structure, by their names in this form.</summary>
    public Dictionary<string, Tensor> Named(IReadOnlyDictionary<string, Tensor> weights) => weights.ToDictionary(w => NameOfWeight(w.Key), w => w.Value, StringComparer.Ordinal);

    private string NameOfWeight(string name) => _architecture?.Names.First(n => n.Value == name).Key ?? name;
}
