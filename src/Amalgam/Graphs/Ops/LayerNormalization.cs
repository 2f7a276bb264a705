using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX LayerNormalization: (x - mean) / sqrt(var + epsilon) over the axes from one on, times scale, plus bias where there is one. Inputs x, scale[, bias], both in
/// the shape of the normalised axes (J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization, 2016).
/// </summary>
/// <param name="Axis">The first axis normalised over; negative counts from the end.</param>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record LayerNormalization(int Axis = -1, float Epsilon = 1e-5f) : RowNormalization(Axis, Epsilon)
{
    internal override bool IsCentred => true;

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axis", (long)Axis), ("epsilon", Epsilon));
}

/// <summary>
/// ONNX RMSNormalization: x / sqrt(mean of x^2 + epsilon) over the axes from one on, times scale. Inputs x, scale, the latter in the shape of the normalised axes
/// (B. Zhang and R. Sennrich, Root Mean Square Layer Normalization, 2019).
/// </summary>
/// <param name="Axis">The first axis normalised over; negative counts from the end.</param>
/// <param name="Epsilon">Added to the mean square.</param>
public sealed record RMSNormalization(int Axis = -1, float Epsilon = 1e-5f) : RowNormalization(Axis, Epsilon)
{
    internal override bool IsCentred => false;

    public override string Export(Node y, OnnxExport to)
    {
        string x = to[y.Inputs[0]];
        int rank = y.Shape.Rank, axis = AxisSet.At(Axis, rank);
        long[] axes = [.. Enumerable.Range(axis, rank - axis).Select(a => (long)a)];
        string mean = to.Emit("ReduceMean", [to.Emit("Mul", [x, x])], ("axes", axes), ("keepdims", 1L));
        string root = to.Emit("Sqrt", [to.Emit("Add", [mean, to.Constant(Tensor.Scalar(Epsilon), y.Type)])]);
        return to.Emit("Mul", [to.Emit("Div", [x, root]), to[y.Inputs[1]]]);
    }
}

/// <summary>A normalisation of rows, the axes from one on, with a scale and perhaps a bias for each position of a row.</summary>
public abstract record RowNormalization(int Axis, float Epsilon) : Op
{
    /// <summary>Whether the mean is taken away.</summary>
    internal abstract bool IsCentred { get; }

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        if (IsCentred) Arity.Check(x, 2, 3);
        else Arity.Check(x, 2);
        Shape shape = x[0].Shape, row = new(shape.Sizes[AxisSet.At(Axis, shape.Rank)..]);
        foreach (Node vector in x[1..])
        {
            if (vector.Shape != row) throw new GraphException($"scale and bias must have the shape of the normalised axes, {row}, found {vector.Shape}");
        }

        return shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int row = x[1].Count;
        if (row == 0) return;
        var state = (Op: this, X: x[0], Scale: x[1], Bias: x.Length > 2 ? x[2] : null, Y: y, row);
        Cores.ForRange(y.Count / row, Math.Max(1, Unary.Block * 2 / row), state, static (s, from, to) =>
        {
            for (int r = from; r < to; r++)
            {
                ReadOnlySpan<float> x = s.X.Span.Slice(r * s.row, s.row);
                Span<float> y = s.Y.Span.Slice(r * s.row, s.row);
                (float mean, float inverse) = RowStatistics.Of(x, s.Op.Epsilon, s.Op.IsCentred);
                TensorPrimitives.Subtract(x, mean, y);
                TensorPrimitives.Multiply(y, inverse, y);
                if (s.Bias is null) TensorPrimitives.Multiply(y, s.Scale.Span, y);
                else TensorPrimitives.MultiplyAdd(y, s.Scale.Span, s.Bias.Span, y);
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], scale = y.Inputs[1];
        Node statistics = y.Graph.Add(new RowStatistics(AxisSet.At(Axis, x.Shape.Rank), 1, Epsilon, IsCentred), x);
        Node dx = y.Graph.Add(new RowNormalizationGradient(IsCentred), x, scale, statistics, dy);
        Node dScale = y.Graph.Add(new RowNormalizationScaleGradient(scale.Shape), x, statistics, dy);
        return y.Inputs.Length == 3 ? [dx, dScale, dy] : [dx, dScale];
    }

    public override void Link(Node y, AxisLinks links)
    {
        links.Elementwise(y);
        links.Mixed([.. Enumerable.Range(0, y.Shape.Rank).Skip(AxisSet.At(Axis, y.Shape.Rank)).Select(axis => AxisLinks.Of(y, axis))]);
    }

    public override long Work(Node y) => 8 * y.Shape.Count;
}

/// <summary>Mean (or 0) and 1 / sqrt(variance + epsilon) of rows: [rows, 2]. A row is a group of the axes from one on.</summary>
/// <param name="Axis">The first axis of a row, from 0 on.</param>
/// <param name="Groups">Rows into which the axes from there on fall.</param>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="IsCentred">Whether the variance is about the mean; else about 0.</param>
public sealed record RowStatistics(int Axis, int Groups, float Epsilon, bool IsCentred) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        long rows = Groups;
        foreach (long size in x[0].Shape.Sizes[..Axis]) rows *= size;
        return new(rows, 2);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (x[0].Count == 0) return;
        int rows = y.Count / 2, row = x[0].Count / rows;
        Cores.ForRange(rows, Math.Max(1, Unary.Block * 2 / row), (X: x[0], Y: y, row, Epsilon, IsCentred), static (s, from, to) =>
        {
            for (int r = from; r < to; r++) (s.Y.Span[2 * r], s.Y.Span[2 * r + 1]) = Of(s.X.Span.Slice(r * s.row, s.row), s.Epsilon, s.IsCentred);
        });
    }

    public override long Work(Node y) => 4 * y.Inputs[0].Shape.Count;

    /// <summary>The two numbers of one row.</summary>
    internal static (float Mean, float Inverse) Of(ReadOnlySpan<float> row, float epsilon, bool isCentred)
    {
        float mean = isCentred ? (float)Moments.Mean(row) : 0;
        (double rest, double squares) = Moments.About(row, mean);
        double variance = squares / row.Length - (isCentred ? rest / row.Length * (rest / row.Length) : 0);
        return (mean, (float)(1 / Math.Sqrt(Math.Max(variance, 0) + epsilon)));
    }
}

/// <summary>Gradient by the input of a normalisation of rows. Inputs x, scale, statistics [rows, 2], dy.</summary>
public sealed record RowNormalizationGradient(bool IsCentred) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 4);
        return x[0].Shape == x[3].Shape && x[2].Shape.Count / 2 * x[1].Shape.Count == x[0].Shape.Count
            ? x[0].Shape : throw new GraphException("x and dy must have one shape, rows times the scale's");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int row = x[1].Count;
        if (row == 0) return;
        Cores.ForRange(y.Count / row, Math.Max(1, Unary.Block * 2 / row), (X: x[0], Scale: x[1], Statistics: x[2], Dy: x[3], Y: y, row, IsCentred), static (s, from, to) =>
        {
            for (int r = from; r < to; r++)
            {
                ReadOnlySpan<float> x = s.X.Span.Slice(r * s.row, s.row), dy = s.Dy.Span.Slice(r * s.row, s.row);
                Span<float> y = s.Y.Span.Slice(r * s.row, s.row);
                float mean = s.Statistics.Span[2 * r], inverse = s.Statistics.Span[2 * r + 1];
                (double sum, double products) = Moments.Along(x, mean, dy, s.Scale.Span);
                double a = inverse, b = -a * a * a * products / s.row, c = s.IsCentred ? -a * sum / s.row : 0;
                TensorPrimitives.Multiply(dy, s.Scale.Span, y);
                Moments.Affine(y, (float)a, x, mean, (float)b, (float)c, y);
            }
        });
    }

    public override long Work(Node y) => 10 * y.Shape.Count;
}

/// <summary>Gradient by the scale of a normalisation of rows: the sum over rows of dy x^, x^ being the normalised input. Inputs x, statistics [rows, 2], dy.</summary>
/// <param name="Row">Shape of a row, which is the scale's.</param>
public sealed record RowNormalizationScaleGradient(Shape Row) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        return x[0].Shape == x[2].Shape && x[1].Shape.Count / 2 * Row.Count == x[0].Shape.Count ? Row : throw new GraphException($"x and dy must have one shape, rows of {Row}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Cores.ForRange(y.Count, Lanes.Columns, (X: x[0], Statistics: x[1], Dy: x[2], Y: y), static (s, from, to) =>
        {
            int count = to - from, row = s.Y.Count, rows = s.Statistics.Count / 2;
            Span<float> sum = s.Y.Span[from..to], part = stackalloc float[count], d = stackalloc float[count];
            sum.Clear();
            for (int r = 0; r < rows;)
            {
                part.Clear();
                for (int end = Math.Min(rows, r + 32); r < end; r++)
                {
                    TensorPrimitives.Subtract(s.X.Span.Slice(r * row + from, count), s.Statistics.Span[2 * r], d);
                    TensorPrimitives.Multiply(d, s.Statistics.Span[2 * r + 1], d);
                    TensorPrimitives.MultiplyAdd(d, s.Dy.Span.Slice(r * row + from, count), part, part);
                }

                TensorPrimitives.Add(part, sum, sum);
            }
        });

    public override long Work(Node y) => 4 * y.Inputs[0].Shape.Count;
}
