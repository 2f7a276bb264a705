using System.Text.RegularExpressions;
using Amalgam.Graphs;

namespace Amalgam.Transfer;

/// <summary>What a learned coefficient is of.</summary>
public enum CoefficientScope
{
    /// <summary>Each tensor has its own.</summary>
    Tensor,

    /// <summary>The tensors of a layer share one: those whose names are equal up to the last number among their parts, or up to the last part where there is none.</summary>
    Layer,

    /// <summary>One for all tensors.</summary>
    Model,
}

/// <summary>
/// A linear combination of models whose coefficients are learned: W_0 + sum of lambda_k (W_k - W_0) where there is a base W_0, as AdaMerging has it (Yang et al., ICLR 2024, eqs. 4
/// and 5, task-wise and layer-wise), or the sum of lambda_k W_k. Learned by a task's loss, or by <see cref="Training.PredictionEntropy"/> without labels.
/// </summary>
/// <param name="Per">What a coefficient is of.</param>
/// <param name="Start">First value of all coefficients; null for 0.3 with a base (AdaMerging's), and 1 / models without.</param>
public sealed partial record LearnedCoefficients(CoefficientScope Per = CoefficientScope.Tensor, double? Start = null) : WeightRule
{
    /// <summary>What the parameters are named: this and the tensor's or the layer's name.</summary>
    public const string Prefix = "coefficients/";

    /// <summary>First value of the coefficients of task vectors (AdaMerging's).</summary>
    public const double TaskVectorStart = 0.3;

    /// <summary>First values, one for each model, in place of <see cref="Start"/>; null for none.</summary>
    public System.Collections.Immutable.ImmutableArray<double>? Starts { get; init; }

    public override VectorTreatment Vectors => VectorTreatment.Splice;

    public bool Equals(LearnedCoefficients? other) =>
        other is not null && Per == other.Per && Start == other.Start && (Starts is null ? other.Starts is null : other.Starts is { } theirs && Starts.Value.SequenceEqual(theirs));

    public override int GetHashCode() => HashCode.Combine(Per, Start, Starts?.Length);

    public override WeightNodes Express(WeightSite site)
    {
        int models = site.Parents.Length;
        if (Starts is { } given && given.Length != models) throw new GraphException($"{given.Length} coefficients for {models} models");
        Node lambda = site.Learned(Prefix + Key(site.Name), () => First(models, site.Base is not null));
        Node[] shares = [.. Enumerable.Range(0, models).Select(k => lambda.Slice(0, k, k + 1).Squeeze(0))];
        Node value = site.Base ?? shares[0] * site.Parents[0];
        for (int k = site.Base is null ? 1 : 0; k < models; k++) value += shares[k] * (site.Base is { } origin ? site.Parents[k] - origin : site.Parents[k]);
        return new(value, [.. shares]);
    }

    /// <summary>The name of what a tensor's coefficients belong to.</summary>
    internal string Key(string name) => Per switch
    {
        CoefficientScope.Tensor => name,
        CoefficientScope.Layer => LayerOf(name),
        _ => "model",
    };

    private static string LayerOf(string name)
    {
        if (UpToLastNumber().Match(name) is { Success: true } numbered) return numbered.Value;
        int end = name.LastIndexOf('.');
        return end < 0 ? name : name[..end];
    }

    [GeneratedRegex(@"^(.*\.)?\d+(?=\.)")]
    private static partial Regex UpToLastNumber();

    private Tensor First(int models, bool hasBase)
    {
        Tensor first = new(new Shape(models));
        for (int k = 0; k < models; k++) first.Span[k] = (float)(Starts?[k] ?? Start ?? (hasBase ? TaskVectorStart : 1.0 / models));
        return first;
    }
}
