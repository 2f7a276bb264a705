using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using static System.Math;

namespace Amalgam.Tests.Graphs;

/// <summary>Functions of one number, by their textbook forms in double precision.</summary>
internal static class ActivationSamples
{
    public static IEnumerable<OpSample> All =>
    [
        .. Of(new Relu(), x => Max(x, 0), kinks: [0]),
        .. Of(new LeakyRelu(), x => x < 0 ? 0.01f * x : x, kinks: [0]),
        .. Of(new LeakyRelu(0.3f), x => x < 0 ? 0.3f * x : x, kinks: [0]),
        .. Of(new ThresholdedRelu(0.5f), x => x > 0.5 ? x : 0, kinks: [0.5]),
        .. Of(new Clip(0, 6), x => Min(Max(x, 0), 6), -4, 9, [0, 6]),
        .. Of(new Clip(-1, float.PositiveInfinity), x => Max(x, -1), kinks: [-1]),
        .. Of(new Clip(), x => x),
        .. Of(new Clip(2, 1), x => 1, kinks: [1, 2]),
        .. Of(new Elu(1.5f), x => x > 0 ? x : 1.5 * (Exp(x) - 1), -5, 5, [0]),
        .. Of(new Celu(0.7f), x => x > 0 ? x : 0.7f * (Exp(x / 0.7f) - 1), -5, 5, [0]),
        .. Of(new Selu(), x => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Exp(x) - 1)), -5, 5, [0]),
        .. Of(new Gelu(), Gelu, -6, 6),
        .. Of(new Gelu(true), GeluByTanh, -6, 6),
        .. Of(new Erf(), Erf, -5, 5),
        .. Of(new Sigmoid(), x => 1 / (1 + Exp(-x)), -20, 20),
        .. Of(new Tanh(), Tanh, -10, 10),
        .. Of(new HardSigmoid(), x => Min(Max(0.2f * x + 0.5, 0), 1), -4, 4, [-2.5, 2.5]),
        .. Of(new HardSigmoid(1 / 6f, 0.25f), x => Min(Max(1 / 6f * x + 0.25, 0), 1), -4, 6, [-1.5, 4.5]),
        .. Of(new HardSwish(), x => x * Min(Max(x / 6 + 0.5, 0), 1), -5, 5, [-3, 3]),
        .. Of(new Silu(), x => x / (1 + Exp(-x)), -20, 20),
        .. Of(new Mish(), x => x * Tanh(Log(1 + Exp(x))), -20, 20),
        .. Of(new Softplus(), x => Log(1 + Exp(x)), -20, 20),
        .. Of(new Softsign(), x => x / (1 + Abs(x)), kinks: [0]),
        .. Of(new Exp(), Exp, -5, 5),
        new(new Exp(), [OpInput.Of([float.NaN, .. Enumerable.Range(-850, 1730).Select(i => i / 10f)])], x => x[0].Map(Exp)),
        .. Of(new Log(), Log, 0.1, 9),
        .. Of(new Sqrt(), Sqrt, 0.1, 9),
        .. Of(new Reciprocal(), x => 1 / x, 0.3, 4),
        .. Of(new Abs(), Abs, kinks: [0]),
        .. Of(new Sin(), Sin, -9, 9),
        .. Of(new Cos(), Cos, -9, 9),
        .. Of(new Atan(), Atan, -9, 9),
        .. Of(new Neg(), x => -x),
        .. Flat(new Sign(), x => Sign(x)),
        .. Flat(new Floor(), Floor),
        .. Flat(new Ceil(), Ceiling),
        .. Flat(new Round(), Round),
        .. Flat(new Not(), x => x == 0 ? 1 : 0),
        new(new Not(), [OpInput.Ids(new(9), 2) with { Type = DType.Bool }], x => x[0].Map(v => 1 - v)),
        .. Flat(new IsNaN(), x => double.IsNaN(x) ? 1 : 0),
        .. Flat(new IsInf(), x => double.IsInfinity(x) ? 1 : 0),
        .. Flat(new IsInf(true, false), x => double.IsPositiveInfinity(x) ? 1 : 0),
        .. Flat(new IsInf(false), x => double.IsNegativeInfinity(x) ? 1 : 0),
        .. Flat(new IsInf(false, false), x => 0),
        Odd(new Relu(), [float.NaN, float.PositiveInfinity, 0, -1e30f], [double.NaN, double.PositiveInfinity, 0, 0]),
        Odd(new Clip(0, 6), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 3], [double.NaN, 6, 0, 3]),
        Odd(new Gelu(), [float.NaN, float.PositiveInfinity, 100, -100], [double.NaN, double.PositiveInfinity, 100, 0]),
        Odd(new Gelu(true), [float.NaN, 1e10f, 100, -100], [double.NaN, 1e10f, 100, 0]),
        Odd(new Erf(), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-20f], [double.NaN, 1, -1, 0]),
        Odd(new Sigmoid(), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 200], [double.NaN, 1, 0, 1]),
        Odd(new Tanh(), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 200], [double.NaN, 1, -1, 1]),
        Odd(new Tanh(), [float.NaN, 0, -0.99999f, 1.00001f], [double.NaN, 0, Tanh(-0.99999f), Tanh(1.00001f)]),
        Odd(new Silu(), [float.NaN, float.PositiveInfinity, 200, -200], [double.NaN, double.PositiveInfinity, 200, 0]),
        Odd(new Mish(), [float.NaN, float.PositiveInfinity, 200, -200], [double.NaN, double.PositiveInfinity, 200, 0]),
        Odd(new Softplus(), [float.NaN, float.PositiveInfinity, 200, -200], [double.NaN, double.PositiveInfinity, 200, 0]),
        Odd(new Elu(), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, -1e-20f], [double.NaN, double.PositiveInfinity, -1, 0]),
        Odd(new Exp(), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 200], [double.NaN, double.PositiveInfinity, 0, double.PositiveInfinity]),
        Odd(new Exp(), [float.NaN, 88.7f, 88.8f, -86], [double.NaN, Exp(88.7f), double.PositiveInfinity, Exp(-86)]),
        Odd(new Log(), [float.NaN, float.PositiveInfinity, 0, -1], [double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.NaN]),
        Odd(new Sqrt(), [float.NaN, float.PositiveInfinity, 0, -1], [double.NaN, double.PositiveInfinity, 0, double.NaN]),
        Odd(new Sign(), [float.NaN, float.PositiveInfinity, -0f, float.NegativeInfinity], [double.NaN, 1, 0, -1]),
        Odd(new Round(), [0.5f, 1.5f, -2.5f, float.NaN], [0, 2, -2, double.NaN]),
        Odd(new Not(), [0, 1, -3, float.NaN], [1, 0, 0, 0]),
        .. OfResult(new ReluGradient(), y => y > 0 ? 1 : 0, [0]),
        .. OfResult(new SigmoidGradient(), y => y * (1 - y)),
        .. OfResult(new TanhGradient(), y => 1 - y * y),
        .. OfResult(new HardSigmoidGradient(0.2f), y => y is > 0 and < 1 ? 0.2f : 0, [0, 1]),
        .. OfInput(new LeakyReluGradient(0.3f), x => x < 0 ? 0.3f * x : x, kinks: [0]),
        .. OfInput(new ThresholdedReluGradient(0.5f), x => x > 0.5 ? x : 0, kinks: [0.5]),
        .. OfInput(new ClipGradient(0, 1), x => Min(Max(x, 0), 1), kinks: [0, 1]),
        .. OfInput(new EluGradient(2, 3, 0.5f), x => x > 0 ? 2 * x : 6 * Exp(0.5 * x), kinks: [0]),
        .. OfInput(new GeluGradient(), Gelu, -6, 6),
        .. OfInput(new GeluGradient(true), GeluByTanh, -6, 6),
        .. OfInput(new SiluGradient(), x => x / (1 + Exp(-x)), -20, 20),
        .. OfInput(new MishGradient(), x => x * Tanh(Log(1 + Exp(x))), -15, 15),
        .. OfInput(new HardSwishGradient(), x => x * Min(Max(x / 6 + 0.5, 0), 1), -5, 5, [-3, 3]),
        .. OfInput(new SoftsignGradient(), x => x / (1 + Abs(x)), kinks: [0]),
    ];

    /// <summary>The error function by a series of positive terms (Abramowitz and Stegun 7.1.6).</summary>
    internal static double Erf(double x)
    {
        double term = x, sum = x;
        for (int n = 1; Abs(term) > 1e-20 * Abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
        return 2 / Sqrt(PI) * Exp(-x * x) * sum;
    }

    private static double Gelu(double x) => x * (1 + Erf(x / Sqrt(2))) / 2;

    private static double GeluByTanh(double x) => 0.5 * x * (1 + Tanh(Sqrt(2 / PI) * (x + 0.044715 * x * x * x)));

    private static IEnumerable<OpSample> Of(Op op, Func<double, double> f, double low = -2, double high = 2, double[]? kinks = null)
    {
        yield return new(op, [OpInput.X(new(3, 7), low, high, kinks)], x => x[0].Map(f));
        yield return new(op, [OpInput.X(default, low, high, kinks)], x => x[0].Map(f));
        yield return new(op, [OpInput.X(new(0, 3))], x => x[0]);
        yield return new(op, [OpInput.X(new(2, 35_003), low, high, kinks)], null);
    }

    private static IEnumerable<OpSample> Flat(Op op, Func<double, double> f)
    {
        yield return new(op, [OpInput.Still(new(3, 7), -3, 3)], x => x[0].Map(f));
        yield return new(op, [OpInput.Of(float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, 7)], x => x[0].Map(v => op is Sign && double.IsNaN(v) ? v : f(v)));
        yield return new(op, [OpInput.Still(new(2, 35_003), -3, 3)], null);
    }

    /// <summary>Values at which formulas break; NaN among them says that this sample is not for the gradient.</summary>
    private static OpSample Odd(Op op, float[] x, double[] y) => new(op, [OpInput.Of(x)], _ => new(new(x.Length), y));

    /// <summary>The gradient of a function, from its result.</summary>
    private static IEnumerable<OpSample> OfResult(Op op, Func<double, double> slope, double[]? kinks = null) => Pair(op, (y, dy) => dy * slope(y), 0, 1, kinks);

    /// <summary>The gradient of a function, by its central difference.</summary>
    private static IEnumerable<OpSample> OfInput(Op op, Func<double, double> f, double low = -2, double high = 2, double[]? kinks = null) =>
        Pair(op, (x, dy) => dy * (f(x + 1e-5) - f(x - 1e-5)) / 2e-5, low, high, kinks);

    private static IEnumerable<OpSample> Pair(Op op, Func<double, double, double> f, double low, double high, double[]? kinks)
    {
        OpInput Kinked(Shape shape) => OpInput.X(shape, low, high, kinks) with { IsDifferentiable = false };
        yield return new(op, [Kinked(new(3, 7)), OpInput.Still(new(3, 7), seed: 1)], x => Grid.Map(x[0], x[1], f));
        yield return new(op, [Kinked(new(35_003)), OpInput.Still(new(35_003), seed: 1)], null);
    }
}
