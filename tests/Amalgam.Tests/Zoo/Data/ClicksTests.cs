using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class ClicksTests
{
    [Fact]
    public void The_last_item_is_for_the_test_the_one_before_for_validation_and_neither_trained_on()
    {
        Interactions interactions = new([[1, 2, 3, 4, 5], [5, 1], [6, 7, 8]], 20);
        Clicks train = new("train", interactions, Split.Train, 3, 1), validation = new("validation", interactions, Split.Validation, 3, 2), test = new("test", interactions, Split.Test, 3, 2);
        Assert.Equal([([0f, 0, 1], 2), ([0f, 1, 2], 3)], Groups(train).Select(g => (g.Items, (int)g.Target[0])));
        Assert.Equal([([1f, 2, 3], 4), ([0f, 0, 6], 7)], Groups(validation).Select(g => (g.Items, (int)g.Target[0])));
        Assert.Equal([([2f, 3, 4], 5), ([0f, 6, 7], 8)], Groups(test).Select(g => (g.Items, (int)g.Target[0])));
        Assert.Equal([0f, 1], Groups(test).Select(g => g.User));
        Assert.All(Groups(test), g => Assert.Equal([1f, 0, 0], g.Label));
        Assert.Equal((1, 2), test[1]);
    }

    [Fact]
    public void Drawn_items_are_distinct_and_none_of_the_users_own() => Property.Holds(generator =>
    {
        int items = 5 + generator.Random.Next(60);
        int[] own = [.. Enumerable.Range(1, items).Where(_ => generator.Random.Next(3) > 0)];
        if (own.Length < 3 || own.Length == items) return;
        Interactions interactions = new([own], items);
        foreach (Split split in Enum.GetValues<Split>())
        {
            Clicks clicks = new("c", interactions, split, 4, items - own.Length);
            foreach (var group in Groups(clicks, new(generator.Random.Next(), 1)))
            {
                Assert.Equal(Enumerable.Range(1, items).Except(own), group.Target[1..].Select(i => (int)i).Order()); // as many as there are: none is left out
            }
        }

        Assert.Contains("cannot be drawn", Assert.Throws<InvalidDataException>(() => new Clicks("c", interactions, Split.Test, 4, items - own.Length + 1)).Message);
    });

    [Theory, MemberData(nameof(Sources))]
    public void Of_real_data_no_drawn_item_is_the_users_own_and_candidates_are_the_same_in_any_order(string name)
    {
        RealData.At("recommendation");
        foreach (Split split in Enum.GetValues<Split>())
        {
            Clicks clicks = (Clicks)DataSource.OpenNamed(name, split, root: RealData.At());
            (HashSet<int> Own, int Last)[] users = Users(name);
            int size = clicks.Fields[1].Shape.Size(0);
            Assert.Equal(split == Split.Train ? 5 : 100, size);
            ulong forward = 0, backward = 0;
            float[] target = new float[size];
            for (int i = 0; i < clicks.Count; i++)
            {
                clicks.Read(1, i, new(1, 2), target);
                var (own, last) = users[clicks[i].User];
                Assert.Contains((int)target[0], own);
                for (int j = 1; j < size; j++)
                {
                    int item = (int)target[j];
                    if (item < 1 || item > clicks.Ids - 1 || own.Contains(item)) Assert.Fail($"{clicks.Name}, sample {i}: {item} was drawn");
                }

                Assert.Equal(size, target.Distinct().Count());
                if (split == Split.Test) Assert.Equal(last, (int)target[0]);
                else Assert.NotEqual(last, (int)target[0]);
                forward += Mix(i, target);
            }

            for (int i = clicks.Count - 1; i >= 0; i--)
            {
                clicks.Read(1, i, split == Split.Train ? new(1, 2) : new(77, i), target);
                backward += Mix(i, target);
            }

            Assert.Equal(forward, backward);
        }

        static ulong Mix(int sample, float[] values)
        {
            HashCode hash = new();
            hash.Add(sample);
            foreach (float value in values) hash.Add(value);
            return (uint)hash.ToHashCode();
        }
    }

    public static TheoryData<string> Sources => [.. DataSource.All.Where(s => s.Options.ContainsKey("negatives") && !s.Name.EndsWith("-next")).Select(s => s.Name)];

    /// <summary>Users as the file has them, those with three items or more: read here once more, without the code under test.</summary>
    private static (HashSet<int> Own, int Last)[] Users(string name)
    {
        string[] lines = [.. DataFolder.Lines(DataFolder.Find(RealData.At(), DataSource.Find(name).Files[0])!)];
        int[][] items = lines[0].Contains('\t')
            ? [.. lines.Select(l => l.Split('\t')).GroupBy(c => int.Parse(c[0])).OrderBy(u => u.Key).Select(u => u.OrderBy(c => c.Length > 3 ? int.Parse(c[3]) : 0).ThenBy(c => c.Length > 3 ? int.Parse(c[1]) : 0).Select(c => int.Parse(c[1])).ToArray())]
            : [.. lines.Select(l => l.Split(' ').Skip(1).Select(int.Parse).ToArray())];
        int shift = items.Any(u => u.Contains(0)) ? 1 : 0;
        return [.. items.Where(u => u.Length >= 3).Select(u => (u.Select(i => i + shift).ToHashSet(), u[^1] + shift))];
    }

    [Fact]
    public void Training_draws_anew_in_every_epoch_and_the_others_do_not()
    {
        Interactions interactions = new([[.. Enumerable.Range(1, 30)]], 1000);
        Clicks train = new("a", interactions, Split.Train, 4, 1), validation = new("a", interactions, Split.Validation, 4, 9), test = new("a", interactions, Split.Test, 4, 9);
        Assert.NotEqual(Targets(train, new(1, 0)), Targets(train, new(1, 1)));
        Assert.Equal(Targets(train, new(1, 0)), Targets(train, new(1, 0)));
        Assert.Equal(Targets(test, new(1, 0)), Targets(test, new(2, 5)));
        Assert.Equal(Targets(validation, new(1, 0)), Targets(validation, new(2, 5)));
        Assert.NotEqual(Targets(validation, default)[1..], Targets(test, default)[1..]);
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
    public void A_file_without_users_of_enough_items_is_refused()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["recommendation"]);
        File.WriteAllText(folder["recommendation/lastfm.txt"], "1 5 6 7\n2 5 6\n");
        Assert.Equal(1, DataSource.OpenNamed("lastfm", Split.Test, new Dictionary<string, string> { ["candidates"] = "4" }, folder[""]).Count);
        Assert.Contains("no user has 4 items, which the training part needs", Assert.Throws<InvalidDataException>(() => DataSource.OpenNamed("lastfm-next", Split.Train, root: folder[""])).Message);
        Assert.Contains("all but 4 of 7 items, so 99", Assert.Throws<InvalidDataException>(() => DataSource.OpenNamed("lastfm", Split.Test, root: folder[""])).Message);
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

    private static float[] Targets(Clicks clicks, Draw draw) => [.. Groups(clicks, draw).SelectMany(g => g.Target)];

    private static IEnumerable<(float[] Items, float[] Target, float[] Label, float User)> Groups(Clicks clicks, Draw draw = default) => Enumerable.Range(0, clicks.Count).Select(sample =>
    {
        float[][] fields = [.. clicks.Fields.Select(f => new float[f.Shape.Count])];
        for (int i = 0; i < fields.Length; i++) clicks.Read(i, sample, draw, fields[i]);
        return (fields[0], fields[1], fields[2], fields[3][0]);
    });
}
