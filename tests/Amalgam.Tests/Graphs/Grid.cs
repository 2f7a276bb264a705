namespace Amalgam.Tests.Graphs;

/// <summary>An array in double precision, for references that do not share a line with the kernels.</summary>
internal sealed class Grid(Shape shape, double[] values)
{
    public Shape Shape { get; } = shape;

    public double[] Values { get; } = values;

    public int Rank => Shape.Rank;

    /// <summary>An array by a function of the position.</summary>
    public static Grid Of(Shape shape, Func<int[], double> value)
    {
        Grid grid = new(shape, new double[shape.Count]);
        int[] at = new int[shape.Rank];
        for (int i = 0; i < grid.Values.Length; i++)
        {
            int rest = i;
            for (int axis = shape.Rank - 1; axis >= 0; axis--)
            {
                at[axis] = rest % shape.Size(axis);
                rest /= shape.Size(axis);
            }

            grid.Values[i] = value(at);
        }

        return grid;
    }

    public static Grid Scalar(double value) => new(default, [value]);

    public static Grid Of(Tensor tensor) => new(tensor.Shape, [.. tensor.Span.ToArray().Select(v => (double)v)]);

    /// <summary>The element at a position.</summary>
    public double this[params ReadOnlySpan<int> at]
    {
        get => Values[Offset(at)];
        set => Values[Offset(at)] = value;
    }

    /// <summary>The element at a position of a shape to which this one broadcasts.</summary>
    public double Stretched(int[] at)
    {
        int offset = 0;
        for (int axis = 0; axis < Rank; axis++)
        {
            int size = Shape.Size(axis);
            offset = offset * size + (size == 1 ? 0 : at[at.Length - Rank + axis]);
        }

        return Values[offset];
    }

    public Grid Map(Func<double, double> f) => new(Shape, [.. Values.Select(f)]);

    /// <summary>f(a, b) with broadcasting.</summary>
    public static Grid Map(Grid a, Grid b, Func<double, double, double> f) => Of(Shape.Broadcast(a.Shape, b.Shape)!.Value, at => f(a.Stretched(at), b.Stretched(at)));

    /// <summary>Folds over axes: every element of the result is made of those that share its place on the other axes, in order.</summary>
    public Grid Reduce(Func<int, bool> isReduced, bool keepDims, Func<IReadOnlyList<double>, double> fold)
    {
        Shape kept = new([.. Enumerable.Range(0, Rank).Select(axis => isReduced(axis) ? 1 : Shape[axis])]);
        List<double>[] groups = [.. Enumerable.Range(0, (int)kept.Count).Select(_ => new List<double>())];
        Of(Shape, at =>
        {
            int offset = 0;
            for (int axis = 0; axis < Rank; axis++) offset = offset * kept.Size(axis) + (isReduced(axis) ? 0 : at[axis]);
            groups[offset].Add(this[at]);
            return 0;
        });
        return new(keepDims ? kept : new([.. Enumerable.Range(0, Rank).Where(axis => !isReduced(axis)).Select(axis => Shape[axis])]), [.. groups.Select(fold)]);
    }

    /// <summary>Folds over axes as ONNX gives them: negative ones count from the end, none means all; they stay with size 1.</summary>
    public Grid Reduce(IEnumerable<int> axes, Func<IReadOnlyList<double>, double> fold, bool keepDims = true)
    {
        HashSet<int> set = [.. axes.Select(axis => axis < 0 ? axis + Rank : axis)];
        return Reduce(axis => set.Count == 0 || set.Contains(axis), keepDims, fold);
    }

    public static Grid operator +(Grid a, Grid b) => Map(a, b, (x, y) => x + y);

    public static Grid operator -(Grid a, Grid b) => Map(a, b, (x, y) => x - y);

    public static Grid operator *(Grid a, Grid b) => Map(a, b, (x, y) => x * y);

    public static Grid operator /(Grid a, Grid b) => Map(a, b, (x, y) => x / y);

    public static implicit operator Grid(double value) => Scalar(value);

    /// <summary>The same elements under another shape.</summary>
    public Grid Reshape(params ReadOnlySpan<long> sizes) => new(new(sizes), Values);

    /// <summary>The gradient of the sum of dy f by one input, by central differences.</summary>
    public static Grid Difference(Func<Grid[], Grid> f, Grid[] x, int by, Grid dy)
    {
        Grid[] moved = [.. x];
        double[] values = [.. x[by].Values];
        moved[by] = new(x[by].Shape, values);
        return new(x[by].Shape, [.. Enumerable.Range(0, values.Length).Select(i =>
        {
            double at = values[i], step = 1e-5 * Math.Max(1, Math.Abs(at));
            values[i] = at + step;
            double above = Dot(f(moved), dy);
            values[i] = at - step;
            double below = Dot(f(moved), dy);
            values[i] = at;
            return (above - below) / (2 * step);
        })]);
    }

    private static double Dot(Grid a, Grid b) => a.Values.Zip(b.Values, (x, y) => x * y).Sum();

    private int Offset(ReadOnlySpan<int> at)
    {
        int offset = 0;
        for (int axis = 0; axis < Rank; axis++) offset = offset * Shape.Size(axis) + at[axis];
        return offset;
    }
}
