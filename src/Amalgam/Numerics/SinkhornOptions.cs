namespace Amalgam.Numerics;

/// <summary>How <see cref="OptimalTransport.Sinkhorn"/> regularises and when it stops.</summary>
public sealed record SinkhornOptions
{
    /// <summary>Weight of the entropy, in the unit of the costs: the smaller, the nearer is the plan to the exact one and the more rounds it takes. Above 0.</summary>
    public double Regularization { get; init; } = 0.01;

    /// <summary>The largest Euclidean distance of the rows' masses from those asked for, as a share of the whole mass. The columns' are met to rounding.</summary>
    public double Tolerance { get; init; } = 1e-9;

    /// <summary>Rounds at most; a plan that is not within the tolerance then says so in <see cref="TransportPlan.Converged"/>.</summary>
    public int MaxIterations { get; init; } = 1000;
}
