using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Training;

/// <summary>What holds for one parameter apart from the others.</summary>
/// <param name="RateScale">What the learning rate is multiplied by.</param>
/// <param name="WeightDecay">Its weight decay in place of the rule's; null for the rule's.</param>
public readonly record struct ParameterSetting(double RateScale = 1, double? WeightDecay = null)
{
    /// <summary>No weight decay for biases and norms' scales, that is for parameters of rank 0 and 1; the rule's for the others.</summary>
    public static ParameterSetting ExemptVectors(Node parameter) => new(1, parameter.Shape.Rank < 2 ? 0 : null);
}

/// <summary>
/// Changes parameters in place by their gradients. A step allocates nothing once warm and gives the same bits for any number of threads. State is zero at first.
/// </summary>
public sealed class Optimizer
{
    private const int NormBlock = 1 << 16;

    private readonly Target[] _targets;
    private readonly double[] _squares;

    private sealed record Target(string Name, Tensor Value, Tensor[] Slots, double RateScale, double WeightDecay, int FirstSquare);

    /// <param name="rule">How a parameter follows from its gradient.</param>
    /// <param name="parameters">What is changed.</param>
    /// <param name="setting">What holds for one parameter apart; null for nothing.</param>
    /// <param name="clipNorm">Largest norm of all gradients together, above which they are scaled down to it; null for no limit.</param>
    public Optimizer(UpdateRule rule, IEnumerable<Node> parameters, Func<Node, ParameterSetting>? setting = null, double? clipNorm = null)
    {
        if (clipNorm is not (null or > 0)) throw new ArgumentOutOfRangeException(nameof(clipNorm), clipNorm, "the largest norm must be above 0");
        (Rule, ClipNorm) = (rule, clipNorm);
        int squares = 0;
        List<Target> targets = [];
        foreach (Node node in parameters)
        {
            Tensor value = node.Op is Parameter ? node.Value! : throw new ArgumentException($"{node} is not a parameter", nameof(parameters));
            ParameterSetting of = setting?.Invoke(node) ?? new(1);
            targets.Add(new(node.Name!, value, [.. rule.Slots.Select(_ => new Tensor(value.Shape))], of.RateScale, of.WeightDecay ?? rule.WeightDecay, squares));
            squares += (value.Count + NormBlock - 1) / NormBlock;
        }

        _targets = [.. targets];
        _squares = new double[squares];
    }

    /// <summary>How a parameter follows from its gradient.</summary>
    public UpdateRule Rule { get; }

    /// <summary>Largest norm of all gradients together.</summary>
    public double? ClipNorm { get; }

    /// <summary>Steps taken.</summary>
    public long Steps { get; set; }

    /// <summary>The tensors that are kept between steps, each by slot and parameter, such as <c>momentum/fc1.weight</c>: to save, and to fill when a run is resumed.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
        _targets.SelectMany(t => t.Slots.Select((slot, i) => KeyValuePair.Create($"{Rule.Slots[i]}/{t.Name}", slot)));

    /// <summary>The momentum, or first moment, that is kept of a parameter, in its shape; null where the rule keeps none.</summary>
    /// <param name="parameter">Its name.</param>
    internal Tensor? MomentumOf(string parameter) => _targets.First(target => target.Name == parameter).Slots.FirstOrDefault();

    /// <summary>Takes one step.</summary>
    /// <param name="gradients">One for each parameter, in the order given at first.</param>
    /// <param name="rate">The learning rate.</param>
    /// <returns>The norm of all gradients together before clipping; NaN where there is no limit, as it is then not computed.</returns>
    /// <exception cref="TrainingException">There is a limit and the norm is not a finite number; nothing was changed.</exception>
    public double Step(ReadOnlySpan<Tensor> gradients, double rate)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradients.Length, _targets.Length);
        double norm = ClipNorm is null ? double.NaN : Norm(gradients);
        if (ClipNorm is not null && !double.IsFinite(norm)) throw new TrainingException($"the gradients' norm is {norm} after {Steps} steps: lower the learning rate, or look for NaN in the data");
        double scale = norm > ClipNorm ? ClipNorm.Value / norm : 1;
        Steps++;
        for (int i = 0; i < _targets.Length; i++)
        {
            Target t = _targets[i];
            ArgumentOutOfRangeException.ThrowIfNotEqual(gradients[i].Count, t.Value.Count, t.Name);
            UpdateStep step = new(Steps, rate * t.RateScale, t.WeightDecay, scale);
            Cores.ForRange(t.Value.Count, UpdateRule.Block * 8, (Rule, t, dw: gradients[i], step), static (s, from, to) =>
            {
                for (int at = from; at < to; at += UpdateRule.Block)
                {
                    int count = Math.Min(UpdateRule.Block, to - at);
                    Span<float> first = s.t.Slots.Length > 0 ? s.t.Slots[0].Span.Slice(at, count) : [];
                    Span<float> second = s.t.Slots.Length > 1 ? s.t.Slots[1].Span.Slice(at, count) : [];
                    s.Rule.Apply(s.step, s.t.Value.Span.Slice(at, count), s.dw.Span.Slice(at, count), first, second);
                }
            });
        }

        return norm;
    }

    /// <summary>The square root of the sum of all squares, in double precision: sums of blocks, added in order.</summary>
    private double Norm(ReadOnlySpan<Tensor> gradients)
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            Cores.ForRange(gradients[i].Count, NormBlock, (gradient: gradients[i], squares: _squares, first: _targets[i].FirstSquare), static (s, from, to) =>
                s.squares[s.first + from / NormBlock] = Sums.SumOfSquares(s.gradient.Span[from..to]));
        }

        double sum = 0;
        foreach (double square in _squares) sum += square;
        return Math.Sqrt(sum);
    }
}
