using Amalgam.Zoo.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class ItemRankingTests
{
    [Fact]
    public void Among_all_items_those_that_the_user_had_before_do_not_count()
    {
        NextItems data = new("next", new([[1, 2, 3, 4], [5, 6, 7], [2, 9, 2, 9, 2]], 9), Split.Test, 2);
        ItemRanking ranking = ItemRanking.Of(data)!;
        Assert.True(ranking.IsOfAll);
        Assert.Equal(9, ranking.Items);

        // The padding's score, those of 1, 2 and 3, and those beyond the data's items are larger: none of them counts. Those of 8 and 9 do.
        float[] scores = [9, 9, 9, 9, 5, 1, 2, 3, 5, 6, 9, 9];
        Assert.Equal(2, ranking.Rank(scores, 0));
        Assert.Equal(8 - 2, ranking.Rank([0, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1));
        Assert.Equal(0, ranking.Rank([0, 1, 7, 1, 1, 1, 1, 1, 1, 8], 2)); // what is clicked again is ranked all the same
        Assert.Contains("items=10", Assert.Throws<InvalidDataException>(() => ranking.Rank(scores.AsSpan(0, 9), 0)).Message);
    }

    [Fact]
    public void Ranks_among_all_are_those_of_a_naive_computation() => Property.Holds(generator =>
    {
        int items = 4 + generator.Random.Next(30);
        int[][] users = [.. Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, 3 + generator.Random.Next(9)).Select(_ => 1 + generator.Random.Next(items)).ToArray())];
        NextItems data = new("next", new([.. users], items), Split.Validation, 3);
        ItemRanking ranking = ItemRanking.Of(data)!;
        for (int user = 0; user < users.Length; user++)
        {
            float[] scores = [.. Enumerable.Range(0, items + 1).Select(_ => (float)generator.Random.Next(6))];
            int right = users[user][^2];
            int[] others = [.. Enumerable.Range(1, items).Except(users[user][..^2]).Where(i => i != right)];
            Assert.Equal(others.Count(i => scores[i] >= scores[right]), ranking.Rank(scores, user));
        }
    });

    [Fact]
    public void Groups_need_one_right_item()
    {
        Clicks clicks = new("clicks", new([[1, 2, 3, 4]], 9), Split.Test, 2, 3);
        ItemRanking ranking = ItemRanking.Of(clicks)!;
        Assert.False(ranking.IsOfAll);
        Assert.Equal(4, ranking.Items);
        Assert.Equal(1, ranking.Rank([2, 1, 3, 1], 0));
        Assert.Contains("gives 3 scores for a sample, one of clicks has 4", Assert.Throws<InvalidDataException>(() => ranking.Rank([2, 1, 3], 0)).Message);
        Assert.Null(ItemRanking.Of(Glyphs.Create(10)));
        Assert.Null(ItemRanking.Merit(null));
    }
}
