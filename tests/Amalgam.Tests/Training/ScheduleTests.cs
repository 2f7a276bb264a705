using Amalgam.Training;

namespace Amalgam.Tests.Training;

public class ScheduleTests
{
    [Fact]
    public void Factors_are_those_computed_by_hand()
    {
        Same([1, 1, 1, 1, 1, 1, 1, 1], Factors(new ConstantRate(), 2, 4));
        Same([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1], Factors(new StepRate(2), 2, 4));
        Same([1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25], Factors(new MultiStepRate([1, 3], 0.5), 2, 4));
        Same([1, 0.75, 0.5, 0.25], Factors(new LinearRate(), 1, 4));
        Same([1, 0.85, 0.7, 0.55], Factors(new LinearRate(0.4), 1, 4));
        Same([1, (1 + Math.Sqrt(0.5)) / 2, 0.5, (1 - Math.Sqrt(0.5)) / 2], Factors(new CosineRate(), 1, 4));
        Same([1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125], Factors(new LinearRate(), 2, 4));
        Same([1, 1, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25], Factors(new LinearRate(PerEpoch: true), 2, 4));
    }

    [Fact]
    public void Warm_up_climbs_evenly_and_the_schedule_begins_after_it()
    {
        Same([0.2, 0.4, 0.6, 0.8, 1, 0.75, 0.5, 0.25], Factors(new LinearRate(Warmup: 1), 4, 2));
        Same([1 / 3.0, 2 / 3.0, 1, 1, 0.1, 0.1], Factors(new StepRate(2, Warmup: 1), 2, 3));
        Same([0.5, 1, 1, 1], Factors(new ConstantRate(0.5), 2, 2));
        Same([1 / 3.0, 2 / 3.0, 1, 1, 0.5, 0.5], Factors(new LinearRate(Warmup: 1, PerEpoch: true), 2, 3));
        Assert.Equal(12 / 21.0, new CosineRate(Warmup: 5).Factor(11, 4, 3)); // a warm-up longer than the run never ends
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    public void Every_schedule_stays_between_0_and_1_and_falls_after_warm_up(double warmup)
    {
        foreach (Schedule schedule in (Schedule[])[new ConstantRate(warmup), new StepRate(2, 0.3, warmup), new MultiStepRate([1, 4], 0.1, warmup), new CosineRate(0.01, warmup), new CosineRate(0, warmup, true), new LinearRate(0, warmup), new LinearRate(0.2, warmup, true)])
        {
            double[] factors = Factors(schedule, 10, 6);
            Assert.All(factors, f => Assert.InRange(f, 0, 1));
            double[] after = factors[(int)(10 * warmup)..];
            Assert.Equal(after.OrderDescending(), after);
            Assert.True(warmup == 0 || factors[0] < 0.1);
        }
    }

    private static void Same(double[] expected, double[] found) => Assert.Equal(expected, found, (x, y) => Math.Abs(x - y) < 1e-12);

    private static double[] Factors(Schedule schedule, int stepsPerEpoch, int epochs) =>
        [.. Enumerable.Range(0, stepsPerEpoch * epochs).Select(step => schedule.Factor(step, stepsPerEpoch, epochs))];
}
