using System.Collections.Immutable;

namespace Amalgam.Training.Data;

/// <summary>
/// Samples to train, calibrate or evaluate with. A sample is an array for each field; what is read depends on the sample's index and the draw alone, so batches
/// can be filled in any order, on any thread, and again after a restart.
/// </summary>
public abstract class Dataset
{
    /// <summary>What the data is, for people.</summary>
    public abstract string Name { get; }

    /// <summary>Number of samples.</summary>
    public abstract int Count { get; }

    /// <summary>The arrays of a sample.</summary>
    public abstract ImmutableArray<Field> Fields { get; }

    /// <summary>Class of each sample; empty when the data is unlabelled or its truth is not a class.</summary>
    public virtual ReadOnlySpan<int> Labels => [];

    /// <summary>Names of the classes, one for each value that a label may take; empty when there are no labels.</summary>
    public virtual ImmutableArray<string> Classes => [];

    /// <summary>Whether <see cref="Classes"/> are all that there are; false where they were gathered from the labels, so that a network may know more.</summary>
    public virtual bool KnowsClasses => true;

    /// <summary>Writes one field of one sample. Thread-safe; allocates nothing once warm.</summary>
    /// <param name="field">Position in <see cref="Fields"/>.</param>
    /// <param name="sample">From 0 to <see cref="Count"/> - 1.</param>
    /// <param name="draw">What random choices depend on; data without any ignores it.</param>
    /// <param name="y">Receives as many numbers as the field's shape has.</param>
    public abstract void Read(int field, int sample, Draw draw, Span<float> y);

    /// <summary>Position of a field.</summary>
    /// <exception cref="ArgumentException">There is no field of that name.</exception>
    public int IndexOf(string field)
    {
        for (int i = 0; i < Fields.Length; i++)
        {
            if (Fields[i].Name == field) return i;
        }

        throw new ArgumentException($"{Name} has no field '{field}'; it has {string.Join(", ", Fields.Select(f => f.Name))}", nameof(field));
    }
}
