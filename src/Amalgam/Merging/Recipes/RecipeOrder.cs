using System.Collections.Immutable;

namespace Amalgam.Merging.Recipes;

/// <summary>The documents of a recipe file in the order in which they run, each after those whose results it takes.</summary>
/// <param name="Steps">All documents, the result last.</param>
/// <param name="Result">The document whose result is the merged model.</param>
public sealed record RecipeOrder(ImmutableArray<Recipe> Steps, Recipe Result)
{
    /// <summary>Orders documents by the names that they refer to; the result is the one that no other takes.</summary>
    /// <exception cref="MergeException">They refer to each other in a circle, or more than one is not taken by any other.</exception>
    public static RecipeOrder Sort(ImmutableArray<Recipe> recipes)
    {
        if (recipes.IsDefaultOrEmpty) throw new ArgumentException("there is no recipe to order", nameof(recipes));
        var named = recipes.Where(r => r.Name is not null).ToDictionary(r => r.Name!);
        Dictionary<Recipe, ImmutableArray<Recipe>> needs = new(ReferenceEqualityComparer.Instance);
        foreach (Recipe recipe in recipes) needs.Add(recipe, Needs(recipe, named));

        List<Recipe> left = [.. recipes], steps = [];
        HashSet<Recipe> done = new(ReferenceEqualityComparer.Instance);
        while (left.Count > 0)
        {
            Recipe next = left.Find(r => needs[r].All(done.Contains)) ?? throw Circle(left[0], needs, done);
            left.Remove(next);
            done.Add(next);
            steps.Add(next);
        }

        HashSet<Recipe> taken = new(needs.Values.SelectMany(n => n), ReferenceEqualityComparer.Instance);
        Recipe[] results = [.. recipes.Where(r => !taken.Contains(r))];
        return results.Length == 1 ? new([.. steps], results[0]) : throw Unused(results);
    }

    private static ImmutableArray<Recipe> Needs(Recipe recipe, Dictionary<string, Recipe> named) =>
        [.. recipe.References.Where(r => r.Revision is null && named.ContainsKey(r.Path)).Select(r => named[r.Path]).Distinct()];

    /// <summary>Follows what is needed and not done until a document comes again.</summary>
    private static MergeException Circle(Recipe first, Dictionary<Recipe, ImmutableArray<Recipe>> needs, HashSet<Recipe> done)
    {
        List<Recipe> path = [];
        Recipe at = first;
        while (!path.Contains(at))
        {
            path.Add(at);
            at = needs[at].First(r => !done.Contains(r));
        }

        string circle = string.Join(" -> ", path.SkipWhile(r => !ReferenceEquals(r, at)).Append(at).Select(r => r.Name));
        return at.Position.Refuse($"documents need each other in a circle: {circle}; a folder of that name is written as ./{at.Name}");
    }

    private static MergeException Unused(Recipe[] results)
    {
        Recipe[] unnamed = [.. results.Where(r => r.Name is null)];
        if (unnamed.Length == 1)
        {
            Recipe[] unused = [.. results.Where(r => r.Name is not null)];
            return unused[0].Position.Refuse($"no other document uses {Labels(unused)}, and the result is {Labels(unnamed)}; use or remove it");
        }

        return results[0].Position.Refuse($"expected one document that no other uses, the result, found {results.Length}: {Labels(results)}");
    }

    private static string Labels(Recipe[] recipes) =>
        string.Join(", ", recipes.Select(r => r.Name is null ? $"the unnamed one at line {r.Position.Line}" : Nearest.Quote(r.Name)));
}
