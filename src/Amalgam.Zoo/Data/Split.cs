namespace Amalgam.Zoo.Data;

/// <summary>The publisher's parts of a data set.</summary>
public enum Split
{
    /// <summary>What networks learn from; where there is no part for validation, that is taken out of it.</summary>
    Train,

    /// <summary>What choices depend on, such as the best epoch. Few data sets have such a part of their own.</summary>
    Validation,

    /// <summary>What results are reported on; no choice may depend on it.</summary>
    Test,
}
