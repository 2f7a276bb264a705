namespace Amalgam.Zoo.Data;

/// <summary>The publisher's parts of a data set.</summary>
public enum Split
{
    /// <summary>What networks learn from; validation data is taken out of it.</summary>
    Train,

    /// <summary>What results are reported on; no choice may depend on it.</summary>
    Test,
}
