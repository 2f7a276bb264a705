using Amalgam.Training.Data;

namespace Amalgam.Tests.Training.Data;

public class JoinedTests
{
    [Fact]
    public void Samples_follow_one_another_and_classes_are_numbered_on()
    {
        Numbered first = new(4), second = new(5);
        Joined joined = new(first, second);
        Assert.Equal(9, joined.Count);
        Assert.Equal([0, 1, 2, 0, 3, 4, 5, 3, 4], joined.Labels);
        Assert.Equal(["zero", "one", "two", "zero", "one", "two"], joined.Classes);
        float[] x = new float[2], y = new float[2], label = new float[1];
        for (int i = 0; i < 9; i++)
        {
            joined.Read(0, i, default, x);
            (i < 4 ? first : second).Read(0, i < 4 ? i : i - 4, default, y);
            Assert.Equal(y, x);
            joined.Read(1, i, default, label);
            Assert.Equal(joined.Labels[i], label[0]);
        }
    }

    [Fact]
    public void Data_without_labels_or_with_other_fields_is_refused()
    {
        Dataset labelled = new Numbered(3);
        Assert.Contains("has other fields", Assert.Throws<ArgumentException>(() => new Joined(labelled, new Renamed(labelled, new Dictionary<string, string> { ["x"] = "y" }))).Message);
    }
}
