using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>
/// Where the units of a class lie in a tensor: the element of a unit and a column is at the sum of two offsets. A column is a place of everything else, samples and positions.
/// </summary>
internal sealed class UnitColumns
{
    /// <summary>Squares of this side are moved at once, so that tensors with units side by side and those with positions side by side are both read by whole cache lines.</summary>
    private const int Tile = 16;

    private readonly int[] _units, _columns;

    private UnitColumns(int[] units, int[] columns) => (_units, _columns) = (units, columns);

    /// <summary>Number of columns.</summary>
    public int Count => _columns.Length;

    /// <summary>Finds the units of a class.</summary>
    /// <param name="groups">The units of the network.</param>
    /// <param name="units">The class.</param>
    /// <param name="place">Where it occurs.</param>
    /// <param name="shape">Shape of the value: that of the place's node, or with axes that have more positions by a leading factor, which then counts as samples.</param>
    public static UnitColumns Of(UnitGroups groups, UnitClass units, UnitPlace place, Shape shape)
    {
        var layouts = groups.LayoutOf(place.Node);
        UnitClass[] chain = [.. units.Chain];
        int[] at = [0], columns = [0], strides = new int[chain.Length];
        int step = shape.Count == 0 ? 0 : (int)shape.Count;
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            int size = shape.Size(axis);
            step /= Math.Max(1, size);
            AxisPart[] parts = axis == place.Axis ? [place.Part] : [.. layouts[axis].Parts];
            int known = layouts[axis].Parts.Sum(part => part.Count);
            columns = Times(columns, size / known, known * step);
            List<int> within = [];
            foreach (AxisPart part in parts)
            {
                int[] of = [part.Offset * step];
                foreach (UnitDigit digit in part.Digits)
                {
                    int level = digit.Class is null || (axis != place.Axis && place.Part.IndexOf(digit.Class) >= 0) ? -1 : Array.IndexOf(chain, digit.Class);
                    if (level >= 0 && strides[level] == 0) strides[level] = digit.Stride * step;
                    else of = Times(of, digit.Size, digit.Stride * step);
                }

                within.AddRange(of);
            }

            columns = [.. columns.SelectMany(column => within, (column, more) => column + more)];
        }

        for (int level = 0; level < chain.Length; level++) at = Times(at, chain[level].Size, strides[level]);
        return new(at, columns);
    }

    /// <summary>Draws columns: the columns are cut into as many runs of equal length as are wanted, and one of each is taken. Where samples come first, every sample has as many.</summary>
    /// <param name="count">Number of columns; as many as there are, or more, takes them all.</param>
    /// <param name="key">The stream of random numbers.</param>
    /// <param name="first">Where in the stream this begins.</param>
    public int[] Draw(int count, ulong key, long first)
    {
        if (count >= Count) return _columns;
        uint[] random = new uint[count];
        Philox.Fill(key, first, random);
        int[] drawn = new int[count];
        for (int i = 0; i < count; i++)
        {
            int from = (int)((long)i * Count / count), to = (int)((i + 1L) * Count / count);
            drawn[i] = _columns[from + Training.Data.Draw.Below(random[i], to - from)];
        }

        return drawn;
    }

    /// <summary>Brings some columns of a tensor to rows.</summary>
    /// <param name="x">The tensor.</param>
    /// <param name="columns">The columns, as drawn.</param>
    /// <param name="rows">[units, columns], filled.</param>
    public void Take(ReadOnlySpan<float> x, ReadOnlySpan<int> columns, Span<float> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Length, _units.Length * columns.Length);
        for (int column = 0; column < columns.Length; column += Tile)
        {
            ReadOnlySpan<int> some = columns.Slice(column, Math.Min(Tile, columns.Length - column));
            bool run = IsRun(some);
            for (int unit = 0; unit < _units.Length; unit++)
            {
                Span<float> y = rows.Slice(unit * columns.Length + column, some.Length);
                if (run) x.Slice(_units[unit] + some[0], some.Length).CopyTo(y);
                else
                {
                    int at = _units[unit];
                    for (int i = 0; i < y.Length; i++) y[i] = x[at + some[i]];
                }
            }
        }
    }

    private static bool IsRun(ReadOnlySpan<int> offsets)
    {
        for (int i = 1; i < offsets.Length; i++)
        {
            if (offsets[i] != offsets[i - 1] + 1) return false;
        }

        return true;
    }

    private static int[] Times(int[] offsets, int size, int stride)
    {
        if (size == 1) return offsets;
        int[] all = new int[offsets.Length * size];
        for (int i = 0, k = 0; i < offsets.Length; i++)
        {
            for (int j = 0; j < size; j++) all[k++] = offsets[i] + j * stride;
        }

        return all;
    }
}
