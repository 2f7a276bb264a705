using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Tests.Training;

public class OptimizerTests
{
    public static TheoryData<string> Rules => [.. Everyone.Keys];

    private static readonly Dictionary<string, UpdateRule> Everyone = new()
    {
        ["plain"] = new Sgd(),
        ["momentum"] = new Sgd(0.9, WeightDecay: 5e-4),
        ["nesterov"] = new Sgd(0.8, Nesterov: true, WeightDecay: 1e-2),
        ["adam"] = new Adam(WeightDecay: 0.1),
        ["adamw"] = new AdamW(0.8, 0.95, 1e-6, 0.2),
    };

    [Theory, MemberData(nameof(Rules))]
    public void Steps_equal_the_rules_in_double_precision(string name) => Property.Holds(gen =>
    {
        UpdateRule rule = Everyone[name];
        Tensor w = Tensor.Vector(gen.Floats(gen.Size(5000)));
        Optimizer optimizer = new(rule, [Parameter("w", w)]);
        Oracle oracle = new(rule, w);
        for (int step = 1; step <= 5; step++)
        {
            float[] dw = gen.Floats(w.Count);
            optimizer.Step([Tensor.Vector(dw)], 0.05 * step);
            oracle.Step(dw, 0.05 * step, step);
        }

        for (int i = 0; i < w.Count; i++) Assert.Equal(oracle.W[i], w.Span[i], 1e-5 * (1 + Math.Abs(oracle.W[i])));
    }, 60);

    [Fact]
    public void The_first_steps_are_those_computed_by_hand()
    {
        Assert.Equal([1 - 0.5f * 2, 1 - 0.5f * 2 - 0.5f * (0.5f * 2 + 4)], Walk(new Sgd(0.5), 2, 4));
        Assert.Equal([1 - 0.5f * (2 + 0.5f * 2), 0], Walk(new Sgd(0.5, Nesterov: true), 2, 0).Select((w, i) => i == 0 ? w : 0));
        Assert.Equal([1 - 0.5f * (2 + 0.1f)], Walk(new Sgd(WeightDecay: 0.1), 2));
        // Adam's first step is the rate, whatever the gradient's size; apart from it, AdamW takes rate * decay of the weight.
        Assert.All(Walk(new Adam(), 1e-3f), w => Assert.Equal(0.5f, w, 1e-4f));
        Assert.All(Walk(new Adam(), 1e3f), w => Assert.Equal(0.5f, w, 1e-4f));
        Assert.All(Walk(new AdamW(WeightDecay: 0.1), 1e3f), w => Assert.Equal(0.45f, w, 1e-4f));
    }

    [Fact]
    public void Gradients_above_the_limit_are_scaled_to_it_together()
    {
        Tensor a = Tensor.Vector(0, 0), b = Tensor.Vector(0f);
        Optimizer optimizer = new(new Sgd(), [Parameter("a", a), Parameter("b", b)], clipNorm: 6.5);
        Assert.Equal(13, optimizer.Step([Tensor.Vector(3, 4), Tensor.Vector(12)], 1));
        Assert.Equal([-1.5f, -2, -6], [.. a.Span, .. b.Span]);
        Assert.Equal(5, optimizer.Step([Tensor.Vector(3, 4), Tensor.Vector(0f)], 1));
        Assert.Equal([-4.5f, -6, -6], [.. a.Span, .. b.Span]);
    }

    [Fact]
    public void Gradients_that_have_no_norm_change_nothing()
    {
        Tensor w = Tensor.Vector(1, 2);
        Optimizer optimizer = new(new Sgd(), [Parameter("w", w)], clipNorm: 1);
        Assert.Contains("norm is NaN after 0 steps", Assert.Throws<TrainingException>(() => optimizer.Step([Tensor.Vector(1, float.NaN)], 1)).Message);
        Assert.Equal([1, 2], w.Span.ToArray());
    }

    [Fact]
    public void A_parameter_may_have_a_rate_and_a_decay_of_its_own()
    {
        Tensor matrix = new(new(1, 1), [1]), bias = Tensor.Vector(1);
        Optimizer optimizer = new(new Sgd(WeightDecay: 0.5), [Parameter("w", matrix), Parameter("b", bias)], ParameterSetting.ExemptVectors);
        optimizer.Step([new(new(1, 1)), Tensor.Vector(0f)], 1);
        Assert.Equal([0.5f, 1], [.. matrix.Span, .. bias.Span]);

        optimizer = new(new Sgd(), [Parameter("w", matrix)], _ => new(0.1));
        optimizer.Step([new(new(1, 1), [1])], 1);
        Assert.Equal(0.4f, matrix.Span[0], 1e-6f);
    }

    [Theory, MemberData(nameof(Rules))]
    public void Bits_do_not_depend_on_threads_and_state_goes_on_where_it_was(string name)
    {
        float[] start = new Generator(1).Floats(300_000), dw = new Generator(2).Floats(300_000);
        float[] alone = OnThreads.One(() => Train(4, 4)), shared = OnThreads.Four(() => Train(4, 4)), resumed = OnThreads.Four(() => Train(4, 2));
        Assert.Equal(alone, shared);
        Assert.Equal(alone, resumed);

        float[] Train(int steps, int firstRun)
        {
            Tensor w = Tensor.Vector(start);
            Optimizer optimizer = new(Everyone[name], [Parameter("w", w)], clipNorm: 1);
            for (int step = 0; step < steps; step++)
            {
                if (step == firstRun) optimizer = Resume(optimizer, w);
                optimizer.Step([Tensor.Vector(dw)], 0.1);
            }

            return w.Span.ToArray();
        }

        Optimizer Resume(Optimizer before, Tensor w)
        {
            Optimizer after = new(before.Rule, [Parameter("w", w)], clipNorm: before.ClipNorm) { Steps = before.Steps };
            foreach (var (from, to) in before.State.Zip(after.State)) from.Value.Span.CopyTo(to.Value.Span);
            return after;
        }
    }

    [Theory, MemberData(nameof(Rules))]
    public void A_warm_step_allocates_nothing(string name)
    {
        Tensor w = new(new(100_000)), dw = new(new(100_000));
        Optimizer optimizer = new(Everyone[name], [Parameter("w", w)], clipNorm: 1);
        Tensor[] gradients = [dw];
        Warm.AllocatesNothing(() => optimizer.Step(gradients, 0.1));
    }

    [Fact]
    public void Constants_outside_their_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(1));
        Assert.Throws<ArgumentException>(() => new Sgd(0, Nesterov: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(WeightDecay: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(Beta2: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(Epsilon: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Optimizer(new Sgd(), [], clipNorm: 0));
    }

    private static Node Parameter(string name, Tensor value) => new Graph().Parameter(name, value);

    /// <summary>The weight after each step from 1 at rate 0.5.</summary>
    private static float[] Walk(UpdateRule rule, params float[] gradients)
    {
        Tensor w = Tensor.Vector(1);
        Optimizer optimizer = new(rule, [Parameter("w", w)]);
        return [.. gradients.Select(dw =>
        {
            optimizer.Step([Tensor.Vector(dw)], 0.5);
            return w.Span[0];
        })];
    }

    /// <summary>The published rules, one number at a time: PyTorch's documentation of SGD, Adam and AdamW.</summary>
    private sealed class Oracle(UpdateRule rule, Tensor start)
    {
        public readonly double[] W = [.. start.Span.ToArray().Select(w => (double)w)];
        private readonly double[] _m = new double[start.Count], _v = new double[start.Count];

        public void Step(float[] dw, double rate, int t)
        {
            for (int i = 0; i < W.Length; i++)
            {
                double g = dw[i];
                if (rule is Adam adam)
                {
                    if (rule is AdamW) W[i] -= rate * rule.WeightDecay * W[i];
                    else g += rule.WeightDecay * W[i];
                    _m[i] = adam.Beta1 * _m[i] + (1 - adam.Beta1) * g;
                    _v[i] = adam.Beta2 * _v[i] + (1 - adam.Beta2) * g * g;
                    double m = _m[i] / (1 - Math.Pow(adam.Beta1, t)), v = _v[i] / (1 - Math.Pow(adam.Beta2, t));
                    W[i] -= rate * m / (Math.Sqrt(v) + adam.Epsilon);
                    continue;
                }

                Sgd sgd = (Sgd)rule;
                g += sgd.WeightDecay * W[i];
                _m[i] = t == 1 ? g : sgd.Momentum * _m[i] + g;
                W[i] -= rate * (sgd.Nesterov ? g + sgd.Momentum * _m[i] : sgd.Momentum == 0 ? g : _m[i]);
            }
        }
    }
}
