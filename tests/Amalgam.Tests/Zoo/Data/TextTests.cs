using System.Text;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Data;

public class TextTests
{
    [Fact]
    public void The_most_frequent_pair_becomes_a_piece_first()
    {
        // " ab" three times, " abc" twice: (space, a) and (a, b) occur five times each; of equals the smaller pair of ids wins.
        Vocabulary vocabulary = Vocabulary.Train(["ab ab ab", "abc ABC"], Vocabulary.Least + 3);
        int space = 3 + ' ', a = 3 + 'a', b = 3 + 'b', c = 3 + 'c';
        Assert.Equal([(space, a), (Vocabulary.Least, b), (Vocabulary.Least + 1, c)], vocabulary.Merges);
        Assert.Equal([Vocabulary.Least + 1, Vocabulary.Least + 2], vocabulary.Encode("ab abc"));
    }

    [Fact]
    public void Pieces_give_the_text_back() => Property.Holds(generator =>
    {
        string[] words = ["the", "film", "is", "not", "naïve", "good", "bad", "très", "!", "..."];
        string text = string.Join(' ', Enumerable.Range(0, generator.Size(40)).Select(_ => words[generator.Random.Next(words.Length)]));
        Vocabulary vocabulary = Vocabulary.Train([text, "the film is bad"], Vocabulary.Least + 20);
        List<byte>[] pieces = [.. Enumerable.Range(0, vocabulary.Count).Select(_ => new List<byte>())];
        for (int i = 3; i < Vocabulary.Least; i++) pieces[i].Add((byte)(i - 3));
        for (int i = 0; i < vocabulary.Merges.Length; i++) pieces[Vocabulary.Least + i].AddRange([.. pieces[vocabulary.Merges[i].Left], .. pieces[vocabulary.Merges[i].Right]]);
        string back = Encoding.UTF8.GetString([.. vocabulary.Encode(text).SelectMany(p => pieces[p])]);
        Assert.Equal(text.Replace(" ", ""), back.Replace(" ", ""));
    }, runs: 30);

    [Fact]
    public void A_long_pair_is_shortened_at_the_longer_text()
    {
        Vocabulary vocabulary = Vocabulary.Train([""], Vocabulary.Least);
        var (pieces, segments) = vocabulary.Encode(["aaaaaaaa", "b"], 8);
        Assert.Equal(8, pieces.Length);
        Assert.Equal([Vocabulary.Start, 3 + ' ', 3 + 'a', 3 + 'a', Vocabulary.End, 3 + ' ', 3 + 'b', Vocabulary.End], pieces);
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1], segments);
    }

    [Fact]
    public void Samples_are_padded_and_masked()
    {
        LabelledText text = new([["ab"], ["a"]], [1, 0]);
        TextSet set = new("tiny", text, Vocabulary.Train(["ab"], Vocabulary.Least), 6, ["no", "yes"]);
        float[] row = new float[6];
        set.Read(1, 1, default, row);
        Assert.Equal([1f, 1, 1, 1, 0, 0], row);
        set.Read(0, 1, default, row);
        Assert.Equal([1f, 3 + ' ', 3 + 'a', 2, 0, 0], row);
    }

    [Fact]
    public void Shuffled_texts_have_the_same_words_and_another_order()
    {
        LabelledText text = new(
            [["one two three four five six"], ["too few words"], ["a  b c d e f g"], ["x x x x x x"], ["y x x x x x"], ["the last one of all these"]], [0, 1, 1, 0, 1, 0]);
        LabelledText every = WordOrder.Of(text, "train", twice: false), twice = WordOrder.Of(text, "dev", twice: true);
        Assert.Equal([0, 1, 0, 1], every.Labels);
        Assert.Equal([0, 1, 0, 1, 0, 1, 0, 1], twice.Labels);
        string[] kept = ["one two three four five six", "a b c d e f g", "y x x x x x", "the last one of all these"];
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(kept[i], twice.Texts[2 * i].Single());
            foreach (string shuffled in (string[])[twice.Texts[2 * i + 1].Single(), every.Texts[i].Single()])
            {
                Assert.Equal(kept[i].Split(' ').Order(), shuffled.Split(' ').Order());
                if (shuffled != every.Texts[i].Single() || every.Labels[i] == 1) Assert.NotEqual(kept[i], shuffled);
            }
        }

        Assert.Equal(every.Texts.SelectMany(t => t), WordOrder.Of(text, "train", twice: false).Texts.SelectMany(t => t));
    }

    [Fact]
    public void Orders_of_the_reviews_have_as_many_samples_of_each_class()
    {
        Dictionary<string, string> options = new() { ["vocabulary"] = "300", ["length"] = "32" };
        Dataset train = DataSource.OpenNamed("sst2-order", Split.Train, options, RealData.At()), test = DataSource.OpenNamed("sst2-order", Split.Test, options, RealData.At());
        Assert.Equal((38718, 1696), (train.Count, test.Count));
        Assert.Equal((19359, 848), (train.Labels.Count(1), test.Labels.Count(1)));
    }

    [Fact]
    public void Rte_has_the_published_sizes()
    {
        Dataset train = DataSource.OpenNamed("rte", Split.Train, new Dictionary<string, string> { ["vocabulary"] = "300" }, RealData.At());
        Assert.Equal(2490, train.Count);
        Assert.Equal(277, DataSource.OpenNamed("rte", Split.Test, new Dictionary<string, string> { ["vocabulary"] = "300" }, RealData.At()).Count);
        Assert.InRange(train.Labels.ToArray().Average(), 0.45, 0.55);
    }

    [Fact]
    public void Own_texts_are_opened_by_their_paths_and_columns()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["train.tsv"], "id\tleft\tright\tlabel\n1\ta b \tc\t10\n2\td\te\t9\n3\tf\tg\t10\n");
        File.WriteAllText(folder["test.tsv"], "left\tlabel\tright\nx\t9\ty\n");
        DataDescription data = DataDescription.Parse($"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},columns=left/right,length=9");
        Dataset train = RunData.OpenTrain(data), test = RunData.OpenTest(data);
        Assert.Equal(["9", "10"], train.Classes); // by size, not by letters
        Assert.Equal([1, 0, 1], train.Labels.ToArray());
        Assert.Equal([0], test.Labels.ToArray());
        float[] row = new float[9];
        train.Read(0, 0, default, row);
        Assert.Equal([1f, 3 + ' ', 3 + 'a', 3 + ' ', 3 + 'b', 2, 3 + ' ', 3 + 'c', 2], row);
        Assert.False(data.HasOnePart);
        Assert.True((data with { Options = data.Options.Remove("test") }).HasOnePart);

        Refused("needs the option train", new("texts"));
        Refused("none.tsv does not exist", DataDescription.Parse("texts:train=none.tsv"));
        Refused("3 columns of texts", data with { Options = data.Options.SetItem("columns", "a,b,c") });
        Refused("leave the option vocabulary out", data with { Options = data.Options.SetItem("tokenizer", folder.Path).SetItem("vocabulary", "500") });
        Refused("has no tokenizer", data with { Options = data.Options.SetItem("tokenizer", folder.Path) });
        File.WriteAllText(folder["train.tsv"], "sentence\tlabel\na\tx\n");
        Refused("has 1 different labels", data);

        static void Refused(string phrase, DataDescription data) => Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => RunData.OpenTrain(data)).Message);
    }

    /// <summary>A label that is no class of the training part is not taken for a class's number, unless the classes are fixed.</summary>
    [Fact]
    public void Labels_are_names_and_only_those_of_fixed_classes_may_be_numbers()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["train.tsv"], "sentence\tlabel\na\t-1\nb\t1\n");
        File.WriteAllText(folder["test.tsv"], "sentence\tlabel\na\t-1\nb\t0\n");
        DataDescription data = DataDescription.Parse($"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},length=9");
        Assert.Equal([0, 1], RunData.OpenTrain(data).Labels.ToArray());
        Assert.EndsWith("line 3: the label '0' is none of -1, 1", Assert.Throws<InvalidDataException>(() => RunData.OpenTest(data)).Message, StringComparison.Ordinal);

        File.WriteAllText(folder["glue.tsv"], "sentence\tlabel\na\t1\nb\tno\n");
        Assert.Equal([1, 0], LabelledText.Read(folder["glue.tsv"], ["sentence"], ["no", "yes"], numbered: true).Labels);
        File.WriteAllText(folder["glue.tsv"], "sentence\tlabel\na\t2\n");
        Assert.EndsWith("is none of no, yes and no number below 2", Assert.Throws<InvalidDataException>(() => LabelledText.Read(folder["glue.tsv"], ["sentence"], ["no", "yes"], numbered: true)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sentence\tlabel\na\tb\tc\n", "line 2: 3 columns, the header has 2")]
    [InlineData("sentence\tlabel\na\t7\n", "the label '7' is none of no, yes")]
    [InlineData("text\tlabel\n", "no column 'sentence'")]
    public void Damage_is_refused(string content, string phrase)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["a.tsv"], content);
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => LabelledText.Read(folder["a.tsv"], ["sentence"], ["no", "yes"])).Message);
    }
}
