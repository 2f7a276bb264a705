using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>How the two networks of a pair differ.</summary>
public enum CkiStart
{
    /// <summary>One initialisation, two orders of the data.</summary>
    Same,

    /// <summary>Two initialisations, and two orders of the data.</summary>
    Other,
}

/// <summary>Which table of CKI's paper is reproduced, on what, and how.</summary>
public sealed record CkiOptions : ReproductionOptions
{
    /// <summary>All that a table needs, and where it goes.</summary>
    public CkiOptions() => Folder = Path.Combine("reproduce", "cki");

    /// <summary>The table, 1 to 4.</summary>
    public required int Table { get; init; }

    /// <summary>The data set, as <c>amalgam data list</c> names it.</summary>
    public required string Dataset { get; init; }

    /// <summary>The recommender: din, gru4rec or sasrec; of no meaning for text.</summary>
    public string Model { get; init; } = "din";

    /// <summary>Whether model A is a published network, of table 1 and beauty; models B are then trained from other first weights.</summary>
    public bool Published { get; init; }

    /// <summary>How often it is repeated; the seeds are 1, 2, ...</summary>
    public int Seeds { get; init; } = 3;

    /// <summary>The kinds of pairs.</summary>
    public ImmutableArray<CkiStart> Starts { get; init; } = [CkiStart.Same, CkiStart.Other];

    /// <summary>Whether every method of <c>amalgam merge</c> takes part, with parameters chosen on validation data; else the paper's baselines alone.</summary>
    public bool EveryMethod { get; init; }

    /// <summary>Passes of what is learned afterwards: splices, and training on; null for the data set's own number.</summary>
    public int? MoreEpochs { get; init; }

    /// <summary>Training samples that are used; null for the data set's own number.</summary>
    public int? Limit { get; init; }

    /// <summary>Validation samples, and test samples, that are used; null for the data set's own number of validation samples, and all test samples.</summary>
    public int? Users { get; init; }
}
