using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Zoo.Demo;

public class ProblemTests
{
    [Fact]
    public void A_seed_gives_one_problem_and_another_seed_another()
    {
        Assert.Equal(new Problem(1).Past.Training.Inputs, new Problem(1).Past.Training.Inputs);
        Assert.NotEqual(new Problem(1).Past.Training.Inputs, new Problem(2).Past.Training.Inputs);
    }

    [Fact]
    public void Training_and_test_samples_are_separate_draws()
    {
        Problem problem = new(1);
        foreach (var (training, test) in problem.All.Append(problem.Past))
        {
            Assert.Equal((Problem.TrainingSamples, Problem.TestSamples), (training.Count, test.Count));
            Assert.Empty(training.Inputs.Intersect(test.Inputs));
        }
    }

    [Fact]
    public void Normal_draws_have_mean_zero_and_variance_one()
    {
        double[] x = Problem.Normal(1, "test", 100_000);
        Assert.Equal(0, x.Average(), 0.02);
        Assert.Equal(1, x.Average(v => v * v), 0.02);
    }
}
