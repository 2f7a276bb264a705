using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Zoo.Metrics;

/// <summary>
/// Search among pictures and their texts by the products of embeddings: recall@k is the share of questions whose right answer is among the k with the largest products. Ties are
/// broken pessimistically: what has the score of the right answer stands before it. An embedding that is no number finds nothing.
/// </summary>
/// <param name="TextRanks">For each picture how many texts of other pictures stand before the best of its own: text retrieval, TR.</param>
/// <param name="ImageRanks">For each text how many other pictures stand before its own: image retrieval, IR.</param>
public sealed record Retrieval(ImmutableArray<int> TextRanks, ImmutableArray<int> ImageRanks)
{
    /// <summary>The usual k.</summary>
    public static readonly ImmutableArray<int> Cuts = [1, 5, 10];

    /// <summary>Ranks all texts for each picture and all pictures for each text.</summary>
    /// <param name="pairs">For each sample the embeddings of its picture and of its text side by side, <c>[samples, 2 d]</c>.</param>
    /// <param name="pictures">Which picture a sample is of; of several samples of a picture the first gives its embedding.</param>
    public static Retrieval Of(Tensor pairs, ReadOnlySpan<int> pictures)
    {
        int samples = pairs.Shape.Size(0), size = pairs.Shape.Size(1) / 2;
        ArgumentOutOfRangeException.ThrowIfNotEqual(pictures.Length, samples);
        List<int> firsts = [];
        Dictionary<int, int> numbers = [];
        int[] own = new int[samples];
        for (int i = 0; i < samples; i++)
        {
            if (numbers.TryAdd(pictures[i], firsts.Count)) firsts.Add(i);
            own[i] = numbers[pictures[i]];
        }

        // The score of each text's own picture, and for each picture the best of its texts; NaN where one of them is.
        float[] right = new float[samples], best = [.. Enumerable.Repeat(float.NegativeInfinity, firsts.Count)];
        for (int i = 0; i < samples; i++)
        {
            right[i] = TensorPrimitives.Dot(Image(firsts[own[i]]), Text(i));
            best[own[i]] = MathF.Max(best[own[i]], right[i]);
        }

        int[] textRanks = new int[firsts.Count], imageRanks = new int[samples];
        for (int p = 0; p < firsts.Count; p++)
        {
            for (int i = 0; i < samples; i++)
            {
                if (own[i] == p) continue;
                float score = TensorPrimitives.Dot(Image(firsts[p]), Text(i));
                if (!(score < best[p])) textRanks[p]++;
                if (!(score < right[i])) imageRanks[i]++;
            }
        }

        return new([.. textRanks], [.. imageRanks]);

        ReadOnlySpan<float> Image(int sample) => pairs.Span.Slice(sample * 2 * size, size);
        ReadOnlySpan<float> Text(int sample) => pairs.Span.Slice((sample * 2 + 1) * size, size);
    }

    /// <summary>Share of pictures that find one of their texts among the first k.</summary>
    public double TextRecall(int k) => TextRanks.Count(rank => rank < k) / (double)TextRanks.Length;

    /// <summary>Share of texts that find their picture among the first k.</summary>
    public double ImageRecall(int k) => ImageRanks.Count(rank => rank < k) / (double)ImageRanks.Length;

    /// <summary>Mean of the recalls of both directions at the usual k.</summary>
    public double MeanRecall => Cuts.Average(k => (TextRecall(k) + ImageRecall(k)) / 2);
}
