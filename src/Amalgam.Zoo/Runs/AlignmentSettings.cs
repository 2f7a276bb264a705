using System.Collections.Immutable;
using Amalgam.Alignment;

namespace Amalgam.Zoo.Runs;

/// <summary>Which settings of a match have an effect beside others, for recipes and for the command line: what is asked for and changes nothing is a mistake.</summary>
internal static class AlignmentSettings
{
    /// <summary>What a file of permutations takes the place of.</summary>
    private static readonly ImmutableArray<string> OfMatching =
    [
        "method", "matching", "alpha", "zip_alpha", "zip_beta", "zip_capped", "similarity", "weight_similarity", "standardise", "all_taps", "pair_dead", "paper_gathering",
        "patience", "sweeps", "starts", "epochs", "reset_parents",
    ];

    /// <summary>Why a setting changes nothing.</summary>
    /// <param name="how">All settings.</param>
    /// <param name="key">The setting, as a recipe calls it.</param>
    /// <returns>What follows its name in a sentence; null where it has an effect.</returns>
    public static string? WhyIdle(AlignmentDescription how, string key)
    {
        if (how.Permutations is not null) return OfMatching.Contains(key) ? "has no effect where a file says where the units go" : Unfit(how, key);
        AlignmentOptions options = how.Options;
        bool sweeps = options.Algorithm == AlignmentAlgorithm.Sweeps;
        bool weights = sweeps && options.Space is MatchingSpace.Weights or MatchingSpace.Both, activations = options.Space is MatchingSpace.Activations or MatchingSpace.Both;
        bool inner = sweeps && options is { Space: MatchingSpace.Weights, WeightMeasure: SimilarityMeasure.InnerProduct };
        string method = how.Method.Name;
        return key switch
        {
            "alpha" when options.Space != MatchingSpace.Both => $"is the share of weights where weights and activations are compared; {method} compares {(options.Space == MatchingSpace.None ? "neither" : "one of them")}",
            "similarity" or "all_taps" or "pair_dead" or "reset_parents" when !activations => $"is about activations, and {method} does not look at them",
            "weight_similarity" or "standardise" when !weights => $"is about the similarity of weights, which {method} does not choose",
            "patience" or "sweeps" or "paper_gathering" when !sweeps || !weights => $"is about sweeps over the weights, and {method} has none that it could change",
            "zip_alpha" or "zip_beta" or "zip_capped" when options.Matching != UnitMatching.Zip => $"is about zips, and {method} aligns here",
            "starts" when !inner => $"is about rebasin, not {method}",
            "epochs" when options.Algorithm != AlignmentAlgorithm.StraightThrough => $"is about ste, not {method}",
            _ => Unfit(how, key),
        };
    }

    /// <summary>Refuses tasks that are none of the data.</summary>
    /// <param name="tasks">Classes of each.</param>
    /// <param name="classes">Number of the data's classes.</param>
    /// <param name="data">What the data is called.</param>
    /// <exception cref="InvalidDataException">There is no such class, or one is named twice.</exception>
    public static void CheckTasks(IEnumerable<IReadOnlyCollection<int>> tasks, int classes, string data)
    {
        HashSet<int> seen = [];
        foreach (IReadOnlyCollection<int> task in tasks)
        {
            if (task.Count == 0) throw new InvalidDataException("tasks: a task has no classes");
            foreach (int number in task)
            {
                if (number >= classes) throw new InvalidDataException($"tasks: there is no class {number} in {data}, which has {classes}, numbered from 0");
                if (!seen.Add(number)) throw new InvalidDataException($"tasks: class {number} is named twice");
            }
        }
    }

    private static string? Unfit(AlignmentDescription how, string key) =>
        key is "tasks" or "class_vectors" && how.Data is null ? "is about networks on data, and none is named" : null;
}
