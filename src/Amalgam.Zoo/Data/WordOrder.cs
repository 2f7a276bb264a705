using System.Collections.Immutable;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>
/// A task that texts give without a label: whether their words stand in order or were shuffled, which their words alone do not say. Texts of few words are left out. What becomes of a text depends on its place among
/// the others alone.
/// </summary>
internal static class WordOrder
{
    /// <summary>Words of a text at least: of fewer every order may be one.</summary>
    public const int LeastWords = 6;

    private const int MostWords = 512;

    /// <summary>Names of the classes.</summary>
    public static readonly ImmutableArray<string> Classes = ["in_order", "shuffled"];

    /// <summary>Makes the task of texts.</summary>
    /// <param name="text">The texts, one for each sample; their labels do not count.</param>
    /// <param name="part">Parts of other names are shuffled otherwise.</param>
    /// <param name="twice">Whether each text comes both ways, one after the other; else every other one is shuffled.</param>
    public static LabelledText Of(LabelledText text, string part, bool twice)
    {
        string[][] all = [.. text.Texts.Select(texts => texts[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(CanBeShuffled)];
        ulong key = Philox.Key(0, $"text.order.{part}", 0);
        var samples = all.SelectMany((words, i) => twice ? [(i, words, 0), (i, words, 1)] : new[] { (Index: i, Words: words, Label: i % 2) }).ToArray();
        return new(
            [.. samples.Select(s => ImmutableArray.Create(string.Join(' ', s.Label == 0 ? s.Words : Shuffle(s.Words, key, s.Index))))],
            [.. samples.Select(s => s.Label)]);
    }

    private static bool CanBeShuffled(string[] words) => words.Length is >= LeastWords and <= MostWords && words.Any(word => word != words[0]);

    /// <summary>The words in another order; of one that chance leaves as it was the first word goes behind the next other one.</summary>
    private static string[] Shuffle(string[] words, ulong key, int index)
    {
        string[] order = [.. words];
        uint[] random = new uint[order.Length];
        Philox.Fill(key, (long)index * MostWords, random);
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = Draw.Below(random[i], i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        if (!order.SequenceEqual(words)) return order;
        int other = Array.FindIndex(order, word => word != order[0]);
        (order[0], order[other]) = (order[other], order[0]);
        return order;
    }
}
