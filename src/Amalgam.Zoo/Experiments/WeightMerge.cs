using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Demo;

namespace Amalgam.Zoo.Experiments;

/// <summary>Weights of networks of one architecture, whose units were brought together before, as files that any merge method takes.</summary>
internal sealed class WeightMerge
{
    private readonly Siblings _models;
    private readonly string _folder;

    /// <param name="models">The architecture; weights of its first network say the shapes.</param>
    /// <param name="weights">The two networks' weights.</param>
    /// <param name="folder">Where the files go.</param>
    public WeightMerge(Siblings models, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> weights, string folder)
    {
        (_models, _folder) = (models, folder);
        Directory.CreateDirectory(folder);
        for (int i = 0; i < weights.Count; i++) Save($"{i}.safetensors", weights[i]);
        Save("zero.safetensors", Zeros());
    }

    /// <summary>Merges. Networks that were trained apart come from no common base: methods that take one get zeros.</summary>
    public IReadOnlyDictionary<string, Tensor> Merge(DemoMerge merge, CancellationToken cancel)
    {
        string output = PathOf("merged.safetensors");
        string? origin = DemoMerge.NeedsCommonBase(merge.Entry) ? PathOf("zero.safetensors") : null;
        merge.Merge(PathOf("recipe.yml"), output, PathOf("0.safetensors"), PathOf("1.safetensors"), origin, new() { Output = new(Overwrite: true), Parallel = new() { CancellationToken = cancel } });
        Graph merged = _models.With(Zeros()).Graph;
        using Checkpoint checkpoint = Checkpoint.Open(output);
        GraphWeights.Load(merged, checkpoint);
        return Siblings.WeightsOf(merged);
    }

    private Dictionary<string, Tensor> Zeros() => _models.Weights[0].ToDictionary(w => w.Key, w => new Tensor(w.Value.Shape));

    private void Save(string name, IReadOnlyDictionary<string, Tensor> weights) => GraphWeights.Save(_models.With(weights).Graph, PathOf(name), overwrite: true);

    private string PathOf(string name) => Path.GetFullPath(Path.Combine(_folder, name));
}
