using Amalgam.Training.Data;

namespace Amalgam.Tests.Training.Data;

public class SubsetTests
{
    [Fact]
    public void Classes_keep_their_numbers_or_get_new_ones()
    {
        Numbered data = new(10);
        var kept = Subset.OfClasses(data, [2, 0]);
        Assert.Equal([0, 2, 0, 2, 0, 2, 0], kept.Labels);
        Assert.Equal(["zero", "one", "two"], kept.Classes);
        var renumbered = Subset.OfClasses(data, [2, 0], renumber: true);
        Assert.Equal([1, 0, 1, 0, 1, 0, 1], renumbered.Labels);
        Assert.Equal(["two", "zero"], renumbered.Classes);

        float[] x = new float[2], label = new float[1];
        for (int i = 0; i < 7; i++)
        {
            renumbered.Read(0, i, default, x);
            renumbered.Read(1, i, default, label);
            Assert.Equal(((int)x[0] % 3 == 2) ? 0 : 1, label[0]);
            kept.Read(1, i, default, label);
            Assert.Equal((int)x[0] % 3, label[0]);
        }
    }

    [Fact]
    public void Classes_of_a_group_count_as_one_and_others_are_left_out()
    {
        Numbered data = new(10);
        var grouped = Subset.OfGroups(data, [[2], [0]]);
        Assert.Equal([1, 0, 1, 0, 1, 0, 1], grouped.Labels);
        var both = Subset.OfGroups(data, [[1], [2, 0]]);
        Assert.Equal([1, 0, 1, 1, 0, 1, 1, 0, 1, 1], both.Labels);
        Assert.Equal(["one", "two/zero"], both.Classes);
        float[] label = new float[1];
        for (int i = 0; i < 10; i++)
        {
            both.Read(1, i, default, label);
            Assert.Equal(i % 3 == 1 ? 0 : 1, label[0]);
        }

        Assert.Contains("class 1 is named twice", Assert.Throws<ArgumentException>(() => Subset.OfGroups(data, [[1], [0, 1]])).Message);
    }

    [Fact]
    public void A_split_has_every_sample_once_and_depends_on_the_seed_alone() => Property.Holds(gen =>
    {
        Numbered data = new(gen.Size());
        int held = gen.Random.Next(data.Count + 1);
        var (rest, out1) = Subset.Split(data, held, 4);
        var (_, out2) = Subset.Split(data, held, 4);
        Assert.Equal((data.Count - held, held), (rest.Count, out1.Count));
        Assert.Equal(Enumerable.Range(0, data.Count), Who(rest).Concat(Who(out1)).Order());
        Assert.Equal(Who(out1), Who(out2));
    });

    [Fact]
    public void Another_seed_splits_otherwise() =>
        Assert.NotEqual(Who(Subset.Split(new Numbered(100), 50, 1).Second), Who(Subset.Split(new Numbered(100), 50, 2).Second));

    [Fact]
    public void A_skill_is_in_one_part_alone_and_the_others_are_divided_by_the_share() => Property.Holds(gen =>
    {
        Numbered data = new(gen.Size());
        double share = gen.Random.Next(11) / 10.0;
        var (first, second) = Subset.Skill(data, [1], share, 3);
        int[] own = [.. Enumerable.Range(0, data.Count).Where(i => data.Labels[i] == 1)];
        int others = data.Count - own.Length, tenths = (int)Math.Round(share * 10);
        Assert.Equal(own.Length + (others * tenths + 9) / 10, first.Count);
        Assert.Equal(Enumerable.Range(0, data.Count), Who(first).Concat(Who(second)).Order());
        Assert.Empty(own.Except(Who(first)));
        Assert.Equal(Who(first), Who(Subset.Skill(data, [1], share, 3).First));
    });

    [Fact]
    public void Random_choices_stay_with_the_sample()
    {
        Numbered data = new(10);
        float[] a = new float[3], b = new float[3];
        new Subset(data, [7, 3]).Read(2, 1, new(5, 6), a);
        data.Read(2, 3, new(5, 6), b);
        Assert.Equal(b, a);
    }

    [Fact]
    public void Fields_take_other_names()
    {
        Renamed data = new(new Numbered(3), new Dictionary<string, string> { ["x"] = "input" });
        Assert.Equal(["input", "label", "noise"], data.Fields.Select(f => f.Name));
        float[] x = new float[2];
        data.Read(data.IndexOf("input"), 2, default, x);
        Assert.Equal([2f, 2.5f], x);
    }

    [Fact]
    public void Refuses_classes_that_there_are_not()
    {
        Assert.Contains("numbered has 3 classes, numbered from 0; there is no class 3", Assert.Throws<ArgumentException>(() => Subset.OfClasses(new Numbered(9), [0, 3])).Message);
        Assert.Contains("class 1 is named twice", Assert.Throws<ArgumentException>(() => Subset.OfClasses(new Numbered(9), [1, 1])).Message);
        Assert.Contains("a share is from 0 to 1", Assert.Throws<ArgumentException>(() => Subset.Skill(new Numbered(9), [1], 1.5, 0)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Subset(new Numbered(9), [9]));
    }

    private static int[] Who(Dataset data)
    {
        float[] x = new float[2];
        return [.. Enumerable.Range(0, data.Count).Select(i =>
        {
            data.Read(0, i, default, x);
            return (int)x[0];
        })];
    }
}
