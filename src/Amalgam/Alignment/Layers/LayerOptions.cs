namespace Amalgam.Alignment.Layers;

/// <summary>What makes two layers unlike.</summary>
public enum LayerMeasure
{
    /// <summary>One minus the linear CKA of their pre-activations (Kornblith et al., 2019), centred over samples.</summary>
    Cka,

    /// <summary>The squared difference of their widths, which needs no data.</summary>
    Width,

    /// <summary>What it costs to move the units of one onto those of the other, each unit the vector of its pre-activations.</summary>
    Wasserstein,
}

/// <summary>How layers are matched. The defaults are CLAFusion's.</summary>
public sealed record LayerOptions
{
    /// <summary>What makes two layers unlike.</summary>
    public LayerMeasure Measure { get; init; } = LayerMeasure.Cka;

    /// <summary>In each group, so many first layers of the shallower network belong to the first ones of the deeper.</summary>
    public int PinnedFirst { get; init; } = 1;

    /// <summary>In each group, so many last layers belong to the last ones.</summary>
    public int PinnedLast { get; init; } = 1;

    /// <summary>Samples of the data that are looked at; all where there are no more.</summary>
    public int Samples { get; init; } = 200;

    /// <summary>Draws the samples.</summary>
    public long Seed { get; init; }

    /// <summary>Samples at a time.</summary>
    public int Batch { get; init; } = 100;
}
