using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class ClicksTests
{
    [Fact]
    public void The_last_item_is_for_the_test_and_never_trained_on()
    {
        Interactions interactions = new([[1, 2, 3, 4], [5, 1]], 9);
        Clicks train = new("train", interactions, Split.Train, 3, 1), test = new("test", interactions, Split.Test, 3, 2);
        Assert.Equal(2, train.Count);
        Assert.Equal([0f, 0, 1], Of(train, 0).Items);
        Assert.Equal((2, 1f), (Of(train, 0).Target, Of(train, 0).Label));
        Assert.Equal(3, test.Count);
        Assert.Equal([1f, 2, 3], Of(test, 0).Items);
        Assert.Equal((4, 1f), (Of(test, 0).Target, Of(test, 0).Label));
        Assert.Equal(0, Of(test, 1).Label);
    }

    [Fact]
    public void Drawn_items_are_none_of_the_users_own() => Property.Holds(generator =>
    {
        int items = 5 + generator.Random.Next(20);
        int[] own = [.. Enumerable.Range(1, items).Where(_ => generator.Random.Next(3) > 0)];
        if (own.Length < 3 || own.Length == items) return;
        Clicks clicks = new("c", new([own], items), Split.Test, 4, 30);
        for (int i = 1; i < clicks.Count; i++)
        {
            Assert.DoesNotContain(Of(clicks, i).Target, own);
            Assert.InRange(Of(clicks, i).Target, 1, items);
        }
    });

    [Fact]
    public void Training_draws_anew_in_every_epoch_and_the_test_does_not()
    {
        Interactions interactions = new([[.. Enumerable.Range(1, 30)]], 1000);
        Clicks train = new("a", interactions, Split.Train, 4, 1), test = new("a", interactions, Split.Test, 4, 9);
        Assert.NotEqual(Targets(train, new(1, 0)), Targets(train, new(1, 1)));
        Assert.Equal(Targets(train, new(1, 0)), Targets(train, new(1, 0)));
        Assert.Equal(Targets(test, new(1, 0)), Targets(test, new(2, 5)));
    }

    [Fact]
    public void Real_sequences_have_the_published_sizes()
    {
        Interactions beauty = Interactions.ReadSequences(RealData.At("recommendation", "amazon-beauty.txt.gz"));
        Assert.Equal((22363, 12101, 198502), (beauty.Users.Length, beauty.Items, beauty.Users.Sum(u => u.Length)));
        Interactions films = Interactions.ReadSequences(RealData.At("recommendation", "ml-1m-ge3-sequences.txt.gz"));
        Assert.Equal((6038, 3307), (films.Users.Length, films.Items));
        Assert.DoesNotContain(films.Users, u => u.Contains(0));
        Interactions ratings = Interactions.ReadRatings(RealData.At("recommendation", "ml-100k.u.data.gz"));
        Assert.Equal((943, 1682, 100_000), (ratings.Users.Length, ratings.Items, ratings.Users.Sum(u => u.Length)));
    }

    [Fact]
    public void Damage_is_refused()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["a"], "1 2 x\n");
        Assert.Contains("line 1: 'x' is no id", Assert.Throws<InvalidDataException>(() => Interactions.ReadSequences(folder["a"])).Message);
        File.WriteAllText(folder["a"], "1\t2\t5\n1 2 5\n");
        Assert.Contains("line 2: expected user, item, rating", Assert.Throws<InvalidDataException>(() => Interactions.ReadRatings(folder["a"])).Message);
    }

    private static (float[] Items, int Target, float Label) Of(Clicks clicks, int sample, Draw draw = default)
    {
        float[] items = new float[clicks.Fields[0].Shape.Count], target = new float[1], label = new float[1];
        clicks.Read(0, sample, draw, items);
        clicks.Read(1, sample, draw, target);
        clicks.Read(2, sample, draw, label);
        Assert.Equal(clicks.Labels[sample], label[0]);
        return (items, (int)target[0], label[0]);
    }

    private static int[] Targets(Clicks clicks, Draw draw) => [.. Enumerable.Range(0, clicks.Count).Select(i => Of(clicks, i, draw).Target)];
}
