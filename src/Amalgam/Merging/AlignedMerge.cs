using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging;

/// <summary>Carries out a plan whose models have to be aligned first: the aligned ones take their places, and what no merge of parameters gives is set anew in the result.</summary>
internal static class AlignedMerge
{
    private const string Merged = "merged";

    /// <param name="plan">The plan over the models as they are.</param>
    /// <param name="models">Its models.</param>
    /// <param name="open">Opens the files that take their places.</param>
    /// <param name="recipe">The recipe's text.</param>
    /// <param name="path">Where the result goes.</param>
    /// <param name="folder">Where the aligned models go.</param>
    /// <param name="options">How to run.</param>
    /// <param name="progress">Told after every write.</param>
    /// <returns>What the user should know beyond the plan's notes.</returns>
    /// <exception cref="MergeException">The options do not say who aligns, or zipped models would be trained with tensors that only one of them gives.</exception>
    public static ImmutableArray<string> Run(
        MergePlan plan, ModelSet models, Func<IReadOnlyDictionary<ModelReference, string>, ModelSet> open, string recipe, string path, string folder, MergeOptions options,
        IProgress<MergeProgress>? progress)
    {
        if (options.Align is not { } align) throw plan.Recipe.AlignPosition!.Value.Refuse("align: this program merges and knows of no networks; amalgam merge does both");
        AlignedModels aligned = align(plan, folder);
        using ModelSet moved = open(plan.Recipe.References.Distinct().ToDictionary(r => r, r => aligned.Paths[models.Open(r).Number]));
        MergePlan next = Planner.Plan(plan.Recipe, moved) with { Donor = plan.Donor, Originals = plan.Originals };

        ImmutableArray<string> notes = aligned.Notes;
        if (aligned.AreShares)
        {
            PlannedTensor[] left = [.. next.Tensors.Where(t => IsOfOne(t, next))];
            if (left.Length > 0 && next.Recipe.Train is not null)
                throw plan.Recipe.AlignPosition!.Value.Refuse($"align: {next.Recipe.Method} leaves '{left[0].Output.Name}' to one model, which after a zip has but a share there, and nothing can be trained beside that; merge it too (vectors with biases: average), or use matching: align");
            next = WithMeans(next, left);
            if (left.Length > 0)
                notes = notes.Add($"{next.Recipe.Method} leaves '{left[0].Output.Name}'{(left.Length > 1 ? $" and {left.Length - 1} more" : "")} to one model, of which a zip leaves but a share there: {(left.Length > 1 ? "they are" : "it is")} the mean of all models");
        }

        return [.. notes, .. Merge(next, aligned.Reset, recipe, path, folder, options, progress)];
    }

    /// <summary>Merges, and sets anew in the result what no merge of parameters gives.</summary>
    /// <param name="plan">The plan over models in one order.</param>
    /// <param name="reset">What is set anew, given the merged checkpoint; null for nothing.</param>
    /// <param name="recipe">The recipe's text.</param>
    /// <param name="path">Where the result goes.</param>
    /// <param name="folder">Where what is merged before it is reset goes.</param>
    /// <param name="options">How to run.</param>
    /// <param name="progress">Told after every write.</param>
    public static ImmutableArray<string> Merge(
        MergePlan plan, Func<string, IReadOnlyDictionary<string, Tensor>>? reset, string recipe, string path, string folder, MergeOptions options, IProgress<MergeProgress>? progress)
    {
        // Once, although the merge may run twice.
        if (plan.Recipe.Train is not null) plan = Merger.WithLearned(plan, options) with { Recipe = plan.Recipe with { Train = null } };
        if (reset is not null)
        {
            string merged = Path.Combine(folder, Merged);
            Merger.Run(plan, recipe, merged, options with { Output = options.Output with { Overwrite = true, Resume = false } }, progress);
            plan = Merger.With(plan, reset(merged));
        }

        return Merger.Run(plan, recipe, path, options, progress);
    }

    /// <summary>Whether a tensor would be copied from one of the models that all have it.</summary>
    private static bool IsOfOne(PlannedTensor tensor, MergePlan plan) =>
        tensor is { Method: null or Passthrough { Scale: 1 }, Base: null, Inputs: [{ Tensor: { DType.IsFloat: true } own }] }
        && plan.Models.All(model => model.Checkpoint.TryFind(own.Name, out TensorEntry? other) && other.DType.IsFloat && other.Shape == own.Shape);

    private static MergePlan WithMeans(MergePlan plan, PlannedTensor[] tensors)
    {
        Linear mean = new([.. plan.Models.Select(_ => 1.0)]);
        PlannedTensor Mean(PlannedTensor tensor) => tensor with
        {
            Method = mean,
            Inputs = [.. plan.Models.Select(model => new PlannedInput(model, model.Checkpoint.Tensors.First(t => t.Name == tensor.Inputs[0].Tensor.Name)))],
            Explanation = "the mean of the zipped models",
        };
        return plan with { Tensors = [.. plan.Tensors.Select(t => tensors.Contains(t) ? Mean(t) : t)] };
    }
}
