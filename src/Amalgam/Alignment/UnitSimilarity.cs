namespace Amalgam.Alignment;

/// <summary>How alike the units of a class are, within models and between them.</summary>
/// <param name="Models">Number of models.</param>
/// <param name="Units">Units of the class, over all its blocks.</param>
/// <param name="Values">
/// Row-major, column model * units + unit. Either all rows, as zipping needs them, [models * units, models * units], or those of the first model alone, as alignment
/// needs them, [units, models * units].
/// </param>
public sealed record UnitSimilarity(int Models, int Units, double[] Values)
{
    /// <summary>Whether there are rows of all models.</summary>
    public bool IsFull => Values.Length == Models * Units * Models * Units;

    /// <summary>Similarity of a unit of one model and one of another (or the same).</summary>
    public double this[int model, int unit, int otherModel, int otherUnit] => Values[(model * Units + unit) * Models * Units + otherModel * Units + otherUnit];
}
