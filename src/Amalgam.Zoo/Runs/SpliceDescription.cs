using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Runs;

/// <summary>What a learned splice is of.</summary>
/// <param name="Recipe">Models, base, method and parameters.</param>
/// <param name="Method">The method as the command line names it.</param>
/// <param name="Run">Data and training; its model is used for checkpoints that do not say what they are of.</param>
public sealed record SpliceDescription(Recipe Recipe, string Method, RunDescription Run)
{
    /// <summary>The recipe as text, with the very files of weights; null for none to be kept.</summary>
    public string? Text { get; init; }

    /// <summary>Whether, where everything is trained, the first model is also trained on alone, to compare with.</summary>
    public bool Baseline { get; init; } = true;
}
