using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class GlyphsTests
{
    [Fact]
    public void A_picture_depends_on_seed_split_and_index_alone()
    {
        ImageSet few = Glyphs.Create(50, 7), many = Glyphs.Create(300, 7);
        for (int i = 0; i < 50; i++) Assert.Equal(few[i].ToArray(), many[i].ToArray());
        Assert.NotEqual(few[3].ToArray(), Glyphs.Create(50, 8)[3].ToArray());
        Assert.NotEqual(few[3].ToArray(), Glyphs.Create(50, 7, Split.Test)[3].ToArray());
        Assert.Equal(OnThreads.One(() => Glyphs.Create(300, 7)[299].ToArray()), OnThreads.Four(() => Glyphs.Create(300, 7)[299].ToArray()));
    }

    [Fact]
    public void Classes_are_equally_frequent_and_have_names()
    {
        ImageSet set = Glyphs.Create(400, classes: 20);
        Assert.Equal(20, set.Classes.Distinct().Count());
        Assert.All(Enumerable.Range(0, 20), c => Assert.Equal(20, set.Labels.ToArray().Count(l => l == c)));
    }

    [Fact]
    public void Every_picture_has_ink_and_background()
    {
        ImageSet set = Glyphs.Create(2000, 1);
        for (int i = 0; i < set.Count; i++)
        {
            int ink = set[i].ToArray().Count(p => p > 100);
            Assert.InRange(ink, 15, 500);
        }
    }

    [Fact]
    public void No_mean_picture_tells_the_classes_apart()
    {
        // The nearest class mean is a linear rule. Its share of right answers says how much can be had without looking at shapes; a network gets above 98 %.
        Dataset train = Glyphs.Create(4000, 1), test = Glyphs.Create(1000, 1, Split.Test);
        float[][] means = [.. Enumerable.Range(0, 10).Select(_ => new float[784])];
        float[] image = new float[784];
        for (int i = 0; i < train.Count; i++)
        {
            train.Read(0, i, default, image);
            for (int p = 0; p < 784; p++) means[train.Labels[i]][p] += image[p] / 400;
        }

        int right = 0;
        for (int i = 0; i < test.Count; i++)
        {
            test.Read(0, i, default, image);
            int best = Enumerable.Range(0, 10).MinBy(c => means[c].Zip(image, (m, x) => (m - x) * (m - x)).Sum());
            if (best == test.Labels[i]) right++;
        }

        Assert.InRange(right, 200, 850);
    }
}
