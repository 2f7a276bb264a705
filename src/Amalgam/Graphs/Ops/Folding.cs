using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// The loops of reductions. Neighbouring axes that are both kept or both reduced count as one; the innermost of those gives rows. Each result is folded by one
/// part, in the order of the input.
/// </summary>
internal static class Folding
{
    private const int Block = 2048, RowsOfPart = 32;

    /// <summary>Reduces the masked axes.</summary>
    public static void Run(Reduction op, Tensor x, uint mask, Tensor y)
    {
        if (y.Count == 0) return;
        if (x.Count == 0)
        {
            y.Span.Fill(op.Start);
            op.Finish(y.Span, 0);
            return;
        }

        Layout layout = Layout.Of(x.Shape, mask);
        int columns = layout.IsRowReduced ? 1 : layout.Row, parts = (columns + Lanes.Columns - 1) / Lanes.Columns;
        int work = Math.Max(1, x.Count / (y.Count / columns) / parts);
        Cores.ForRange(layout.Kept * parts, Math.Max(1, Unary.Block * 4 / work), (op, x, y, layout, parts), static (s, from, to) =>
        {
            if (s.layout.IsRowReduced) OverRows(s.op, s.x, s.y, s.layout, from, to);
            else OverColumns(s.op, s.x, s.y, s.layout, s.parts, from, to);
        });
    }

    /// <summary>Stretches over the masked axes of the result.</summary>
    public static void Spread(Tensor x, uint mask, Tensor y)
    {
        if (y.Count == 0) return;
        Layout layout = Layout.Of(y.Shape, mask);
        Cores.ForRange(layout.Kept * layout.Reduced, Math.Max(1, Unary.Block * 4 / layout.Row), (x, y, layout), static (s, from, to) =>
        {
            int row = s.layout.Row;
            for (int i = from; i < to; i++)
            {
                int kept = i / s.layout.Reduced;
                Span<float> y = s.y.Span.Slice(s.layout.OffsetOfKept(kept) + s.layout.OffsetOfReduced(i % s.layout.Reduced), row);
                if (s.layout.IsRowReduced) y.Fill(s.x.Span[kept]);
                else s.x.Span.Slice(kept * row, row).CopyTo(y);
            }
        });
    }

    /// <summary>Turns the greatest of the masked axes into greatest + log(sum of exp(x - greatest)).</summary>
    public static void SumOfExponentials(Tensor x, uint mask, Tensor y)
    {
        if (x.Count == 0) return;
        Layout layout = Layout.Of(x.Shape, mask);
        int columns = layout.IsRowReduced ? 1 : layout.Row;
        Cores.ForRange(layout.Kept, Math.Max(1, Unary.Block / Math.Max(1, x.Count / layout.Kept)), (x, y, layout, columns), static (s, from, to) =>
        {
            Span<float> buffer = stackalloc float[Lanes.Columns];
            for (int i = from; i < to; i++)
            {
                for (int column = 0; column < s.columns; column++) s.y.Span[i * s.columns + column] = Of(s.x, s.layout, i, column, s.y.Span[i * s.columns + column], buffer);
            }
        });

        static float Of(Tensor x, in Layout layout, int kept, int column, float greatest, Span<float> buffer)
        {
            if (!float.IsFinite(greatest)) return greatest;
            double sum = 0;
            int offset = layout.OffsetOfKept(kept) + column;
            for (int r = 0; r < layout.Reduced; r++)
            {
                ReadOnlySpan<float> row = x.Span.Slice(offset + layout.OffsetOfReduced(r), layout.IsRowReduced ? layout.Row : 1);
                for (; !row.IsEmpty; row = row[Math.Min(row.Length, buffer.Length)..])
                {
                    Span<float> part = buffer[..Math.Min(row.Length, buffer.Length)];
                    Special.Exp(row[..part.Length], greatest, part);
                    sum += TensorPrimitives.Sum(part);
                }
            }

            return (float)(greatest + Math.Log(sum));
        }
    }

    private static void OverRows(Reduction op, Tensor x, Tensor y, in Layout layout, int from, int to)
    {
        Span<float> results = y.Span[from..to];
        for (int i = from; i < to; i++)
        {
            double sum = op.Start;
            int offset = layout.OffsetOfKept(i);
            for (int r = 0; r < layout.Reduced; r++)
            {
                ReadOnlySpan<float> row = x.Span.Slice(offset + layout.OffsetOfReduced(r), layout.Row);
                for (; row.Length > Block; row = row[Block..]) sum = op.Fold(sum, row[..Block]);
                sum = op.Fold(sum, row);
            }

            results[i - from] = (float)sum;
        }

        op.Finish(results, layout.Reduced * layout.Row);
    }

    private static void OverColumns(Reduction op, Tensor x, Tensor y, in Layout layout, int parts, int from, int to)
    {
        Span<float> buffer = stackalloc float[Lanes.Columns];
        for (int i = from; i < to; i++)
        {
            int kept = i / parts, column = i % parts * Lanes.Columns, count = Math.Min(Lanes.Columns, layout.Row - column);
            int offset = layout.OffsetOfKept(kept) + column;
            Span<float> sum = y.Span.Slice(kept * layout.Row + column, count), part = buffer[..count];
            sum.Fill(op.Start);
            for (int r = 0; r < layout.Reduced;)
            {
                part.Fill(op.Start);
                for (int end = Math.Min(layout.Reduced, r + RowsOfPart); r < end; r++) op.Fold(x.Span.Slice(offset + layout.OffsetOfReduced(r), count), part);
                op.Join(part, sum);
            }

            op.Finish(sum, layout.Reduced);
        }
    }

    /// <summary>The axes of a tensor as those kept and those reduced, outside of rows, each with size and stride.</summary>
    private struct Layout
    {
        private Dims _keptSizes, _keptStrides, _reducedSizes, _reducedStrides;
        private int _keptAxes, _reducedAxes;

        /// <summary>Length of a row.</summary>
        public int Row { get; private set; }

        /// <summary>Whether rows are reduced.</summary>
        public bool IsRowReduced { get; private set; }

        /// <summary>Positions along the kept axes outside of rows.</summary>
        public int Kept { get; private set; }

        /// <summary>Positions along the reduced axes outside of rows.</summary>
        public int Reduced { get; private set; }

        public static Layout Of(Shape shape, uint mask)
        {
            Layout layout = new() { Row = 1, Kept = 1, Reduced = 1 };
            int axis = shape.Rank - 1, stride = 1;
            for (; axis >= 0; axis--)
            {
                bool isReduced = (mask >> axis & 1) != 0;
                if (shape[axis] != 1)
                {
                    if (layout.Row != 1 && isReduced != layout.IsRowReduced) break;
                    (layout.Row, layout.IsRowReduced) = (layout.Row * shape.Size(axis), isReduced);
                }
            }

            for (stride = layout.Row; axis >= 0; axis--)
            {
                int size = shape.Size(axis);
                if (size == 1) continue;
                if ((mask >> axis & 1) != 0)
                {
                    (layout._reducedSizes[layout._reducedAxes], layout._reducedStrides[layout._reducedAxes++]) = (size, stride);
                    layout.Reduced *= size;
                }
                else
                {
                    (layout._keptSizes[layout._keptAxes], layout._keptStrides[layout._keptAxes++]) = (size, stride);
                    layout.Kept *= size;
                }

                stride *= size;
            }

            return layout;
        }

        public readonly int OffsetOfKept(int index) => Offset(index, _keptAxes, _keptSizes, _keptStrides);

        public readonly int OffsetOfReduced(int index) => Offset(index, _reducedAxes, _reducedSizes, _reducedStrides);

        private static int Offset(int index, int axes, in Dims sizes, in Dims strides)
        {
            int offset = 0;
            for (int i = 0; i < axes; i++)
            {
                offset += i == axes - 1 ? index * strides[i] : index % sizes[i] * strides[i];
                index /= sizes[i];
            }

            return offset;
        }
    }
}
