using Amalgam.Numerics;
using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class GlyphsTests
{
    [Fact]
    public void A_picture_depends_on_seed_split_and_index_alone()
    {
        ImageSet many = Glyphs.Create(300, seed: 4), few;
        using (Cores.Limit(1)) few = Glyphs.Create(30, seed: 4);
        for (int i = 0; i < few.Count; i++) Assert.True(many[i].SequenceEqual(few[i]));
        Assert.False(few[0].SequenceEqual(Glyphs.Create(1, seed: 5)[0]));
        Assert.False(few[0].SequenceEqual(Glyphs.Create(1, seed: 4, Split.Test)[0]));
    }

    [Fact]
    public void Classes_take_turns_and_have_names()
    {
        ImageSet glyphs = Glyphs.Create(45, classes: Glyphs.MostClasses);
        Assert.Equal(Enumerable.Range(0, 45).Select(i => i % 20), glyphs.Labels.ToArray());
        Assert.Equal(20, glyphs.Classes.Distinct().Count());
        Assert.Equal(10, Glyphs.Create(1).Classes.Length);
        Assert.Equal(new Shape(1, 28, 28), glyphs.Fields[0].Shape);
        Assert.Throws<ArgumentOutOfRangeException>(() => Glyphs.Create(1, classes: 21));
    }

    [Fact]
    public void Every_picture_has_ink_and_ground_and_none_is_like_another()
    {
        ImageSet glyphs = Glyphs.Create(400, classes: 20);
        HashSet<string> seen = [];
        for (int i = 0; i < glyphs.Count; i++)
        {
            byte[] picture = glyphs[i].ToArray();
            Assert.InRange(picture.Count(p => p > 100), 12, 400);
            Assert.InRange(picture.Count(p => p < 90), 300, 780);
            Assert.True(seen.Add(Convert.ToHexString(picture)));
        }
    }

    [Fact]
    public void Means_of_classes_tell_some_but_not_most_pictures()
    {
        ImageSet train = Glyphs.Create(3000, seed: 1), test = Glyphs.Create(600, seed: 1, Split.Test);
        float[][] means = [.. Enumerable.Range(0, 10).Select(_ => new float[784])];
        float[] x = new float[784];
        for (int i = 0; i < train.Count; i++)
        {
            train.Read(0, i, default, x);
            for (int p = 0; p < x.Length; p++) means[i % 10][p] += x[p] / 300;
        }

        int right = 0;
        for (int i = 0; i < test.Count; i++)
        {
            test.Read(0, i, default, x);
            int nearest = Enumerable.Range(0, 10).MinBy(c => means[c].Zip(x, (m, v) => (m - v) * (m - v)).Sum());
            right += nearest == test.Labels[i] ? 1 : 0;
        }

        Assert.InRange(right / 600.0, 0.3, 0.8);
    }
}
