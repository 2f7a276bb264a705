using System.Collections.Immutable;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>What a recipe's section <c>train</c> and its method ask of each other.</summary>
internal static class TrainingRules
{
    /// <exception cref="MergeException">Something is to be learned and nothing says how, or the other way round.</exception>
    public static void Check(Recipe recipe, MethodEntry entry)
    {
        var given = Blocks(recipe).SelectMany(block => block.Entries).Select(e => (e.Name, e.Setting, e.Position, Known: entry.AllParameters.First(p => p.Name == e.Name))).ToArray();
        var learned = given.FirstOrDefault(g => g.Known.LearnedWord is { } word && g.Setting.Patterns.Contains(word));
        if (recipe.TrainPosition is not { } at)
        {
            if (learned.Known is not null)
                throw learned.Setting.Position.Refuse($"{entry.Name}: {learned.Name}: {learned.Known.LearnedWord} needs a section 'train' that says on what data and how (docs/recipes.md), or amalgam splice");
            if (given.FirstOrDefault(g => g.Known.OfTraining) is { Known: not null } stray)
                throw stray.Position.Refuse($"{entry.Name}: {stray.Name} says how something is learned, and the recipe has no section 'train'");
            return;
        }

        if (!entry.Learns)
            throw at.Refuse($"train: {entry.Name} has nothing to learn; {string.Join(", ", MergeMethod.All.Where(m => m.Learns).Select(Described))} have");
        if (entry.Parameters.FirstOrDefault(p => p.LearnedWord is not null) is { } open && learned.Known is null)
            throw at.Refuse($"train: {entry.Name} learns where {open.Name} is {open.LearnedWord}, which the parameters do not say");
        if (learned.Known is not null && learned.Setting.Patterns.Length > 1)
            throw learned.Setting.Position.Refuse($"{entry.Name}: {learned.Name}: {learned.Known.LearnedWord} holds for all tensors that are spliced; say which these are with include and exclude");
        if (recipe.Models.IsEmpty) throw at.Refuse("train: whole networks learn, so name them under models; slices and modules are merged without learning");
        if (entry.Base != BaseRole.Origin && recipe.BaseModel is { } lender && !lender.Equals(recipe.Models[0].Model))
            throw at.Refuse($"train: what is not merged is that of the network that trains, the first of models; leave base_model out or name '{lender.Text}' first");
    }

    /// <summary>The settings that must be one for all tensors: the explanations of those that are learned are one.</summary>
    /// <exception cref="MergeException">They are several.</exception>
    public static void CheckAlike(Recipe recipe, IEnumerable<PlannedTensor> tensors)
    {
        string[] kinds = [.. tensors.Where(t => t.Method is Learned { Closed: Cki }).Select(t => t.Explanation).Distinct(StringComparer.Ordinal)];
        if (kinds.Length > 1) throw recipe.MethodPosition.Refuse($"{recipe.Method}: what is learned has one set of parameters for all tensors, found '{kinds[0]}' and '{kinds[1]}'");
        if (tensors.FirstOrDefault(t => t.Method is Learned { Closed: Cki { Entropy: not CkiEntropy.Tensor } }) is not null)
            throw recipe.MethodPosition.Refuse($"{recipe.Method}: with local: learned the entropy is that of each tensor; leave entropy out");
        if (!tensors.Any(t => t.Method is Learned)) throw recipe.MethodPosition.Refuse($"{recipe.Method}: include and exclude leave nothing to be learned");
    }

    private static string Described(MethodEntry entry) =>
        entry.Name + (entry.Parameters.FirstOrDefault(p => p.LearnedWord is not null) is { } p ? $" with {p.Name}: {p.LearnedWord}" : "");

    private static IEnumerable<ParameterBlock> Blocks(Recipe recipe)
    {
        IEnumerable<RecipeSlice> slices = recipe.Slices.Concat(recipe.Modules.SelectMany(m => m.Slices));
        IEnumerable<RecipeSource> sources = [.. recipe.Models, .. recipe.Modules.SelectMany(m => m.Models), .. slices.SelectMany(s => s.Sources)];
        return [recipe.Parameters, .. recipe.Modules.Select(m => m.Parameters), .. slices.Select(s => s.Parameters), .. sources.Select(s => s.Parameters)];
    }
}
