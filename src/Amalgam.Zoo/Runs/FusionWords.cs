using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;

namespace Amalgam.Zoo.Runs;

/// <summary>The words of settings of a fusion, for recipes and for the command line.</summary>
public static class FusionWords
{
    /// <summary>What makes layers unlike.</summary>
    public static readonly Vocabulary<LayerMeasure> Measures = new(("cka", LayerMeasure.Cka), ("width", LayerMeasure.Width), ("wasserstein", LayerMeasure.Wasserstein));

    /// <summary>What transported units are compared by.</summary>
    public static readonly Vocabulary<MatchingSpace> Grounds = new(("activations", MatchingSpace.Activations), ("weights", MatchingSpace.Weights));

    /// <summary>What makes units far apart.</summary>
    public static readonly Vocabulary<GroundMetric> Metrics = new(("euclidean", GroundMetric.Euclidean), ("cosine", GroundMetric.Cosine));

    /// <summary>How much units weigh.</summary>
    public static readonly Vocabulary<Marginals> Marginals = new(("uniform", Alignment.Fusion.Marginals.Uniform), ("l1", Alignment.Fusion.Marginals.ImportanceL1), ("l2", Alignment.Fusion.Marginals.ImportanceL2));

    /// <summary>Which maps residual streams have.</summary>
    public static readonly Vocabulary<ResidualMaps> Residuals = new(("shared", ResidualMaps.Shared), ("upstream", ResidualMaps.Upstream));

    /// <summary>How incoming weights are scaled where widths differ.</summary>
    public static readonly Vocabulary<IncomingScale> Scales = new(("column", IncomingScale.Column), ("row", IncomingScale.Row));
}
