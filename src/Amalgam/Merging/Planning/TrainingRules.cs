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
            throw at.Refuse($"train: {entry.Name} has nothing to learn; {Learning} have");
        if (entry.Parameters.FirstOrDefault(p => p.LearnedWord is not null) is { } open && learned.Known is null)
            throw at.Refuse($"train: {entry.Name} learns where {open.Name} is {open.LearnedWord}, which the parameters do not say");
        if (learned.Known is not null && learned.Setting.Patterns.Length > 1)
            throw learned.Setting.Position.Refuse($"{entry.Name}: {learned.Name}: {learned.Known.LearnedWord} holds for all tensors that are spliced; say which these are with include and exclude");
        if (recipe.Models.IsEmpty) throw at.Refuse("train: whole networks learn, so name them under models; slices and modules are merged without learning");
        if (entry.Base != BaseRole.Origin && recipe.BaseModel is { } lender && !lender.Equals(recipe.Models[0].Model))
            throw at.Refuse($"train: what is not merged is that of the network that trains, the first of models; leave base_model out or name '{lender.Text}' first");
        _ = MethodOf(recipe);
    }

    /// <summary>The settings that must be one for all tensors: the explanations of those that are learned are one.</summary>
    /// <exception cref="MergeException">They are several.</exception>
    public static void CheckAlike(Recipe recipe, IEnumerable<PlannedTensor> tensors)
    {
        PlannedTensor[] learned = [.. tensors.Where(t => t.Method is Learned)];
        if (learned.Length == 0) throw recipe.MethodPosition.Refuse($"{recipe.Method}: include and exclude leave nothing to be learned");
        string[] kinds = [.. learned.Where(t => t.Output.Shape.Rank > 1 || t.Method is Learned { Closed: not Linear }).Select(t => t.Explanation).Distinct(StringComparer.Ordinal)];
        if (kinds.Length > 1) throw recipe.MethodPosition.Refuse($"{recipe.Method}: what is learned begins with one set of parameters for all tensors, found '{kinds[0]}' and '{kinds[1]}'");
    }

    /// <summary>What a recipe that trains learns, by its parameters.</summary>
    /// <exception cref="MergeException">There is no such method, it has nothing to learn, or its parameters do not go together.</exception>
    public static Learned MethodOf(Recipe recipe)
    {
        MethodEntry entry = MergeMethod.Find(recipe.Method) ?? throw recipe.MethodPosition.Refuse(Unknown(recipe.Method));
        recipe.Parameters.Check(entry.Name, entry.AllParameters, perModelLevel: false);
        foreach (RecipeSource source in recipe.Models) source.Parameters.Check(entry.Name, entry.AllParameters, perModelLevel: true);
        if (!entry.Learns) throw recipe.MethodPosition.Refuse($"{entry.Name} has nothing to learn; {Learning} have");
        if (entry.Base == BaseRole.Origin && recipe.BaseModel is null) throw recipe.MethodPosition.Refuse($"{entry.Name} needs base_model (--base), the model that the others were fine-tuned from");

        const string Any = "weight";
        MethodArguments arguments = new ParameterLookup(entry, [recipe.Parameters], 0)
            .Arguments(new(Any, DType.F32, new(2, 2)), included: true, [.. SourcesOf(recipe).Select(m => (m.Parameters, Any, m.Model.Text))]);
        MergeMethod closed = entry.Create(arguments)!;
        if (closed is Cki { Entropy: not CkiEntropy.Tensor }) throw recipe.MethodPosition.Refuse($"{recipe.Method}: where local is learned the entropy is that of each tensor; leave entropy out");
        return new(closed, Word(entry, arguments, Learned.PerParameter), Word(entry, arguments, Learned.StartParameter));
    }

    /// <summary>The models that a recipe puts together: where task vectors are taken from a base, without it.</summary>
    public static ImmutableArray<RecipeSource> SourcesOf(Recipe recipe) =>
        MergeMethod.Find(recipe.Method) is { Base: BaseRole.Origin } && recipe.BaseModel is { } origin ? [.. recipe.Models.Where(m => !m.Model.Equals(origin))] : recipe.Models;

    /// <summary>A word of the method, or the default where the method has no such parameter.</summary>
    public static string Word(MethodEntry entry, MethodArguments arguments, MethodParameter parameter) => entry.Parameters.Contains(parameter) ? arguments.Word(parameter) : parameter.Words[0];

    /// <summary>That there is no such method, and which there are.</summary>
    public static string Unknown(string method) =>
        $"there is no merge method '{method}'{Nearest.Hint(method, MergeMethod.All.Select(e => e.Name))}; there are {string.Join(", ", MergeMethod.All.Select(e => e.Name))}";

    private static string Learning => string.Join(", ", MergeMethod.All.Where(m => m.Learns).Select(Described));

    private static string Described(MethodEntry entry) =>
        entry.Name + (entry.Parameters.FirstOrDefault(p => p.LearnedWord is not null) is { } p ? $" with {p.Name}: {p.LearnedWord}" : "");

    private static IEnumerable<ParameterBlock> Blocks(Recipe recipe)
    {
        IEnumerable<RecipeSlice> slices = recipe.Slices.Concat(recipe.Modules.SelectMany(m => m.Slices));
        IEnumerable<RecipeSource> sources = [.. recipe.Models, .. recipe.Modules.SelectMany(m => m.Models), .. slices.SelectMany(s => s.Sources)];
        return [recipe.Parameters, .. recipe.Modules.Select(m => m.Parameters), .. slices.Select(s => s.Parameters), .. sources.Select(s => s.Parameters)];
    }
}
