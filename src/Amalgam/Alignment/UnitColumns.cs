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

    private readonly int[] _units, _columns, _others;

    private UnitColumns(int[] units, int[] columns, int[] others) => (_units, _columns, _others) = (units, columns, others);

    /// <summary>Number of columns.</summary>
    public int Count => _columns.Length;

    /// <summary>Whether a place says of the units of a class alone what they do: the order of other units that depend on them is not known yet.</summary>
    public static bool IsOwn(UnitGroups groups, UnitPlace place) =>
        !groups.LayoutOf(place.Node).SelectMany(axis => axis.Parts).SelectMany(part => part.Digits).Any(digit => digit.Class is { } other && other != place.Units && other.Chain.Contains(place.Units));

    /// <summary>Finds the units of a place.</summary>
    /// <param name="groups">The units of the network.</param>
    /// <param name="place">Where they are. Units of other classes that are free are no columns, as their order is not known yet: the mean over them is taken.</param>
    /// <param name="shape">Shape of the value: that of the place's node, or with axes that have more positions by a leading factor, which then counts as samples.</param>
    public static UnitColumns Of(UnitGroups groups, UnitPlace place, Shape shape)
    {
        var layout = groups.LayoutOf(place.Node);
        int[] columns = [0], others = [0], strides = new int[place.Chain.Length];
        for (int axis = 0, step = (int)shape.Count; axis < shape.Rank; axis++)
        {
            int size = shape.Size(axis), whole = place.Node.Shape.Size(axis);
            step /= Math.Max(1, size);
            int[] levels = [.. Enumerable.Range(0, place.Chain.Length).Where(level => place.Chain[level].Axis == axis)];
            AxisPart? part = levels.Length > 0 ? place.Chain[levels[0]].Part : layout[axis].Parts is [var only] && only.Digits.Any(IsFree) ? only : null;
            if (part is null)
            {
                columns = Times(columns, size, step);
                continue;
            }

            // Positions that the analysed network has not: more samples, before all others.
            bool hasLead = part.Digits[0] is { Class: null } first && first.Size * first.Stride == whole;
            int repeated = hasLead ? part.Digits[0].Stride : whole;
            columns = [.. Times(columns, size / repeated, repeated * step).Select(column => column + part.Offset * step)];
            for (int i = hasLead ? 1 : 0; i < part.Digits.Length; i++)
            {
                UnitDigit digit = part.Digits[i];
                int level = levels.Where(l => place.Chain[l].Digit == i).DefaultIfEmpty(-1).First();
                if (level >= 0) strides[level] = digit.Stride * step;
                else if (IsFree(digit)) others = Times(others, digit.Size, digit.Stride * step);
                else columns = Times(columns, digit.Size, digit.Stride * step);
            }
        }

        int[] units = [0];
        for (int level = 0; level < strides.Length; level++) units = Times(units, place.Units.Chain[level].Size, strides[level]);
        return new(units, columns, others);
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
                if (_others.Length > 1) TakeMeans(x, _units[unit], some, y);
                else if (run) x.Slice(_units[unit] + some[0], some.Length).CopyTo(y);
                else Gather(x[_units[unit]..], some, y);
            }
        }
    }

    private static void Gather(ReadOnlySpan<float> x, ReadOnlySpan<int> columns, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++) y[i] = x[columns[i]];
    }

    private void TakeMeans(ReadOnlySpan<float> x, int unit, ReadOnlySpan<int> columns, Span<float> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            double sum = 0;
            foreach (int other in _others) sum += x[unit + columns[i] + other];
            y[i] = (float)(sum / _others.Length);
        }
    }

    private static bool IsFree(UnitDigit digit) => digit.Class is { Pinned: null };

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
