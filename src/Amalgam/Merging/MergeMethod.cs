using System.Collections.Immutable;

namespace Amalgam.Merging;

/// <summary>
/// A way to make one tensor out of several, with the values of its parameters for that tensor. One more method is one more file with a record like this and
/// its entry, and a line in <see cref="All"/>.
/// </summary>
public abstract record MergeMethod
{
    /// <summary>Every method, in the order in which help shows them.</summary>
    public static readonly ImmutableArray<MethodEntry> All =
    [
        Linear.Entry,
        Slerp.Entry,
        NuSlerp.Entry,
        MultiSlerp.Entry,
        Karcher.Entry,
        .. TaskArithmetic.Entries,
        ModelStock.Entry,
        NearSwap.Entry,
        Sce.Entry,
        ArceeFusion.Entry,
        Ram.Entry,
        Ram.TaskLocalEntry,
        Passthrough.Entry,
        Cki.Entry,
    ];

    /// <summary>The entry of a method.</summary>
    /// <returns>Null when there is none of that name.</returns>
    public static MethodEntry? Find(string name) => All.FirstOrDefault(e => e.Name == name);

    /// <summary>Elements that must lie in one block: 1, or the length of the rows that the method works on.</summary>
    /// <param name="shape">The tensor's shape.</param>
    public virtual long Grain(Shape shape) => 1;

    /// <summary>Bytes that a worker needs beside the blocks that it reads, so that a run keeps to its memory.</summary>
    /// <param name="shape">The tensor's shape.</param>
    /// <param name="models">Number of models, without the base.</param>
    public virtual long Scratch(Shape shape, int models) => 0;

    /// <summary>
    /// Methods with equal keys, null aside, are surveyed together: <see cref="Survey"/> passes over all their tensors before the first one is merged.
    /// </summary>
    public virtual object? SurveyKey => null;

    /// <summary>Learns what the method must know of all tensors together.</summary>
    /// <param name="tensors">Every tensor that methods with this key will merge.</param>
    /// <returns>What <see cref="TensorMerge.Survey"/> will hold.</returns>
    public virtual object Survey(IReadOnlyList<TensorMerge> tensors) => throw new NotSupportedException($"{GetType().Name} needs no survey");

    /// <summary>Merges one tensor: any number of passes over its blocks, and one that writes.</summary>
    public abstract void Merge(TensorMerge t);

    /// <summary>Elements of a row: the innermost axis.</summary>
    protected static long RowOf(Shape shape) => shape.Rank == 0 ? 1 : Math.Max(1, shape[^1]);
}
