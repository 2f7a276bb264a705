using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class PairRetrievalTests
{
    [Fact]
    public void Only_pictures_with_texts_are_searched_by_pairs()
    {
        Assert.Null(PairRetrieval.Of(Glyphs.Create(4)));
        Assert.Null(PairRetrieval.Merit(null));
        PairRetrieval search = PairRetrieval.Of(new Subset(new Captions(6, sentences: 2), [0, 1, 4, 9]))!;
        Assert.Equal(3, search.Pictures);
        Assert.Contains("[4, 2 d]", Assert.Throws<InvalidDataException>(() => search.Search(new(new(4, 3)))).Message);
        Assert.Contains("[4, 2 d]", Assert.Throws<InvalidDataException>(() => search.Search(new(new(3, 4)))).Message);
    }

    [Fact]
    public void An_ensemble_searches_by_the_sum_of_the_scores() => Property.Holds(generator =>
    {
        int samples = 1 + generator.Random.Next(5), first = 1 + generator.Random.Next(3), second = 1 + generator.Random.Next(3);
        Tensor a = new(new(samples, 2 * first), generator.Floats(samples * 2 * first)), b = new(new(samples, 2 * second), generator.Floats(samples * 2 * second));
        Tensor sum = PairRetrieval.Sum([a, b]);
        for (int i = 0; i < samples; i++)
        {
            for (int j = 0; j < samples; j++) Assert.Equal(Score(a, i, j) + Score(b, i, j), Score(sum, i, j), 1e-4);
        }

        static double Score(Tensor pairs, int image, int text)
        {
            int size = pairs.Shape.Size(1) / 2;
            return Enumerable.Range(0, size).Sum(k => (double)pairs.Span[image * 2 * size + k] * pairs.Span[(text * 2 + 1) * size + k]);
        }
    }, 30);

    [Fact]
    public void Measures_are_recalls_of_both_directions_and_their_mean()
    {
        Captions data = new(12);
        Tensor pairs = new(new(12, 24));
        for (int i = 0; i < 12; i++) pairs.Span[i * 24 + i] = pairs.Span[i * 24 + 12 + (i == 0 ? 1 : i)] = 1;
        Dictionary<string, double> found = Measure.Of(pairs, data, []).ToDictionary(m => m.Name, m => m.Value);
        Assert.Equal(["tr@1", "tr@5", "tr@10", "ir@1", "ir@5", "ir@10", "mean recall"], found.Keys);

        // The first text says what the second picture shows: that picture and both texts are not found at once, the first picture finds nothing of its own.
        Assert.Equal(10 / 12.0, found["tr@1"], 1e-12);
        Assert.Equal(11 / 12.0, found["ir@1"], 1e-12);
        Assert.Equal(found.Values.Take(6).Average(), found["mean recall"], 1e-12);
    }
}
