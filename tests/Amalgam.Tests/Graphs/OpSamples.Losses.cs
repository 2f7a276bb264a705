using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Losses, by their definitions.</summary>
internal static class LossSamples
{
    public static IEnumerable<OpSample> All => [.. CrossEntropies(), .. Elements(), .. Divergences()];

    private static double[] LogSoftmax(double[] v) => [.. v.Select(x => x - Math.Log(v.Sum(Math.Exp)))];

    private static double[][] Rows(Grid x) => [.. x.Values.Chunk(x.Shape.Size(^1))];

    private static IEnumerable<OpSample> CrossEntropies()
    {
        foreach (float smoothing in new[] { 0f, 0.1f })
        {
            SoftmaxCrossEntropy op = new(smoothing, -1);
            Grid Labels(Grid[] x)
            {
                double[] losses = [.. Rows(x[0]).Zip(x[1].Values, (row, label) => label < 0 ? double.NaN : -(1 - smoothing) * LogSoftmax(row)[(int)label] - smoothing * LogSoftmax(row).Average())];
                return losses.Where(l => !double.IsNaN(l)).Average();
            }

            Grid Targets(Grid[] x) => Rows(x[0]).Zip(Rows(x[1]), (row, target) => -LogSoftmax(row).Zip(target, (l, t) => l * ((1 - smoothing) * t + smoothing / row.Length)).Sum()).Average();
            OpInput ignoring = new(new(4), [2, -1, 0, 2]), distribution = new(new(2, 3), [0.2f, 0.3f, 0.5f, 0, 1, 0]);
            foreach (OpSample sample in With(op, OpInput.X(new(4, 3)), ignoring, Labels)) yield return sample;
            foreach (OpSample sample in With(op, OpInput.X(new(2, 3, 4)), OpInput.Ids(new(2, 3), 4), Labels)) yield return sample;
            foreach (OpSample sample in With(op, OpInput.X(new(2, 3), -3, 3), distribution, Targets)) yield return sample;
            foreach (OpSample sample in With(op, OpInput.X(new(700, 100)), OpInput.Ids(new(700), 100), Labels)) yield return sample;
            foreach (OpSample sample in With(op, OpInput.X(new(40, 2500)), OpInput.Ids(new(40), 2500), Labels)) yield return sample;
        }

        yield return new(new SoftmaxCrossEntropy(), [OpInput.Of(1000, 0, float.NaN, 0).As(2, 2), OpInput.Of(1, 0)], _ => double.NaN);
    }

    private static IEnumerable<OpSample> Elements() =>
    [
        .. Shapes().SelectMany(shape => With(new MeanSquaredError(), OpInput.X(shape), OpInput.X(shape, seed: 1), x => x[0].Values.Zip(x[1].Values, (a, b) => (a - b) * (a - b)).Average())),
        .. Shapes().SelectMany(shape => With(new BinaryCrossEntropyWithLogits(), OpInput.X(shape, -9, 9), OpInput.Still(shape, 0, 1, 1), x => x[0].Values.Zip(x[1].Values, Entropy).Average())),
        .. Shapes().SelectMany(shape => With(new BinaryCrossEntropyWithLogits(), OpInput.X(shape, -9, 9), OpInput.Still(shape, 0, 1, 1),
            x => x[0].Values.Zip(x[1].Values, Entropy).Zip(x[2].Values, (e, w) => e * w).Average(), OpInput.Still(shape, 0.5, 3, 2))),
    ];

    private static double Entropy(double x, double t) => -(t * Math.Log(1 / (1 + Math.Exp(-x))) + (1 - t) * Math.Log(1 / (1 + Math.Exp(x))));

    private static Shape[] Shapes() => [new(3, 4), new(7), new(300, 250)];

    private static IEnumerable<OpSample> Divergences()
    {
        foreach (float t in new[] { 1f, 3f })
        {
            Grid Whole(Grid[] x) => Rows(x[0]).Zip(Rows(x[1]), (s, h) =>
            {
                double[] student = LogSoftmax([.. s.Select(v => v / t)]), teacher = LogSoftmax([.. h.Select(v => v / t)]);
                return t * t * teacher.Zip(student, (a, b) => Math.Exp(a) * (a - b)).Sum();
            }).Average();
            foreach (OpSample sample in With(new KlDivergence(t), OpInput.X(new(3, 5)), OpInput.Still(new(3, 5), seed: 1), Whole)) yield return sample;
            foreach (OpSample sample in With(new KlDivergence(t), OpInput.X(new(400, 100)), OpInput.Still(new(400, 100), seed: 1), Whole)) yield return sample;
        }
    }

    /// <summary>A loss, and the operator of its gradient.</summary>
    private static IEnumerable<OpSample> With(Loss loss, OpInput x, OpInput target, Func<Grid[], Grid> whole, OpInput? weights = null)
    {
        OpInput[] inputs = weights is null ? [x, target] : [x, target, weights];
        yield return new(loss, inputs, whole) { Tolerance = 2e-5 };
        OpSample gradient = new(new LossGradient(loss), [.. inputs.Select(i => i with { IsDifferentiable = false }), OpInput.Of(1.5f).As()], null);
        yield return gradient.IsLarge ? gradient : gradient with { Reference = v => Grid.Difference(whole, v[..^1], 0, v[^1]) };
    }
}
