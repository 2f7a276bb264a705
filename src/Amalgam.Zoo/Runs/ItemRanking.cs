using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Metrics;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Ranks the right item of each sample of recommendation data: among those of its group, where <c>label</c> is a group [C], or among all items but those that the user
/// had before, which the field <c>seen</c> lists. One at a time: an object serves one thread.
/// </summary>
public sealed class ItemRanking
{
    /// <summary>Name of the figure that chooses the best epoch.</summary>
    public const string MeritName = "ndcg@10";

    private const int MeritCut = 10;
    private static readonly int[] Cuts = [5, 10, 20];

    private readonly Dataset _data;
    private readonly int _labelField, _seenField;
    private readonly float[] _label, _seen;
    private float[] _scores = [];

    private ItemRanking(Dataset data, int labelField, int seenField)
    {
        (_data, _labelField, _seenField) = (data, labelField, seenField);
        _label = new float[data.Fields[labelField].Shape.Count];
        _seen = seenField < 0 ? [] : new float[data.Fields[seenField].Shape.Count];
    }

    /// <summary>The ranking of a data set's samples; null where they have no items.</summary>
    public static ItemRanking? Of(Dataset data)
    {
        int label = Find(data, "label"), seen = Find(data, "seen");
        bool isGroup = label >= 0 && data.Fields[label].Shape.Rank == 1;
        return isGroup || (label >= 0 && seen >= 0) ? new(data, label, isGroup ? -1 : seen) : null;
    }

    /// <summary>What a recommender's result for a sample is worth, to choose the best epoch by: its NDCG@10. Null for other data, and for none.</summary>
    public static SampleMerit? Merit(Dataset? data) =>
        data is not null && Of(data) is { } ranking ? (scores, sample) => Ranking.Ndcg(ranking.Rank(scores, sample), MeritCut) : null;

    /// <summary>Whether the right item is ranked among all items, and not among those of a group.</summary>
    public bool IsOfAll => _seenField >= 0;

    /// <summary>Number of items among which the right one is ranked; of all items those that the user had before are then left out.</summary>
    public int Items => IsOfAll ? _data.Classes.Length - 1 : _label.Length;

    /// <summary>The rank of a sample's right item, from 0 on.</summary>
    /// <param name="scores">The network's scores for the sample: of the group, or of all ids from 0 on.</param>
    /// <param name="sample">The sample.</param>
    /// <exception cref="InvalidDataException">The scores and the data do not go together.</exception>
    public int Rank(ReadOnlySpan<float> scores, int sample)
    {
        _data.Read(_labelField, sample, default, _label);
        if (IsOfAll) return RankOfAll(scores, sample);
        if (scores.Length != _label.Length) throw new InvalidDataException($"the network gives {scores.Length} scores for a sample, one of {_data.Name} has {_label.Length} items");
        int right = Array.IndexOf(_label, 1f);
        if (right < 0 || Array.LastIndexOf(_label, 1f) != right) throw new InvalidDataException($"{_data.Name}: sample {sample} has {_label.Count(l => l == 1)} right items, expected one");
        return Ranking.Rank(scores, right);
    }

    /// <summary>Hit rate and NDCG at 5, 10 and 20, means over the samples.</summary>
    public static IEnumerable<Measure> Measures(IReadOnlyCollection<int> ranks)
    {
        foreach (int k in Cuts)
        {
            yield return new($"hr@{k}", ranks.Count == 0 ? double.NaN : ranks.Average(rank => Ranking.Hit(rank, k)));
            yield return new($"ndcg@{k}", ranks.Count == 0 ? double.NaN : ranks.Average(rank => Ranking.Ndcg(rank, k)));
        }
    }

    private int RankOfAll(ReadOnlySpan<float> scores, int sample)
    {
        int ids = _data.Classes.Length, right = (int)_label[0];
        if (scores.Length < ids) throw new InvalidDataException($"the network gives {scores.Length} scores for a sample, {_data.Name} has {ids} ids, the padding's 0 among them; a network for it has items={ids}");
        if (_scores.Length != ids) _scores = new float[ids];
        scores[..ids].CopyTo(_scores);
        _data.Read(_seenField, sample, default, _seen);
        foreach (float item in _seen)
        {
            if ((int)item != right) _scores[(int)item] = float.NegativeInfinity;
        }

        return Ranking.Rank(_scores.AsSpan(1), right - 1);
    }

    private static int Find(Dataset data, string field) => data.Fields.Any(f => f.Name == field) ? data.IndexOf(field) : -1;
}
