using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging.Planning;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging;

/// <summary>Plans and carries out what a recipe's section <c>balance</c> asks for: the models that take part are not those that are named, but what becomes of them.</summary>
internal static class BalancedMerge
{
    private const string Format = "balanced";

    /// <summary>Plans a document over models as they will be.</summary>
    /// <param name="recipe">The document.</param>
    /// <param name="models">Its models as they are.</param>
    /// <param name="balance">Says what becomes of models, in the order of their numbers; null where nothing knows of networks.</param>
    /// <param name="open">Opens models with others in their places, by path.</param>
    /// <exception cref="MergeException">It cannot be done.</exception>
    public static (MergePlan Plan, BalancedModels Balanced) Plan(
        Recipe recipe, ModelSet models, Func<Recipe, ImmutableArray<PlannedModel>, BalancedModels>? balance, Func<IReadOnlyDictionary<string, Checkpoint>, ModelSet> open)
    {
        RecipePosition at = recipe.BalancePosition!.Value;
        if (balance is null) throw at.Refuse("balance: this program merges and knows of no networks; amalgam merge does both");
        if (recipe.Models.IsEmpty) throw at.Refuse("balance: whole networks are balanced, so name them under models; slices and modules are merged without");
        foreach (ModelReference reference in recipe.References)
        {
            if (models.Open(reference).Checkpoint.Storages.Any(storage => storage is PendingStorage))
                throw at.Refuse($"balance: '{reference.Text}' is made by another document of this recipe, and its layers are looked at before any document runs; make it by a recipe of its own first");
        }

        ImmutableArray<PlannedModel> originals = [.. models.All];
        if (originals.Length < 2) throw at.Refuse($"balance: there is nothing to balance {recipe.Models[0].Model.Text} with; name two models or more");
        BalancedModels balanced = balance(recipe, originals);
        ModelSet forms = open(recipe.References.DistinctBy(r => r.Path).ToDictionary(r => r.Path, r => Form(models.Open(r), balanced)));
        MergePlan plan = Planner.Plan(recipe, forms);
        return (plan with { Originals = originals, Notes = [.. originals.SelectMany(m => m.Checkpoint.Notes.Select(n => $"{m.Label}: {n}")), .. balanced.Notes, .. plan.Notes] }, balanced);
    }

    /// <summary>Carries a document out over what became of its models.</summary>
    /// <param name="recipe">The document.</param>
    /// <param name="models">Its models as they are.</param>
    /// <param name="balanced">What becomes of them.</param>
    /// <param name="folder">Where that goes.</param>
    /// <param name="open">Opens the files that take models' places.</param>
    /// <param name="merge">Merges, given the plan over these files, the models in it and what is to be set anew in the result.</param>
    /// <returns>What the user should know beyond the plan's notes.</returns>
    public static ImmutableArray<string> Run(
        Recipe recipe, ModelSet models, BalancedModels balanced, string folder, Func<IReadOnlyDictionary<ModelReference, string>, ModelSet> open, Func<MergePlan, ModelSet, AlignedModels, ImmutableArray<string>> merge)
    {
        foreach (ModelReference reference in recipe.References) models.Open(reference);
        AlignedModels written = balanced.Write(folder);
        using ModelSet forms = open(recipe.References.Distinct().ToDictionary(r => r, r => written.Paths[models.Open(r).Number]));
        return [.. written.Notes, .. merge(Planner.Plan(recipe, forms) with { Originals = [.. models.All] }, forms, written)];
    }

    /// <summary>A model as it will be, for planning; its values cannot be read yet.</summary>
    private static Checkpoint Form(PlannedModel model, BalancedModels balanced)
    {
        PendingStorage storage = new(model.Checkpoint.Path);
        return new(model.Checkpoint.Path, Format, [.. balanced.Tensors.Select(t => new TensorEntry(t.Name, t.DType, t.Shape, storage, 0))], [storage]);
    }
}
