namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>A row of a table: what a training made of a network.</summary>
/// <param name="Section">The part of the table, one for each network.</param>
/// <param name="Method">What the table calls the training.</param>
/// <param name="Trial">The training.</param>
/// <param name="Subject">The network.</param>
internal sealed record TableEntry(string Section, string Method, Trial Trial, Subject Subject)
{
    /// <summary>What a network that trained alone is called: what all others are compared with.</summary>
    public const string Alone = "alone";

    /// <summary>The rows of a network that trained alone, and of what it was before.</summary>
    public static IEnumerable<TableEntry> Of(Subject subject) =>
        [.. subject.Start is null ? (TableEntry[])[] : [new(subject.Name, "before", new Untrained(subject), subject)], new(subject.Name, Alone, new Solo(subject), subject)];

    /// <summary>A row for each network that a joint training writes to.</summary>
    /// <param name="method">What the table calls it.</param>
    /// <param name="flows">What flows.</param>
    public static IEnumerable<TableEntry> Of(string method, params ReadOnlySpan<Flow> flows)
    {
        Joint trial = new([.. flows]);
        return trial.Makes.Select(subject => new TableEntry(subject.Name, method, trial, subject));
    }
}
