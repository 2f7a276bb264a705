using Amalgam.Zoo.Metrics;

namespace Amalgam.Tests.Zoo.Metrics;

public class RetrievalTests
{
    [Fact]
    public void Ranks_are_those_of_lists_that_put_the_right_answer_behind_its_equals() => Property.Holds(generator =>
    {
        int pictures = 1 + generator.Random.Next(8), sentences = 1 + generator.Random.Next(3), size = 1 + generator.Random.Next(3), samples = pictures * sentences;
        // Small whole numbers, so that equal scores are frequent. A picture's samples have one image, and pictures come in any order.
        int[] order = [.. Enumerable.Range(0, samples).OrderBy(_ => generator.Random.Next())], own = [.. order.Select(i => 100 - i / sentences)];
        int[][] images = [.. Enumerable.Range(0, pictures).Select(_ => Some())], texts = [.. Enumerable.Range(0, samples).Select(_ => Some())];
        int[] Some() => [.. Enumerable.Range(0, size).Select(_ => generator.Random.Next(-1, 3))];
        int ImageOf(int sample) => 100 - own[sample];
        int Score(int image, int sample) => images[image].Zip(texts[sample], (a, b) => a * b).Sum();

        Tensor pairs = new(new(samples, 2 * size), [.. Enumerable.Range(0, samples).SelectMany(i => images[ImageOf(i)].Concat(texts[i])).Select(x => (float)x)]);
        Retrieval found = Retrieval.Of(pairs, own);
        foreach (int k in (int[])[1, 2, 5])
        {
            double text = Enumerable.Range(0, pictures).Average(p => FirstOwn(p) < k ? 1.0 : 0);
            double image = Enumerable.Range(0, samples).Average(i =>
                Array.IndexOf([.. Enumerable.Range(0, pictures).OrderByDescending(p => Score(p, i)).ThenBy(p => ImageOf(i) == p)], ImageOf(i)) < k ? 1.0 : 0);
            Assert.Equal(text, found.TextRecall(k), 1e-12);
            Assert.Equal(image, found.ImageRecall(k), 1e-12);
        }

        // How many texts of others stand in the list before the first of the picture's own.
        int FirstOwn(int p) => Enumerable.Range(0, samples).OrderByDescending(i => Score(p, i)).ThenBy(i => ImageOf(i) == p).TakeWhile(i => ImageOf(i) != p).Count();
    });

    [Fact]
    public void Embeddings_that_are_all_alike_find_nothing_and_those_of_their_own_all()
    {
        Tensor alike = new(new(12, 4)), own = new(new(12, 24));
        alike.Span.Fill(1);
        for (int i = 0; i < 12; i++) own.Span[i * 24 + i] = own.Span[i * 24 + 12 + i] = 1;
        int[] pictures = [.. Enumerable.Range(0, 12)];
        Assert.Equal(0, Retrieval.Of(alike, pictures).MeanRecall);
        Assert.Equal(1, Retrieval.Of(own, pictures).MeanRecall);
        Assert.Equal(1, Retrieval.Of(own, pictures).TextRecall(1));
    }

    [Fact]
    public void What_is_no_number_finds_nothing_and_stands_in_nobodys_favour()
    {
        float[] pairs = [1, 0, 1, 0, 0, 1, 0, 1, float.NaN, 0, 1, 1];
        Retrieval found = Retrieval.Of(new(new(3, 4), pairs), [0, 1, 2]);
        Assert.Equal([1, 1, 2], found.TextRanks);
        Assert.Equal([1, 1, 2], found.ImageRanks);
    }
}
