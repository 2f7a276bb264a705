using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Reductions over axes, and what runs along one axis.</summary>
internal static class ReductionSamples
{
    private static readonly (Shape Shape, int[] Axes, bool KeepDims)[] Cases =
    [
        (new(3, 4), [1], true), (new(3, 4), [0], false), (new(3, 4), [], false), (new(3, 4), [], true), (default, [], true), (new(2, 3, 4), [1], false), (new(2, 3, 4), [0, -1], true),
        (new(2, 3, 4, 5), [0, 2, 3], false), (new(2, 3, 2, 3), [1, 3], true), (new(2, 3, 2, 3), [0, 2], false), (new(1, 3, 1), [0, 2], true), (new(40, 3), [0], true),
    ];

    private static readonly (Shape Shape, int[] Axes)[] Large = [(new(300, 250), [0]), (new(300, 250), [1]), (new(70_001), []), (new(4, 5, 60, 60), [0, 2, 3]), (new(60, 5, 50, 5), [0, 2])];

    public static IEnumerable<OpSample> All =>
    [
        .. Of((a, k) => new ReduceSum(a, k), Enumerable.Sum),
        .. Of((a, k) => new ReduceMean(a, k), v => v.Average()),
        .. Of((a, k) => new ReduceMax(a, k), Enumerable.Max),
        .. Of((a, k) => new ReduceMin(a, k), Enumerable.Min),
        .. Of((a, k) => new ReduceProd(a, k), v => v.Aggregate(1.0, (p, x) => p * x), 0.7, 1.4),
        .. Of((a, k) => new ReduceSumSquare(a, k), v => v.Sum(x => x * x)),
        .. Of((a, k) => new ReduceL1(a, k), v => v.Sum(Math.Abs), kinks: [0]),
        .. Of((a, k) => new ReduceL2(a, k), v => Math.Sqrt(v.Sum(x => x * x)), 0.2, 2),
        .. Of((a, k) => new ReduceLogSum(a, k), v => Math.Log(v.Sum()), 0.2, 2),
        .. Of((a, k) => new ReduceLogSumExp(a, k), v => Math.Log(v.Sum(Math.Exp))),
        .. Empty(new ReduceSum([0]), 0), .. Empty(new ReduceProd([0]), 1), .. Empty(new ReduceSumSquare([0]), 0), .. Empty(new ReduceL1([0]), 0), .. Empty(new ReduceL2([0]), 0),
        .. Empty(new ReduceMax([0]), double.NegativeInfinity), .. Empty(new ReduceMin([0]), double.PositiveInfinity),
        .. Empty(new ReduceLogSum([0]), double.NegativeInfinity), .. Empty(new ReduceLogSumExp([0]), double.NegativeInfinity), .. Empty(new ReduceMean([0]), double.NaN),
        new(new ReduceLogSumExp([-1], false), [OpInput.Of(1000, 1000, -1000, -1000, float.NaN, 0, float.NegativeInfinity, float.NegativeInfinity).As(4, 2)],
            _ => new(new(4), [1000 + Math.Log(2), -1000 + Math.Log(2), double.NaN, double.NegativeInfinity])),
        new(new ReduceMax([1], false), [OpInput.Of(1, float.NaN, float.NegativeInfinity, -5).As(2, 2)], _ => new(new(2), [double.NaN, -5])),
        new(new ReduceMin([0], false), [OpInput.Of(1, float.NaN, float.PositiveInfinity, 5).As(2, 2)], _ => new(new(2), [1, double.NaN])),
        .. Selections(),
        .. Sums(),
        .. Along(new Softmax(), axis => new Softmax(axis), (v, i) => Math.Exp(v[i]) / v.Sum(Math.Exp)),
        .. Along(new LogSoftmax(), axis => new LogSoftmax(axis), (v, i) => v[i] - Math.Log(v.Sum(Math.Exp))),
        .. Along(new LpNormalization(), axis => new LpNormalization(axis), (v, i) => v[i] / Math.Sqrt(v.Sum(x => x * x)), [0]),
        .. Along(new LpNormalization(-1, 1), axis => new LpNormalization(axis, 1), (v, i) => v[i] / v.Sum(Math.Abs), [0]),
        new(new LpNormalization(), [OpInput.Of(0, 0, 3, 4, float.NaN, 1).As(3, 2)], _ => new(new(3, 2), [0, 0, 0.6, 0.8, double.NaN, double.NaN])),
        new(new Softmax(), [OpInput.Of(1000, 1000, -1000, float.NegativeInfinity, float.NaN, 0).As(3, 2)], _ => new(new(3, 2), [0.5, 0.5, 1, 0, double.NaN, double.NaN])),
        new(new Softmax(0), [OpInput.Of(1000, -1000, 1000, float.NegativeInfinity).As(2, 2)], _ => new(new(2, 2), [0.5, 1, 0.5, 0])),
        new(new LogSoftmax(), [OpInput.Of(1000, 0, float.NaN, 0).As(2, 2)], _ => new(new(2, 2), [0, -1000, double.NaN, double.NaN])),
        .. Gradients(axis => new SoftmaxGradient(axis), (y, dy, i) => y[i] * (dy[i] - y.Zip(dy, (a, b) => a * b).Sum()), 0, 1),
        .. Gradients(axis => new LogSoftmaxGradient(axis), (y, dy, i) => dy[i] - Math.Exp(y[i]) * dy.Sum(), -2, 0),
    ];

    /// <summary>Applies a function of a line of numbers and a place in it, along one axis.</summary>
    internal static Grid Lines(Grid x, int axis, Func<double[], int, double> f)
    {
        int at = axis < 0 ? axis + x.Rank : axis;
        return Grid.Of(x.Shape, index => f([.. Enumerable.Range(0, x.Shape.Size(at)).Select(i =>
        {
            int[] other = [.. index];
            other[at] = i;
            return x[other];
        })], index[at]));
    }

    private static IEnumerable<OpSample> Of(Func<ImmutableArray<int>, bool, Op> make, Func<IReadOnlyList<double>, double> fold, double low = -2, double high = 2, double[]? kinks = null)
    {
        foreach (var (shape, axes, keepDims) in Cases) yield return new(make([.. axes], keepDims), [OpInput.X(shape, low, high, kinks)], x => x[0].Reduce(axes, fold, keepDims));
        foreach (var (shape, axes) in Large)
        {
            // Products of many numbers stay near 1 only where those do.
            Op op = make([.. axes], true);
            bool isProduct = op is ReduceProd;
            yield return new(op, [OpInput.X(shape, isProduct ? 0.9999 : low, isProduct ? 1.0001 : high, isProduct ? null : kinks)], x => x[0].Reduce(axes, fold)) { Tolerance = isProduct ? 1e-3 : 1e-5 };
        }
    }

    private static IEnumerable<OpSample> Empty(Op op, double value)
    {
        yield return new(op, [OpInput.X(new(0, 3))], _ => new(new(1, 3), [value, value, value]));
    }

    private static IEnumerable<OpSample> Selections()
    {
        foreach (int axis in new[] { 0, 1, -1 })
        {
            foreach (bool last in new[] { false, true })
            {
                OpInput x = OpInput.Ids(new(3, 4, 5), 3);
                yield return new(new ArgMax(axis, true, last), [x], g => g[0].Reduce([axis], v => At(v, v.Max(), last)));
                yield return new(new ArgMin(axis, false, last), [x], g => g[0].Reduce([axis], v => At(v, v.Min(), last), false));
            }
        }

        yield return new(new ArgMax(0, false), [OpInput.Of(1, float.NaN, 9)], _ => 1);
        yield return new(new ArgMin(0, false, true), [OpInput.Of(1, float.NaN, -9)], _ => 1);
        yield return new(new ArgMax(1), [OpInput.Still(new(300, 250))], null);
        yield return new(new ArgMin(0), [OpInput.Still(new(300, 250))], null);
    }

    private static double At(IReadOnlyList<double> values, double value, bool last) => last ? values.ToList().LastIndexOf(value) : values.ToList().IndexOf(value);

    private static IEnumerable<OpSample> Sums()
    {
        foreach (var (axis, exclusive, reverse) in new[] { (0, false, false), (1, true, false), (-1, false, true), (1, true, true) })
        {
            yield return new(new CumSum(axis, exclusive, reverse), [OpInput.X(new(2, 3, 4))],
                x => Lines(x[0], axis, (v, i) => v.Where((_, j) => (reverse ? j > i : j < i) || (j == i && !exclusive)).Sum()));
        }

        yield return new(new CumSum(1), [OpInput.X(new(300, 250))], null);
        yield return new(new CumSum(0), [OpInput.X(new(300, 250))], null);
    }

    private static IEnumerable<OpSample> Along(Op plain, Func<int, Op> make, Func<double[], int, double> f, double[]? kinks = null)
    {
        yield return new(plain, [OpInput.X(new(3, 5), -2, 2, kinks)], x => Lines(x[0], -1, f));
        foreach (int axis in new[] { 0, 1, 2, -2 }) yield return new(make(axis), [OpInput.X(new(2, 3, 4), -2, 2, kinks)], x => Lines(x[0], axis, f));
        yield return new(make(0), [OpInput.X(new(3, 0))], x => x[0]);
        yield return new(make(-1), [OpInput.X(new(2, 1500))], null);
        yield return new(make(-1), [OpInput.X(new(300, 250))], null);
        yield return new(make(1), [OpInput.X(new(20, 30, 300))], null);
    }

    private static IEnumerable<OpSample> Gradients(Func<int, Op> make, Func<double[], double[], int, double> f, double low, double high)
    {
        foreach (int axis in new[] { 0, 1, -1 })
        {
            yield return new(make(axis), [OpInput.Still(new(2, 3, 4), low, high), OpInput.Still(new(2, 3, 4), seed: 1)], x =>
            {
                int at = axis < 0 ? axis + 3 : axis;
                return Grid.Of(x[0].Shape, index =>
                {
                    double[] Line(Grid g) => [.. Enumerable.Range(0, g.Shape.Size(at)).Select(i => g[[.. index.Select((p, a) => a == at ? i : p)]])];
                    return f(Line(x[0]), Line(x[1]), index[at]);
                });
            });
        }

        yield return new(make(-1), [OpInput.Still(new(150, 250), low, high), OpInput.Still(new(150, 250), seed: 1)], null);
        yield return new(make(1), [OpInput.Still(new(10, 30, 300), low, high), OpInput.Still(new(10, 30, 300), seed: 1)], null);
    }
}
