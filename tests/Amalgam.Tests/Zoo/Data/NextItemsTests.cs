using Amalgam.Zoo.Data;

namespace Amalgam.Tests.Zoo.Data;

public class NextItemsTests
{
    private static readonly Interactions Few = new([[1, 2, 3, 4, 5], [5, 1], [6, 7, 8]], 8);

    [Fact]
    public void Every_item_that_a_part_asks_for_is_a_sample()
    {
        Assert.Equal(["0 0 1 > 2", "0 1 2 > 3"], Samples(Split.Train, 3));
        Assert.Equal(["1 2 3 > 4", "0 0 6 > 7"], Samples(Split.Validation, 3));
        Assert.Equal(["3 4 > 5", "6 7 > 8"], Samples(Split.Test, 2));
    }

    [Fact]
    public void What_was_seen_is_listed_whatever_the_length()
    {
        NextItems test = new("next", Few, Split.Test, 2);
        float[] seen = new float[test.Fields[2].Shape.Count];
        test.Read(2, 0, default, seen);
        Assert.Equal([1f, 2, 3, 4], seen);
        test.Read(2, 1, default, seen);
        Assert.Equal([0f, 0, 6, 7], seen);
        Assert.Equal(9, test.Classes.Length);
    }

    private static IEnumerable<string> Samples(Split split, int length)
    {
        NextItems data = new("next", Few, split, length);
        return Enumerable.Range(0, data.Count).Select(i =>
        {
            float[] items = new float[length], label = new float[1];
            data.Read(0, i, default, items);
            data.Read(1, i, default, label);
            Assert.Equal(data.Labels[i], label[0]);
            return $"{string.Join(' ', items)} > {label[0]}";
        });
    }
}
