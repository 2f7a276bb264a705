using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX ReduceSum.</summary>
public sealed record ReduceSum(ImmutableArray<int> Axes = default, bool KeepDims = true) : Summation(Axes, KeepDims)
{
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy, y.Inputs[0])];

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, [to[y.Inputs[0]], Axes.IsDefaultOrEmpty ? "" : to.Integers([.. Axes.Select(a => (long)a)])], ("keepdims", KeepDims ? 1L : 0L));

    internal override double Fold(double sum, ReadOnlySpan<float> row) => sum + TensorPrimitives.Sum(row);

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.Add(row, sum, sum);
}

/// <summary>ONNX ReduceMean.</summary>
public sealed record ReduceMean(ImmutableArray<int> Axes = default, bool KeepDims = true) : Summation(Axes, KeepDims)
{
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy * (y.Shape.Count / (float)y.Inputs[0].Shape.Count), y.Inputs[0])];

    internal override double Fold(double sum, ReadOnlySpan<float> row) => sum + TensorPrimitives.Sum(row);

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.Add(row, sum, sum);

    internal override void Finish(Span<float> y, int count) => TensorPrimitives.Divide(y, (float)count, y);
}

/// <summary>ONNX ReduceSumSquare.</summary>
public sealed record ReduceSumSquare(ImmutableArray<int> Axes = default, bool KeepDims = true) : Summation(Axes, KeepDims)
{
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy * 2, y.Inputs[0]) * y.Inputs[0]];

    internal override double Fold(double sum, ReadOnlySpan<float> row) => sum + TensorPrimitives.SumOfSquares(row);

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.MultiplyAdd(row, row, sum, sum);
}

/// <summary>ONNX ReduceL1: the sum of magnitudes.</summary>
public sealed record ReduceL1(ImmutableArray<int> Axes = default, bool KeepDims = true) : Summation(Axes, KeepDims)
{
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy, y.Inputs[0]) * y.Inputs[0].Sign()];

    internal override double Fold(double sum, ReadOnlySpan<float> row) => sum + TensorPrimitives.SumOfMagnitudes(row);

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => Map.Apply<Expression>(row, sum, sum);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> sum) => sum + Vector.Abs(x);
    }
}

/// <summary>ONNX ReduceL2: the square root of the sum of squares.</summary>
public sealed record ReduceL2(ImmutableArray<int> Axes = default, bool KeepDims = true) : Summation(Axes, KeepDims)
{
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy / y, y.Inputs[0]) * y.Inputs[0]];

    internal override double Fold(double sum, ReadOnlySpan<float> row) => sum + TensorPrimitives.SumOfSquares(row);

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.MultiplyAdd(row, row, sum, sum);

    internal override void Finish(Span<float> y, int count) => TensorPrimitives.Sqrt(y, y);
}

/// <summary>ONNX ReduceLogSum: the logarithm of the sum.</summary>
public sealed record ReduceLogSum(ImmutableArray<int> Axes = default, bool KeepDims = true) : Summation(Axes, KeepDims)
{
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy * (-y).Exp(), y.Inputs[0])];

    internal override double Fold(double sum, ReadOnlySpan<float> row) => sum + TensorPrimitives.Sum(row);

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.Add(row, sum, sum);

    internal override void Finish(Span<float> y, int count) => TensorPrimitives.Log(y, y);
}

/// <summary>ONNX ReduceProd.</summary>
public sealed record ReduceProd(ImmutableArray<int> Axes = default, bool KeepDims = true) : Reduction(Axes, KeepDims)
{
    internal override float Start => 1;

    /// <summary>Right where no factor is 0.</summary>
    public override Node?[] Gradient(Node y, Node dy) => [Spread(dy * y, y.Inputs[0]) / y.Inputs[0]];

    internal override double Fold(double sum, ReadOnlySpan<float> row)
    {
        foreach (float x in row) sum *= x;
        return sum;
    }

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.Multiply(row, sum, sum);

    internal override void Join(ReadOnlySpan<float> part, Span<float> sum) => TensorPrimitives.Multiply(part, sum, sum);
}

/// <summary>ONNX ReduceMax; NaN where there is one. Equal greatest elements share the gradient.</summary>
public sealed record ReduceMax(ImmutableArray<int> Axes = default, bool KeepDims = true) : Extreme(Axes, KeepDims)
{
    internal override float Start => float.NegativeInfinity;

    internal override double Fold(double sum, ReadOnlySpan<float> row) => Math.Max(sum, TensorPrimitives.Max(row));

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.Max(row, sum, sum);
}

/// <summary>ONNX ReduceMin; NaN where there is one. Equal least elements share the gradient.</summary>
public sealed record ReduceMin(ImmutableArray<int> Axes = default, bool KeepDims = true) : Extreme(Axes, KeepDims)
{
    internal override float Start => float.PositiveInfinity;

    internal override double Fold(double sum, ReadOnlySpan<float> row) => Math.Min(sum, TensorPrimitives.Min(row));

    internal override void Fold(ReadOnlySpan<float> row, Span<float> sum) => TensorPrimitives.Min(row, sum, sum);
}

/// <summary>A reduction that picks one of the elements.</summary>
public abstract record Extreme(ImmutableArray<int> Axes, bool KeepDims) : Reduction(Axes, KeepDims)
{
    public sealed override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], picked = y.Graph.Add(new Equal(), x, Spread(y, x));
        return [Spread(dy / y.Graph.Add(new ReduceSum(Axes, KeepDims), picked), x) * picked];
    }

    internal sealed override void Join(ReadOnlySpan<float> part, Span<float> sum) => Fold(part, sum);
}
