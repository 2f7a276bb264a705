namespace Amalgam.Merging;

/// <summary>
/// The same run of elements of every input of a tensor, widened to float. The values are a working copy: a method may overwrite them.
/// </summary>
public readonly ref struct Block
{
    private readonly float[][] _values;
    private readonly float[]? _base;

    internal Block(long first, int count, float[][] values, float[]? baseValues) => (First, Count, _values, _base) = (first, count, values, baseValues);

    /// <summary>Row-major index in the tensor of the run's first element.</summary>
    public long First { get; }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>The run's values in one model.</summary>
    public Span<float> this[int model] => _values[model].AsSpan(0, Count);

    /// <summary>The run's values in the base; only where the method has one.</summary>
    public Span<float> Base => _base.AsSpan(0, Count);
}

/// <summary>Looks at a block, and may overwrite its values.</summary>
public delegate void BlockVisit(Block x);

/// <summary>Adds what a block contributes to an accumulator.</summary>
public delegate void BlockFold<in TSum>(Block x, TSum sum);

/// <summary>Computes a block of the merged tensor.</summary>
public delegate void BlockMap(Block x, Span<float> y);
