using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class NetworkJudgeTests
{
    [Fact]
    public void An_ensemble_of_classifiers_is_the_mean_of_their_probabilities() => Property.Holds(gen =>
    {
        const int Samples = 5, Classes = 4;
        Tensor[] networks = [.. Enumerable.Range(0, 3).Select(_ => new Tensor(new(Samples, Classes), gen.Floats(Samples * Classes)))];
        Tensor mean = NetworkJudge.MeanOfClasses(networks);
        for (int i = 0; i < Samples; i++)
        {
            for (int c = 0; c < Classes; c++)
            {
                double expected = networks.Average(n => Math.Exp(n.Span[i * Classes + c]) / Enumerable.Range(0, Classes).Sum(k => Math.Exp(n.Span[i * Classes + k])));
                Assert.Equal(expected, Math.Exp(mean.Span[i * Classes + c]), 1e-5);
            }
        }
    });

    [Fact]
    public void Networks_of_other_classes_have_no_ensemble() =>
        Assert.Throws<InvalidDataException>(() => NetworkJudge.MeanOfClasses([new(new(1, 2)), new(new(1, 3))]));
}
