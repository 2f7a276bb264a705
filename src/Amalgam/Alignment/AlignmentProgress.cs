namespace Amalgam.Alignment;

/// <summary>How far matching has come.</summary>
/// <param name="Phase">What is being done: statistics, activations, sweep 3, ...</param>
/// <param name="Done">Parts of it that are done: samples, groups, ...</param>
/// <param name="Total">All of them.</param>
public sealed record AlignmentProgress(string Phase, long Done, long Total);
