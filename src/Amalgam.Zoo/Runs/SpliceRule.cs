using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>What a recipe's method becomes where it learns: the rule of its weights, and which weights these are.</summary>
internal static class SpliceRule
{
    private static readonly ImmutableArray<string> PatternKeys = ["include", "exclude"];

    /// <summary>The rule with the method's parameters.</summary>
    public static WeightRule Of(Learned learned) => learned.Closed switch
    {
        Cki cki => new LearnedCki(cki) { Start = learned.Start == "zero" ? Initialisation.Zeros : Initialisation.XavierUniform },
        Linear linear => new LearnedCoefficients(ScopeOf(learned.Per)) { Starts = linear.Factors },
        TaskArithmetic tasks => new LearnedCoefficients(ScopeOf(learned.Per)) { Starts = tasks.Factors },
        _ => throw new NotSupportedException($"{learned.Closed.GetType().Name} has nothing to learn"),
    };

    /// <summary>What is integrated, by the recipe's patterns and what it says of biases.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="models">The models, the first of which keeps what is not spliced.</param>
    /// <param name="origin">The model that they come from; null where none is named.</param>
    /// <param name="run">How the network is trained.</param>
    public static IntegrationOptions Options(Recipe recipe, WeightRule rule, IReadOnlyList<Graph> models, Graph? origin, RunDescription run)
    {
        NamePattern[] include = Patterns(recipe, "include"), exclude = Patterns(recipe, "exclude");
        VectorTreatment? vectors = recipe.Parameters["biases"]?.Word("") switch { "average" => VectorTreatment.Average, "splice" => VectorTreatment.Splice, "base" => VectorTreatment.Base, _ => null };
        IntegrationOptions options = new() { Train = run.Train ?? TrainScope.Splice, Seed = run.Seed, Base = origin, Vectors = vectors };
        if (include.Length + exclude.Length == 0) return options;

        bool Selected(string name) => (include.Length == 0 || include.Any(p => p.Matches(name))) && !exclude.Any(p => p.Matches(name));
        bool IsMatrix(string name) => models.Select(m => m.Parameters.GetValueOrDefault(name)).FirstOrDefault(node => node is not null) is { Shape.Rank: > 1 };
        if (rule is LearnedCoefficients)
        {
            // A bias that is left out on purpose is not to come in with its weight.
            bool leavesBiases = models[0].Parameters.Keys.Any(name => !Selected(name) && name.EndsWith("bias", StringComparison.Ordinal) && Selected(name[..^"bias".Length] + "weight"));
            return options with { Include = Selected, Vectors = leavesBiases ? VectorTreatment.Base : VectorTreatment.Splice };
        }

        bool namesVectors = vectors is null && include.Length > 0;
        return options with { Include = name => Selected(name) && (namesVectors || IsMatrix(name)), Vectors = vectors ?? VectorTreatment.Base };
    }

    /// <summary>The rule with all that it is given, so that different ones have different texts.</summary>
    public static string Text(Recipe recipe, WeightRule rule, IntegrationOptions options)
    {
        string starts = rule is LearnedCoefficients { Starts: { } given } ? string.Join('/', given.Select(x => x.ToString("R", CultureInfo.InvariantCulture))) : "";
        string patterns = string.Concat(PatternKeys.Select(key => $" {key} [{string.Join(", ", Patterns(recipe, key).Select(p => p.Text))}]"));
        return $"{rule} {starts} vectors {options.Vectors ?? rule.Vectors}{patterns}";
    }

    /// <summary>Refuses patterns of a recipe that are of no weight.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="names">Names of all weights.</param>
    /// <exception cref="MergeException">There is such a pattern.</exception>
    public static void CheckPatterns(Recipe recipe, IReadOnlyCollection<string> names)
    {
        foreach (string key in PatternKeys)
        {
            if (Patterns(recipe, key).FirstOrDefault(p => !names.Any(p.Matches)) is { } idle)
                throw recipe.Parameters.Entries.First(e => e.Name == key).Position.Refuse($"{key}: no weight of the models matches {Nearest.Quote(idle.Text)}");
        }
    }

    private static CoefficientScope ScopeOf(string per) => per switch { "layer" => CoefficientScope.Layer, "model" => CoefficientScope.Model, _ => CoefficientScope.Tensor };

    private static NamePattern[] Patterns(Recipe recipe, string key) => [.. (recipe.Parameters[key]?.Patterns ?? []).Select(p => NamePattern.Parse(p, plainIsGlob: true))];
}
