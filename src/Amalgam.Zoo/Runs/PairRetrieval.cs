using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Metrics;

namespace Amalgam.Zoo.Runs;

/// <summary>Judges networks that give a sample of a picture and its text two embeddings: by the search among all samples of a data set, whose field <c>picture</c> says what belongs together.</summary>
public sealed class PairRetrieval
{
    /// <summary>Name of the figure that chooses the best epoch.</summary>
    public const string MeritName = "mean recall";

    private readonly Dataset _data;
    private readonly int[] _pictures;

    private PairRetrieval(Dataset data, int[] pictures) => (_data, _pictures) = (data, pictures);

    /// <summary>Number of pictures.</summary>
    public int Pictures => _pictures.Distinct().Count();

    /// <summary>The search among a data set's samples; null where they are no pictures with texts.</summary>
    public static PairRetrieval? Of(Dataset data)
    {
        if (!data.Labels.IsEmpty || data.Fields.All(f => f.Name != Contrastive.UsualTarget || f.Shape.Rank > 0)) return null;
        int field = data.IndexOf(Contrastive.UsualTarget);
        int[] pictures = new int[data.Count];
        float[] number = new float[1];
        for (int i = 0; i < pictures.Length; i++)
        {
            data.Read(field, i, default, number);
            pictures[i] = (int)number[0];
        }

        return new(data, pictures);
    }

    /// <summary>What a network's results for all samples are worth, to choose the best epoch by: the mean recall. Null for other data, and for none.</summary>
    public static SetMerit? Merit(Dataset? data) => data is not null && Of(data) is { } search ? results => search.Search(results).MeanRecall : null;

    /// <summary>Ranks all samples for each.</summary>
    /// <param name="pairs">The network's result for all samples, <c>[samples, 2 d]</c>.</param>
    /// <exception cref="InvalidDataException">The result has no two embeddings for each sample.</exception>
    public Retrieval Search(Tensor pairs) => pairs.Shape.Rank == 2 && pairs.Shape[0] == _data.Count && pairs.Shape[1] % 2 == 0
        ? Retrieval.Of(pairs, _pictures)
        : throw new InvalidDataException($"the network gives {pairs.Shape}, and pictures with texts take two embeddings side by side, [{_data.Count}, 2 d]");

    /// <summary>Recall of both directions at 1, 5 and 10, and their mean.</summary>
    public IEnumerable<Measure> Measures(Tensor pairs)
    {
        Retrieval found = Search(pairs);
        foreach (int k in Retrieval.Cuts) yield return new($"tr@{k}", found.TextRecall(k), true);
        foreach (int k in Retrieval.Cuts) yield return new($"ir@{k}", found.ImageRecall(k), true);
        yield return new(MeritName, found.MeanRecall, true);
    }

    /// <summary>Embeddings whose products are the sums of those of several networks.</summary>
    /// <exception cref="InvalidDataException">A network has no two embeddings for each sample.</exception>
    public static Tensor Sum(IReadOnlyList<Tensor> networks)
    {
        int samples = networks[0].Shape.Size(0), width = networks.Sum(pairs => pairs.Count / samples);
        if (networks.FirstOrDefault(pairs => pairs.Shape.Rank != 2 || pairs.Shape[0] != samples || pairs.Shape[1] % 2 != 0) is { } odd)
            throw new InvalidDataException($"a network gives {odd.Shape}, and pictures with texts take two embeddings side by side, [{samples}, 2 d]");
        Tensor sum = new(new(samples, width));
        for (int i = 0, at = 0; i < samples; i++)
        {
            foreach (int side in (int[])[0, 1])
            {
                foreach (Tensor pairs in networks)
                {
                    int size = pairs.Shape.Size(1) / 2;
                    pairs.Span.Slice((2 * i + side) * size, size).CopyTo(sum.Span[at..]);
                    at += size;
                }
            }
        }

        return sum;
    }
}
