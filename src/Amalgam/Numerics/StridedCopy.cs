using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Amalgam.Numerics;

/// <summary>
/// Copies elements from one strided layout to another: what transposing, slicing, concatenating, padding, repeating and stretching come down to. Axes are
/// added from the outermost to the innermost, each with its size and with its step in elements on both sides (0 repeats, negative goes backwards); neighbours
/// that are one run on both sides are merged, so the usual cases end as copies of long rows or as one transposed matrix.
/// </summary>
public struct StridedCopy
{
    /// <summary>More axes longer than 1 than this would not fit in memory.</summary>
    private const int MostAxes = 32;

    /// <summary>Rows of a transposed matrix that are one unit of work.</summary>
    private const int Tile = 32;

    /// <summary>Floats of a cache line.</summary>
    private const int Strip = 16;

    private Axes _sizes, _from, _to;
    private int _rank;
    private bool _empty;

    /// <summary>Adds an axis inside those added before.</summary>
    /// <param name="size">Number of positions.</param>
    /// <param name="from">Distance of two of them in the source.</param>
    /// <param name="to">Distance of two of them in the destination.</param>
    public void Add(int size, int from, int to)
    {
        _empty |= size == 0;
        if (size <= 1) return;
        int last = _rank - 1;
        if (last >= 0 && _from[last] == (long)from * size && _to[last] == (long)to * size)
        {
            (_sizes[last], _from[last], _to[last]) = (_sizes[last] * size, from, to);
            return;
        }

        (_sizes[_rank], _from[_rank], _to[_rank]) = (size, from, to);
        _rank++;
    }

    /// <summary>Copies.</summary>
    /// <param name="x">The source.</param>
    /// <param name="first">Where in it position 0 of every axis is.</param>
    /// <param name="y">The destination, another buffer.</param>
    /// <param name="firstTo">Where in it position 0 of every axis is.</param>
    public void Run(ReadOnlyMemory<float> x, int first, Memory<float> y, int firstTo)
    {
        if (_empty) return;
        if (_rank == 0) Add(1, 1);
        int across = IsRow ? -1 : Across();
        if (across >= 0) MoveToSecondInnermost(across);
        int inner = across >= 0 ? 2 : 1;
        long outer = 1;
        for (int axis = 0; axis < _rank - inner; axis++) outer *= _sizes[axis];
        int tiles = across >= 0 ? (_sizes[_rank - 2] + Tile - 1) / Tile : 1;
        int unit = _sizes[_rank - 1] * (across >= 0 ? Math.Min(Tile, _sizes[_rank - 2]) : 1);
        Cores.ForRange(checked((int)(outer * tiles)), Math.Max(1, Cores.WorthSharing / unit), (Plan: this, x, first, y, firstTo, tiles), static (s, from, to) =>
        {
            if (s.tiles == 1 && s.Plan.IsRow) s.Plan.Rows(s.x.Span, s.first, s.y.Span, s.firstTo, from, to);
            else s.Plan.Units(s.x.Span, s.first, s.y.Span, s.firstTo, from, to, s.tiles);
        });
    }

    /// <summary>The innermost axis is a run on both sides, or one element that fills a run.</summary>
    private readonly bool IsRow => _to[_rank - 1] == 1 && _from[_rank - 1] is 0 or 1;

    private void Add(int from, int to) => (_sizes[0], _from[0], _to[0], _rank) = (1, from, to, 1);

    /// <summary>An axis that is a run on one side while the innermost is a run on the other; -1 when there is none worth it.</summary>
    private readonly int Across()
    {
        int last = _rank - 1;
        for (int axis = last - 1; axis >= 0; axis--)
        {
            bool crossed = (_from[axis] == 1 && _to[last] == 1) || (_to[axis] == 1 && _from[last] == 1);
            if (crossed && _sizes[axis] >= 4 && _sizes[last] >= 4) return axis;
        }

        return -1;
    }

    private void MoveToSecondInnermost(int axis)
    {
        (int Size, int From, int To) moved = (_sizes[axis], _from[axis], _to[axis]);
        for (; axis < _rank - 2; axis++) (_sizes[axis], _from[axis], _to[axis]) = (_sizes[axis + 1], _from[axis + 1], _to[axis + 1]);
        (_sizes[axis], _from[axis], _to[axis]) = moved;
    }

    private readonly void Rows(ReadOnlySpan<float> x, int first, Span<float> y, int firstTo, int from, int to)
    {
        Axes at = default;
        int last = _rank - 1, size = _sizes[last], outer = Math.Max(0, last - 1);
        var (inRun, stepX, stepY) = last == 0 ? (1, 0, 0) : (_sizes[outer], _from[outer], _to[outer]);
        bool fill = _from[last] == 0;
        var (ofX, ofY) = Start(from / inRun, outer, ref at);
        for (int row = from, i = from % inRun; row < to; i = 0)
        {
            int end = Math.Min(inRun, i + to - row);
            row += end - i;
            for (int a = first + ofX + i * stepX, b = firstTo + ofY + i * stepY; i < end; i++, a += stepX, b += stepY)
            {
                if (fill) y.Slice(b, size).Fill(x[a]);
                else x.Slice(a, size).CopyTo(y.Slice(b, size));
            }

            Next(outer, ref at, ref ofX, ref ofY);
        }
    }

    private readonly void Units(ReadOnlySpan<float> x, int first, Span<float> y, int firstTo, int from, int to, int tiles)
    {
        Axes at = default;
        bool matrix = tiles > 1 || (_rank > 1 && !IsRow && Across() == _rank - 2);
        int outer = matrix ? _rank - 2 : _rank - 1;
        var (ofX, ofY) = Start(from / tiles, outer, ref at);
        for (int unit = from; unit < to; unit++)
        {
            if (matrix)
            {
                int row = unit % tiles * Tile, rows = Math.Min(Tile, _sizes[_rank - 2] - row);
                Matrix(x[(first + ofX + row * _from[_rank - 2])..], y[(firstTo + ofY + row * _to[_rank - 2])..], rows);
            }
            else
            {
                int size = _sizes[_rank - 1], stepX = _from[_rank - 1], stepY = _to[_rank - 1];
                for (int i = 0, a = first + ofX, b = firstTo + ofY; i < size; i++, a += stepX, b += stepY) y[b] = x[a];
            }

            if (unit % tiles == tiles - 1) Next(outer, ref at, ref ofX, ref ofY);
        }
    }

    private readonly void Matrix(ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        int row = _rank - 2, column = _rank - 1;
        if (_from[row] == 1) Transpose(x, y, rows, _sizes[column], _from[column], _to[row]);
        else Transpose(x, y, _sizes[column], rows, _from[row], _to[column]);
    }

    /// <summary>y[i * yStep + j] = x[j * xStep + i], squares of four by four in strips that read whole cache lines.</summary>
    private static void Transpose(ReadOnlySpan<float> x, Span<float> y, int iCount, int jCount, int xStep, int yStep)
    {
        for (int strip = 0; strip < iCount; strip += Strip)
        {
            int end = Math.Min(strip + Strip, iCount), j = 0;
            for (; j + 4 <= jCount; j += 4)
            {
                int i = strip;
                for (; i + 4 <= end; i += 4)
                {
                    int from = j * xStep + i, to = i * yStep + j;
                    Vector128<float> a = Vector128.Create(x.Slice(from, 4)), b = Vector128.Create(x.Slice(from + xStep, 4));
                    Vector128<float> c = Vector128.Create(x.Slice(from + 2 * xStep, 4)), d = Vector128.Create(x.Slice(from + 3 * xStep, 4));
                    Vector128<float> ac = GemmPanel.Low(a, c), bd = GemmPanel.Low(b, d), acHigh = GemmPanel.High(a, c), bdHigh = GemmPanel.High(b, d);
                    GemmPanel.Low(ac, bd).CopyTo(y.Slice(to, 4));
                    GemmPanel.High(ac, bd).CopyTo(y.Slice(to + yStep, 4));
                    GemmPanel.Low(acHigh, bdHigh).CopyTo(y.Slice(to + 2 * yStep, 4));
                    GemmPanel.High(acHigh, bdHigh).CopyTo(y.Slice(to + 3 * yStep, 4));
                }

                for (; i < end; i++)
                {
                    for (int k = j; k < j + 4; k++) y[i * yStep + k] = x[k * xStep + i];
                }
            }

            for (; j < jCount; j++)
            {
                for (int i = strip; i < end; i++) y[i * yStep + j] = x[j * xStep + i];
            }
        }
    }

    private readonly (int OfX, int OfY) Start(int row, int axes, ref Axes at)
    {
        int ofX = 0, ofY = 0;
        for (int axis = axes - 1; axis >= 0; axis--)
        {
            at[axis] = row % _sizes[axis];
            row /= _sizes[axis];
            ofX += at[axis] * _from[axis];
            ofY += at[axis] * _to[axis];
        }

        return (ofX, ofY);
    }

    private readonly void Next(int axes, ref Axes at, ref int ofX, ref int ofY)
    {
        for (int axis = axes - 1; axis >= 0; axis--)
        {
            ofX += _from[axis];
            ofY += _to[axis];
            if (++at[axis] < _sizes[axis]) return;
            ofX -= _sizes[axis] * _from[axis];
            ofY -= _sizes[axis] * _to[axis];
            at[axis] = 0;
        }
    }

    [InlineArray(MostAxes)]
    private struct Axes
    {
        private int _first;
    }
}
