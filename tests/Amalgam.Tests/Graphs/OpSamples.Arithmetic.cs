using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Functions of two numbers and more, with every kind of broadcasting.</summary>
internal static class ArithmeticSamples
{
    private static readonly (Shape A, Shape B)[] Shapes =
    [
        (new(3, 5), new(3, 5)), (new(3, 5), new(5)), (new(3, 5), default), (default, new(3, 5)), (new(5), new(3, 5)), (new(3, 1), new(1, 5)),
        (new(2, 3, 4, 5), new(3, 1, 1)), (new(3, 1, 1), new(2, 3, 4, 5)), (new(2, 1, 4, 1), new(1, 3, 4, 5)), (new(2, 3), new(1, 1)), (new(0, 3), new(3)), (new(1, 4), new(4, 1)),
    ];

    private static readonly (Shape A, Shape B)[] Large =
    [
        (new(35_003), new(35_003)), (new(70_001), default), (new(1), new(70_001)), (new(300, 250), new(250)), (new(8, 3, 60, 60), new(3, 1, 1)), (new(50, 1, 60), new(1, 30, 60)),
    ];

    public static IEnumerable<OpSample> All =>
    [
        .. Of(new Add(), (a, b) => a + b),
        .. Of(new Sub(), (a, b) => a - b),
        .. Of(new Mul(), (a, b) => a * b),
        .. Of(new Div(), (a, b) => a / b, 0.5, 2),
        .. Of(new Pow(), Math.Pow, 0.5, 2),
        .. Apart(new Min(), Math.Min),
        .. Apart(new Max(), Math.Max),
        .. Apart(new PRelu(), (a, b) => a < 0 ? a * b : a),
        .. Still(new Equal(), (a, b) => a == b),
        .. Still(new Less(), (a, b) => a < b),
        .. Still(new LessOrEqual(), (a, b) => a <= b),
        .. Still(new Greater(), (a, b) => a > b),
        .. Still(new GreaterOrEqual(), (a, b) => a >= b),
        .. Still(new And(), (a, b) => a != 0 && b != 0),
        .. Still(new Or(), (a, b) => a != 0 || b != 0),
        .. Still(new Xor(), (a, b) => a != 0 != (b != 0)),
        .. Truths(new And(), (a, b) => a * b),
        .. Truths(new Or(), (a, b) => a + b - a * b),
        .. Truths(new Xor(), (a, b) => a + b - 2 * a * b),
        .. Integers(new IntegerDiv(), (a, b) => Math.Truncate(a / b)),
        new(new Mod(), [OpInput.X(new(4), 0.2, 0.9), OpInput.X(new(4), 1, 1.5)], x => Grid.Map(x[0], x[1], (a, b) => a - b * Math.Floor(a / b))),
        new(new Mod(true), [OpInput.X(new(4), -0.9, -0.2), OpInput.X(new(4), 1, 1.5)], x => Grid.Map(x[0], x[1], (a, b) => a - b * Math.Truncate(a / b))),
        new(new Mod(), [OpInput.Of(7, -7, 7, -7, float.NaN), OpInput.Of(3, 3, -3, -3, float.NaN)], _ => new(new(5), [1, 2, -2, -1, double.NaN])),
        new(new Mod(), [OpInput.X(new(9), -9, -8), OpInput.X(new(9), 2.1, 2.6, null, 1)], x => Grid.Map(x[0], x[1], (a, b) => a - b * Math.Floor(a / b))),
        new(new Mod(true), [OpInput.Of(7, -7, 7, -7, float.NaN), OpInput.Of(3, 3, -3, -3, float.NaN)], _ => new(new(5), [1, -1, 1, -1, double.NaN])),
        new(new Mod(), [OpInput.X(new(35_003), 0.2, 0.9), OpInput.X(new(35_003), 1, 1.5)], null),
        new(new Min(), [OpInput.Of(float.NaN, 1, float.PositiveInfinity), OpInput.Of(1, float.NaN, 3)], _ => new(new(3), [double.NaN, double.NaN, 3])),
        new(new Max(), [OpInput.Of(float.NaN, 1, float.NegativeInfinity), OpInput.Of(1, float.NaN, 3)], _ => new(new(3), [double.NaN, double.NaN, 3])),
        new(new Pow(), [OpInput.X(new(2, 3), -2, 2), OpInput.Known(2).As()], x => x[0].Map(v => v * v)),
        new(new Pow(), [OpInput.X(new(2, 3), -2, 2), OpInput.Known(3).As()], x => x[0].Map(v => v * v * v)),
        new(new Pow(), [OpInput.X(new(2, 3), 0.5, 2), OpInput.Known(-1).As()], x => x[0].Map(v => 1 / v)),
        .. Wheres(),
        new(new SumTo(new(3)), [OpInput.X(new(2, 3))], x => x[0].Reduce([0], Enumerable.Sum, false)),
        new(new SumTo(new(3, 1, 1)), [OpInput.X(new(2, 3, 4, 5))], x => x[0].Reduce([0, 2, 3], Enumerable.Sum).Reshape(3, 1, 1)),
        new(new SumTo(default), [OpInput.X(new(2, 3))], x => x[0].Reduce([], Enumerable.Sum, false)),
        new(new SumTo(new(2, 1, 4)), [OpInput.X(new(2, 3, 4))], x => x[0].Reduce([1], Enumerable.Sum)),
        new(new SumTo(new(2, 3)), [OpInput.X(new(2, 3))], x => x[0]),
        new(new SumTo(new(700)), [OpInput.X(new(100, 700))], x => x[0].Reduce([0], Enumerable.Sum, false)),
        new(new SumTo(new(16, 1, 1)), [OpInput.X(new(9, 16, 30, 30))], null),
        new(new Broadcast(new(2, 3)), [OpInput.X(new(3))], x => Grid.Of(new(2, 3), at => x[0][at[1]])),
        new(new Broadcast(new(2, 3, 4)), [OpInput.X(new(3, 1))], x => Grid.Of(new(2, 3, 4), at => x[0][at[1], 0])),
        new(new Broadcast(new(2, 3)), [OpInput.X(default)], x => Grid.Of(new(2, 3), at => x[0].Values[0])),
        new(new Broadcast(new(4, 70_001)), [OpInput.X(new(70_001))], null),
        new(new Spread(new(2, 3, 4), [1]), [OpInput.X(new(2, 4))], x => Grid.Of(new(2, 3, 4), at => x[0][at[0], at[2]])),
        new(new Spread(new(2, 3, 4), [0, -1]), [OpInput.X(new(1, 3, 1))], x => Grid.Of(new(2, 3, 4), at => x[0][0, at[1], 0])),
        new(new Spread(new(4, 70_001), [0]), [OpInput.X(new(70_001))], null),
    ];

    private static IEnumerable<OpSample> Wheres()
    {
        foreach (var (c, a, b) in new (Shape, Shape, Shape)[]
        {
            (new(3, 5), new(3, 5), new(3, 5)), (new(3, 1), new(3, 5), new(5)), (new(5), default, new(3, 5)), (new(3, 5), default, default), (new(1, 5), new(3, 1), default),
            (default, new(3, 5), new(5)), (new(2, 1, 4, 4), new(2, 3, 4, 4), default), (new(3, 1), default, new(1, 5)),
        })
        {
            yield return new(new Where(), [OpInput.Ids(c, 2) with { Type = DType.Bool }, OpInput.X(a), OpInput.X(b, seed: 1)], x =>
            {
                Shape all = Shape.Broadcast(c, Shape.Broadcast(a, b)!.Value)!.Value;
                return Grid.Of(all, at => x[0].Stretched(at) != 0 ? x[1].Stretched(at) : x[2].Stretched(at));
            });
        }

        yield return new(new Where(), [OpInput.Ids(new(30_001), 2), OpInput.X(new(30_001)), OpInput.X(new(30_001), seed: 1)], null);
        yield return new(new Where(), [OpInput.Ids(new(2, 1, 90, 90), 2), OpInput.X(new(2, 4, 90, 90)), OpInput.X(default)], null);
        yield return new(new Where(), [OpInput.Of(float.NaN, 0), OpInput.Of(1, float.NaN), OpInput.Of(float.NaN, 2)], _ => new(new(2), [1, 2]));
    }

    private static IEnumerable<OpSample> Of(Op op, Func<double, double, double> f, double low = -2, double high = 2) =>
    [
        .. Shapes.Select(s => new OpSample(op, [OpInput.X(s.A, low, high), OpInput.X(s.B, low, high, null, 1)], x => Grid.Map(x[0], x[1], f))),
        .. Large.Select(s => new OpSample(op, [OpInput.X(s.A, low, high), OpInput.X(s.B, low, high, null, 1)], null)),
    ];

    /// <summary>Inputs whose values lie apart: those of the first are multiples of a half, none of them 0, and those of the second lie between.</summary>
    private static IEnumerable<OpSample> Apart(Op op, Func<double, double, double> f)
    {
        OpInput First(Shape shape) => OpInput.X(shape).Map(v => MathF.Round(v * 2) is var twice && twice == 0 ? 0.5f : twice / 2);
        OpInput Second(Shape shape) => OpInput.X(shape, seed: 1).Map(v => MathF.Floor(v * 2) / 2 + 0.25f);
        foreach (var (a, b) in Shapes) yield return new(op, [First(a), Second(b)], x => Grid.Map(x[0], x[1], f));
        foreach (var (a, b) in Large) yield return new(op, [First(a), Second(b)], null);
    }

    private static IEnumerable<OpSample> Still(Op op, Func<double, double, bool> f) =>
    [
        .. Shapes.Select(s => new OpSample(op, [OpInput.Ids(s.A, 3), OpInput.Ids(s.B, 3, 1)], x => Grid.Map(x[0], x[1], (a, b) => f(a, b) ? 1 : 0))),
        .. Large.Select(s => new OpSample(op, [OpInput.Ids(s.A, 3), OpInput.Ids(s.B, 3, 1)], null)),
        new(op, [OpInput.Of(float.NaN, 1, float.PositiveInfinity), OpInput.Of(float.NaN, float.NaN, float.PositiveInfinity)], x => Grid.Map(x[0], x[1], (a, b) => f(a, b) ? 1 : 0)),
    ];

    private static IEnumerable<OpSample> Truths(Op op, Func<double, double, double> f)
    {
        OpInput Truth(Shape shape, int seed) => OpInput.Ids(shape, 2, seed) with { Type = DType.Bool };
        return Shapes.Select(s => new OpSample(op, [Truth(s.A, 0), Truth(s.B, 1)], x => Grid.Map(x[0], x[1], f)));
    }

    private static IEnumerable<OpSample> Integers(Op op, Func<double, double, double> f)
    {
        OpInput Divisor(Shape shape) => OpInput.Ids(shape, 5, 1).Map(v => v < 3 ? v - 3 : v - 2);
        OpInput Dividend(Shape shape) => OpInput.Ids(shape, 41).Map(v => v - 20);
        foreach (var (a, b) in Shapes) yield return new(op, [Dividend(a), Divisor(b)], x => Grid.Map(x[0], x[1], f));
        foreach (var (a, b) in Large) yield return new(op, [Dividend(a), Divisor(b)], null);
    }
}
