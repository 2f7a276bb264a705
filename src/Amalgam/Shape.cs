using System.Collections.Immutable;

namespace Amalgam;

/// <summary>The sizes of a tensor's axes, outermost first. The default value is a scalar's shape, <c>[]</c>.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly ImmutableArray<long> _sizes;

    /// <param name="sizes">Sizes of the axes, each zero or more; their product must fit in a 64-bit integer.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    /// <exception cref="OverflowException">The product of the sizes does not fit in a 64-bit integer.</exception>
    public Shape(params ReadOnlySpan<long> sizes)
    {
        long count = 1;
        foreach (long size in sizes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(sizes));
            count = checked(count * size);
        }

        _sizes = [.. sizes];
        Count = sizes.IsEmpty ? 0 : count;
    }

    /// <summary>Number of elements: the product of the sizes, 1 for a scalar.</summary>
    public long Count => Rank == 0 ? 1 : field;

    /// <summary>Number of axes.</summary>
    public int Rank => _sizes.IsDefault ? 0 : _sizes.Length;

    /// <summary>Size of one axis; <c>^1</c> is the innermost.</summary>
    public long this[Index axis] => Sizes[axis];

    /// <summary>The sizes, outermost first.</summary>
    public ReadOnlySpan<long> Sizes => _sizes.IsDefault ? [] : _sizes.AsSpan();

    /// <summary>Size of one axis as an <see cref="int"/>, which every tensor in memory allows.</summary>
    /// <exception cref="OverflowException">The size does not fit.</exception>
    public int Size(Index axis) => checked((int)Sizes[axis]);

    /// <summary>The shape of sizes given as any integers.</summary>
    public static Shape Of(IEnumerable<int> sizes) => new([.. sizes.Select(s => (long)s)]);

    /// <summary>The shape that two shapes take together: axes are aligned at the innermost, and a size of 1 stretches to the other's.</summary>
    /// <returns>Null when two sizes differ and neither is 1.</returns>
    public static Shape? Broadcast(Shape a, Shape b)
    {
        long[] sizes = new long[Math.Max(a.Rank, b.Rank)];
        for (int i = 1; i <= sizes.Length; i++)
        {
            long ofA = i <= a.Rank ? a[^i] : 1, ofB = i <= b.Rank ? b[^i] : 1;
            if (ofA != ofB && ofA != 1 && ofB != 1) return null;
            sizes[^i] = ofA == 1 ? ofB : ofA;
        }

        return new(sizes);
    }

    public bool Equals(Shape other) => Sizes.SequenceEqual(other.Sizes);

    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = new();
        foreach (long size in Sizes) hash.Add(size);
        return hash.ToHashCode();
    }

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>For example <c>[64,3,7,7]</c>.</summary>
    public override string ToString() => $"[{string.Join(',', Sizes.ToArray())}]";
}
