using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>Merges networks that were brought to one structure by a merge method, through files that a recipe names.</summary>
/// <param name="method">The method with its parameters: <c>slerp:t=0.3</c>.</param>
internal sealed class FusedMerge(string method)
{
    private const string Option = "--merge";

    private readonly BaseRole? _role = MergeMethod.Find(method.Split(':')[0])?.Base;

    /// <summary>Refuses a method that does not exist, or has other parameters, before any work: plans it over tensors of a few numbers that are called as the network's.</summary>
    /// <param name="network">The network.</param>
    /// <param name="count">How many are merged.</param>
    /// <exception cref="MergeException">There is no such method, its parameters are not right, or it is for another number of networks.</exception>
    public void Check(Graph network, int count)
    {
        Graph small = new();
        foreach (var (name, node) in network.Parameters) small.Parameter(name, new(new Shape([.. node.Shape.Sizes.ToArray().Select(size => Math.Min(2, size))])), node.Trainable, node.Type);
        InFolder(folder =>
        {
            string[] files = [.. Enumerable.Range(0, count).Select(i => Path.Combine(folder, $"{i}.safetensors"))];
            foreach (string file in files) GraphWeights.Save(small, file);
            Plan([.. files[1..]], files[0], 0, folder).Dispose();
            return count;
        });
    }

    /// <summary>Merges.</summary>
    /// <param name="structure">The structure of all.</param>
    /// <param name="others">Weights of all networks but the reference.</param>
    /// <param name="reference">Weights of the reference; methods that take differences from a base take them from it, and slerp begins there.</param>
    /// <param name="place">The reference's place among the networks, by which values for each of them are given.</param>
    /// <exception cref="MergeException">The method cannot be used so.</exception>
    public IReadOnlyDictionary<string, Tensor> Run(Graph structure, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> others, IReadOnlyDictionary<string, Tensor> reference, int place) => InFolder(folder =>
    {
        List<string> models = [.. others.Select((weights, i) => Save(structure, weights, Path.Combine(folder, $"{i}.safetensors")))];
        string origin = Save(structure, reference, Path.Combine(folder, "reference.safetensors")), output = Path.Combine(folder, "merged.safetensors");
        using RecipeRun run = Plan(models, origin, place, folder);
        run.Run(output, new());
        Graph merged = GivenNetworks.With(structure, reference.ToDictionary(w => w.Key, w => new Tensor(w.Value.Shape)));
        using Checkpoint checkpoint = Checkpoint.Open(output);
        GraphWeights.Load(merged, checkpoint);
        return Alignment.Siblings.WeightsOf(merged);
    });

    private static T InFolder<T>(Func<string, T> work)
    {
        string folder = Directory.CreateTempSubdirectory("amalgam-fuse-").FullName;
        try
        {
            return work(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private RecipeRun Plan(List<string> models, string reference, int place, string folder)
    {
        if (_role != BaseRole.Origin) models.Insert(place, reference);
        return RecipeRun.Parse(SimpleRecipe.Write(method, [.. models], _role is BaseRole.Origin or BaseRole.First ? reference : null, option: Option), folder, Option);
    }

    private static string Save(Graph structure, IReadOnlyDictionary<string, Tensor> weights, string path)
    {
        GraphWeights.Save(GivenNetworks.With(structure, weights), path);
        return path;
    }
}
