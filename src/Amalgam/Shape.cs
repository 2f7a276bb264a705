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
