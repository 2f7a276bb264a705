namespace Amalgam.Alignment.Layers;

/// <summary>What stands for the Relu between two layers that are merged: a number for each unit, by the signs of its pre-activations z on samples.</summary>
public enum Gate
{
    /// <summary>1 where the sum of z is 0 or more, else 0.</summary>
    Sum,

    /// <summary>1 where z is above 0 for half of the samples or more, else 0.</summary>
    Majority,

    /// <summary>The share of the samples for which z is above 0.</summary>
    Average,
}
