using Amalgam.Training;
using static System.FormattableString;

namespace Amalgam.Transfer.MergeNet;

/// <summary>
/// What an adapter learns by, with all constants, parted by ", ": the same under every culture, and whatever the members of the records are called. Of a rule or a schedule of a caller's own that is its name and the
/// constants that all have.
/// </summary>
internal static class RuleText
{
    /// <summary>The text of an optimiser's rule.</summary>
    public static string Of(UpdateRule rule)
    {
        string constants = rule switch
        {
            Sgd sgd => Invariant($", momentum {sgd.Momentum}{(sgd.Nesterov ? " of Nesterov" : "")}"),
            Adam adam => Invariant($", beta1 {adam.Beta1}, beta2 {adam.Beta2}, epsilon {adam.Epsilon}"),
            _ => "",
        };
        return Invariant($"{rule.Name}{constants}, weight decay {rule.WeightDecay}");
    }

    /// <summary>The text of a schedule.</summary>
    public static string Of(Schedule schedule)
    {
        string constants = schedule switch
        {
            StepRate step => Invariant($", every {step.Every}, drop {step.Drop}"),
            MultiStepRate steps => Invariant($", at {string.Join(" and ", steps.Milestones.Select(milestone => Invariant($"{milestone}")))}, drop {steps.Drop}"),
            CosineRate cosine => Invariant($", last {cosine.Last}"),
            LinearRate linear => Invariant($", last {linear.Last}"),
            _ => "",
        };
        return Invariant($"{schedule.Name}{constants}, warm-up {schedule.Warmup}, {(schedule.PerEpoch ? "by epochs" : "by steps")}");
    }
}
