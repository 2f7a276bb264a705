using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class ClassScoresTests
{
    private static readonly ClassScores Scores = new(new(new(3, 4), [4, 3, 2, 1, 0, 5, 5, 0, 1, 2, 3, 9]));

    [Fact]
    public void Accuracy_counts_the_first_of_equal_scores()
    {
        Assert.Equal(1, Scores.Accuracy([0, 1, 3]));
        Assert.Equal(1 / 3.0, Scores.Accuracy([1, 2, 3]));
        Assert.Equal(1, Scores.Accuracy([1, 2, 3], top: 2));
        Assert.Equal(2 / 3.0, Scores.Accuracy([3, 2, 3], top: 3));
    }

    [Fact]
    public void Among_a_few_classes_the_others_are_not_predicted_and_do_not_count()
    {
        Assert.Equal(0.5, Scores.Accuracy([1, 2, 3], among: [1, 2]));
        Assert.Equal(2 / 3.0, Scores.Accuracy([0, 2, 0], among: [2, 0]));
        Assert.Equal(double.NaN, Scores.Accuracy([1, 2, 3], among: [0]));
    }

    [Fact]
    public void Cross_entropy_is_that_of_the_definition()
    {
        double expected = -Math.Log(Math.Exp(3) / (Math.Exp(4) + Math.Exp(3) + Math.Exp(2) + Math.Exp(1)));
        Assert.Equal(expected, new ClassScores(new(new(1, 4), [4, 3, 2, 1])).CrossEntropy([1]), 12);
        Assert.Equal(expected, new ClassScores(new(new(1, 4), [1004, 1003, 1002, 1001])).CrossEntropy([1]), 12);
    }

    [Fact]
    public void An_ensemble_is_the_sum()
    {
        ClassScores sum = new(Measure.Sum([Scores.Scores, new(new(3, 4), [0, 9, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0])]));
        Assert.Equal(1, sum.Accuracy([1, 0, 3]));
        Assert.Equal(4, Scores.Scores.Span[0]);
        Assert.Throws<InvalidDataException>(() => Measure.Sum([Scores.Scores, new(new(3, 2))]));
    }

    [Fact]
    public void A_score_that_is_no_number_is_never_right()
    {
        ClassScores scores = new(new(new(1, 2), [float.NaN, float.NaN]));
        Assert.Equal(0, scores.Accuracy([0]));
        Assert.Equal(0, scores.Accuracy([1], top: 2));
    }
}
