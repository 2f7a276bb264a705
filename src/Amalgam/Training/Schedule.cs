using System.Collections.Immutable;

namespace Amalgam.Training;

/// <summary>How the learning rate goes over a run: a factor that depends on the place in it alone.</summary>
/// <param name="Warmup">Epochs over which the factor climbs from near 0 to 1, before the schedule proper; may be a fraction.</param>
/// <param name="PerEpoch">Whether the factor stays the same during an epoch (that of its first step), as PyTorch's schedulers usually do.</param>
public abstract record Schedule(double Warmup = 0, bool PerEpoch = false)
{
    /// <summary>Epochs of warm-up, zero or more.</summary>
    public double Warmup { get; init; } = Warmup >= 0 ? Warmup : throw new ArgumentOutOfRangeException(nameof(Warmup), Warmup, "warm-up must take 0 epochs or more");

    /// <summary>The name in run descriptions.</summary>
    public abstract string Name { get; }

    /// <summary>What the base learning rate is multiplied by at a step. During warm-up it is (step + 1) / (warm-up's steps + 1), at every step whatever <see cref="PerEpoch"/> says.</summary>
    /// <param name="step">From 0 on.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch.</param>
    /// <param name="epochs">Epochs of the whole run.</param>
    public double Factor(long step, int stepsPerEpoch, int epochs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        long warm = (long)Math.Round(Warmup * stepsPerEpoch);
        if (step < warm) return (step + 1) / (warm + 1.0);
        double epoch = PerEpoch ? Math.Max(step / stepsPerEpoch, Warmup) : step / (double)stepsPerEpoch;
        return After(epoch, Math.Min(Warmup, epochs), epochs);
    }

    /// <summary>The factor after warm-up.</summary>
    /// <param name="epoch">Epochs since the run began, with the fraction of the one that runs.</param>
    /// <param name="begin">Where warm-up ended.</param>
    /// <param name="end">Epochs of the whole run.</param>
    protected abstract double After(double epoch, double begin, double end);

    /// <summary>How much of the time between two places has passed, from 0 to 1.</summary>
    private protected static double Passed(double epoch, double begin, double end) => end > begin ? Math.Clamp((epoch - begin) / (end - begin), 0, 1) : 1;
}

/// <summary>The factor stays 1.</summary>
public sealed record ConstantRate(double Warmup = 0) : Schedule(Warmup)
{
    public override string Name => "constant";

    protected override double After(double epoch, double begin, double end) => 1;
}

/// <summary>The factor is multiplied by another every so many epochs, counted from the run's begin.</summary>
/// <param name="Every">Epochs between two drops, at least 1.</param>
/// <param name="Drop">What a drop multiplies by.</param>
/// <param name="Warmup">Epochs of warm-up.</param>
public sealed record StepRate(int Every, double Drop = 0.1, double Warmup = 0) : Schedule(Warmup)
{
    /// <summary>Epochs between two drops.</summary>
    public int Every { get; init; } = Every >= 1 ? Every : throw new ArgumentOutOfRangeException(nameof(Every), Every, "there must be at least 1 epoch between drops");

    public override string Name => "step";

    protected override double After(double epoch, double begin, double end) => Math.Pow(Drop, Math.Floor(epoch / Every));
}

/// <summary>The factor is multiplied by another at given epochs, counted from the run's begin.</summary>
/// <param name="Milestones">Epochs at whose begin the factor drops, in ascending order.</param>
/// <param name="Drop">What a drop multiplies by.</param>
/// <param name="Warmup">Epochs of warm-up.</param>
public sealed record MultiStepRate(ImmutableArray<int> Milestones, double Drop = 0.1, double Warmup = 0) : Schedule(Warmup)
{
    public override string Name => "multistep";

    protected override double After(double epoch, double begin, double end)
    {
        int drops = 0;
        foreach (int milestone in Milestones)
        {
            if (epoch >= milestone) drops++;
        }

        return Math.Pow(Drop, drops);
    }
}

/// <summary>The factor falls from 1 to a last one along half a cosine (Loshchilov and Hutter, SGDR, 2017, equation 5, without restarts).</summary>
/// <param name="Last">The factor at the run's end.</param>
/// <param name="Warmup">Epochs of warm-up; the cosine begins after them.</param>
/// <param name="PerEpoch">Whether the factor stays the same during an epoch.</param>
public sealed record CosineRate(double Last = 0, double Warmup = 0, bool PerEpoch = false) : Schedule(Warmup, PerEpoch)
{
    public override string Name => "cosine";

    protected override double After(double epoch, double begin, double end) => Last + (1 - Last) * (1 + Math.Cos(Math.PI * Passed(epoch, begin, end))) / 2;
}

/// <summary>The factor falls from 1 to a last one along a line.</summary>
/// <param name="Last">The factor at the run's end.</param>
/// <param name="Warmup">Epochs of warm-up; the line begins after them.</param>
/// <param name="PerEpoch">Whether the factor stays the same during an epoch.</param>
public sealed record LinearRate(double Last = 0, double Warmup = 0, bool PerEpoch = false) : Schedule(Warmup, PerEpoch)
{
    public override string Name => "linear";

    protected override double After(double epoch, double begin, double end) => 1 - (1 - Last) * Passed(epoch, begin, end);
}
