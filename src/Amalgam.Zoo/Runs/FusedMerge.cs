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

    /// <summary>Refuses a method that does not exist, before any work.</summary>
    /// <exception cref="MergeException">There is none, or its parameters are not right.</exception>
    public void Check(int networks) => SimpleRecipe.Write(method, [.. Enumerable.Range(0, networks).Select(i => $"{i}")], null, option: Option);

    /// <summary>Merges.</summary>
    /// <param name="structure">The structure of all.</param>
    /// <param name="others">Weights of all networks but the reference.</param>
    /// <param name="reference">Weights of the reference; methods that take differences from a base take them from it, and slerp begins there.</param>
    /// <param name="place">The reference's place among the networks, by which values for each of them are given.</param>
    /// <exception cref="MergeException">The method cannot be used so.</exception>
    public IReadOnlyDictionary<string, Tensor> Run(Graph structure, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> others, IReadOnlyDictionary<string, Tensor> reference, int place)
    {
        string folder = Directory.CreateTempSubdirectory("amalgam-fuse-").FullName;
        try
        {
            List<string> models = [.. others.Select((weights, i) => Save(structure, weights, Path.Combine(folder, $"{i}.safetensors")))];
            string origin = Save(structure, reference, Path.Combine(folder, "reference.safetensors")), output = Path.Combine(folder, "merged.safetensors");
            BaseRole? role = MergeMethod.Find(method.Split(':')[0])?.Base;
            if (role != BaseRole.Origin) models.Insert(place, origin);
            using RecipeRun run = RecipeRun.Parse(SimpleRecipe.Write(method, [.. models], role is BaseRole.Origin or BaseRole.First ? origin : null, option: Option), folder, Option);
            run.Run(output, new());
            Graph merged = GivenNetworks.With(structure, reference.ToDictionary(w => w.Key, w => new Tensor(w.Value.Shape)));
            using Checkpoint checkpoint = Checkpoint.Open(output);
            GraphWeights.Load(merged, checkpoint);
            return Alignment.Siblings.WeightsOf(merged);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Save(Graph structure, IReadOnlyDictionary<string, Tensor> weights, string path)
    {
        GraphWeights.Save(GivenNetworks.With(structure, weights), path);
        return path;
    }
}
