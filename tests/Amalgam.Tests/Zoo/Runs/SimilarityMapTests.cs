using Amalgam.Alignment;
using Amalgam.Tests.Alignment;
using Amalgam.Zoo.Report;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class SimilarityMapTests
{
    [Theory]
    [InlineData(20)]
    [InlineData(150)]
    public void What_was_matched_comes_on_the_diagonal(int hidden)
    {
        var (models, _) = SmallNetworks.Twins(SmallNetworks.Mlp(3, hidden), 4);
        AlignmentResult result = UnitAlignment.Run(models, new() { Space = MatchingSpace.Weights });
        foreach (ClassMatch match in result.Classes)
        {
            var (before, after) = SimilarityMap.Of(match, result.Maps);
            Assert.Equal(Math.Min(hidden, 96), after.Rows);
            for (int i = 0; i < after.Rows; i++) Assert.Equal(1, after.Values[i * after.Columns + i], 1e-5);
            Assert.True(Enumerable.Range(0, before.Rows).Count(i => before.Values[i * before.Columns + i] > 0.9) < before.Rows / 2);
        }
    }

    [Fact]
    public void What_became_one_stands_side_by_side()
    {
        var (models, _) = SmallNetworks.Twins(SmallNetworks.Mlp(3, 20), 4);
        AlignmentResult result = UnitAlignment.Run(models, new() { Space = MatchingSpace.Weights, Matching = UnitMatching.Zip });
        HeatMap after = SimilarityMap.Of(result.Classes[0], result.Maps).After;
        Assert.Equal(40, after.Rows);
        for (int i = 0; i < 40; i++)
        {
            Assert.True(double.IsNaN(after.Values[i * 40 + i]));
            Assert.Equal(1, after.Values[i * 40 + (i ^ 1)], 1e-5);
        }
    }

    [Theory]
    [InlineData(new[] { "layer1.0.conv1", "layer1.2.conv1" }, "layer1.*.conv1 (2)")]
    [InlineData(new[] { "fc1" }, "fc1")]
    [InlineData(new[] { "a1.b1", "a2.b2" }, "a*.b* (2)")]
    public void Names_that_differ_by_numbers_are_told_as_one(string[] names, string text)
    {
        Assert.Single(names.Select(NumberedNames.Key).Distinct());
        Assert.Equal(text, NumberedNames.Counted(names));
    }
}
