using System.Collections.Immutable;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Samples for a network that says whether a user clicks an item next: <c>items</c> [length], the clicks before, padded with 0 on the left, <c>target</c>, the
/// item, and <c>label</c>, 1 for the one that was clicked and 0 for one that was not. Of each user the last item is for the test, the one before for validation, the
/// rest for training (leave one out). Every clicked item comes with drawn ones that are none of the user's, anew in every epoch in training, once and for all in the test.
/// </summary>
public sealed class Clicks : Dataset
{
    private const uint Negatives = 0x0C11_C45;

    private readonly Interactions _interactions;
    private readonly HashSet<int>[] _own;
    private readonly (int User, int At)[] _samples;
    private readonly int _length, _negatives;
    private readonly bool _fixed;
    private readonly int[] _labels;

    /// <param name="name">What the clicks are.</param>
    /// <param name="interactions">The clicks.</param>
    /// <param name="split">Test, or training.</param>
    /// <param name="length">Clicks that a sample shows.</param>
    /// <param name="negatives">Items that were not clicked, for each that was.</param>
    public Clicks(string name, Interactions interactions, Split split, int length, int negatives)
    {
        (Name, _interactions, _length, _negatives, _fixed) = (name, interactions.AtLeast(3), length, negatives, split == Split.Test);
        _own = [.. _interactions.Users.Select(u => u.ToHashSet())];
        if (_own.Any(own => own.Count >= _interactions.Items)) throw new InvalidDataException($"{name}: a user has clicked every item, so none can be drawn that was not clicked");
        _samples = [.. _interactions.Users.SelectMany((items, user) => split == Split.Test ? [(user, items.Length - 1)] : Enumerable.Range(1, items.Length - 3).Select(at => (user, at)))];
        _labels = new int[Count];
        for (int i = 0; i < Count; i += 1 + negatives) _labels[i] = 1;
        Fields = [new("items", new(length), DType.I64), new("target", default, DType.I64), new("label", default, DType.F32), new("user", default, DType.I64)];
    }

    internal static IEnumerable<DataSource> Sources =>
    [
        Of("beauty", "Amazon's Beauty, 22,363 users and 12,101 items", "J. McAuley, UCSD; to be cited", "recommendation/amazon-beauty.txt", Interactions.ReadSequences),
        Of("toys", "Amazon's Toys and Games, 19,412 users and 11,924 items", "J. McAuley, UCSD; to be cited", "recommendation/amazon-toys-and-games.txt", Interactions.ReadSequences),
        Of("sports", "Amazon's Sports and Outdoors, 35,598 users and 18,357 items", "J. McAuley, UCSD; to be cited", "recommendation/amazon-sports-and-outdoors.txt", Interactions.ReadSequences),
        Of("ml-1m", "MovieLens-1M, ratings of 3 and more, 6,038 users and 3,307 films", "GroupLens; research use, no redistribution", "recommendation/ml-1m-ge3-sequences.txt", Interactions.ReadSequences),
        Of("ml-100k", "MovieLens-100K, 943 users and 1,682 films", "GroupLens; research use, no redistribution", "recommendation/ml-100k.u.data", path => Interactions.ReadRatings(path)),
        Of("lastfm", "LastFM, 1,090 users and 3,646 artists", "HetRec 2011; non-commercial", "recommendation/lastfm.txt", Interactions.ReadSequences),
        Of("douban-book", "Douban's books, 2,110 users and 6,777 items, in the publisher's order", "F. Zhu et al.; to be cited", "recommendation/douban-book-ratings.tsv", path => Interactions.ReadRatings(path)),
        Of("douban-music", "Douban's music, 1,672 users and 5,567 items, in the publisher's order", "F. Zhu et al.; to be cited", "recommendation/douban-music-ratings.tsv", path => Interactions.ReadRatings(path)),
    ];

    public override string Name { get; }

    public override int Count => _samples.Length * (1 + _negatives);

    public override ImmutableArray<Field> Fields { get; }

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; } = ["not clicked", "clicked"];

    /// <summary>Number of ids, 0 for padding among them: what a network's table of embeddings needs.</summary>
    public int Ids => _interactions.Items + 1;

    /// <summary>The user of a sample.</summary>
    public int User(int sample) => _samples[sample / (1 + _negatives)].User;

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        var (user, at) = _samples[sample / (1 + _negatives)];
        int negative = sample % (1 + _negatives) - 1;
        switch (field)
        {
            case 0:
                y.Clear();
                ReadOnlySpan<int> before = _interactions.Users[user].AsSpan(Math.Max(0, at - _length), Math.Min(at, _length));
                for (int i = 0; i < before.Length; i++) y[_length - before.Length + i] = before[i];
                break;
            case 1:
                y[0] = negative < 0 ? _interactions.Users[user][at] : Drawn(_fixed ? default : draw, sample, user);
                break;
            case 2:
                y[0] = negative < 0 ? 1 : 0;
                break;
            default:
                y[0] = user;
                break;
        }
    }

    /// <summary>An item that the user has never clicked: the first such of a stream of random ones.</summary>
    private int Drawn(Draw draw, int sample, int user)
    {
        Span<uint> random = stackalloc uint[64];
        draw.Fill(Negatives, sample, random);
        foreach (uint word in random)
        {
            int item = 1 + Draw.Below(word, _interactions.Items);
            if (!_own[user].Contains(item)) return item;
        }

        for (int item = 1 + Draw.Below(random[0], _interactions.Items); ; item = item % _interactions.Items + 1)
        {
            if (!_own[user].Contains(item)) return item;
        }
    }

    private static DataSource Of(string name, string summary, string terms, string file, Func<string, Interactions> read) => new(name, summary, terms)
    {
        Files = [file],
        Options = ImmutableDictionary.CreateRange<string, string>([new("length", "30"), new("negatives", "1"), new("candidates", "99")]),
        Open = (files, split, o) => new Clicks($"{name}, {(split == Split.Test ? "test" : "training")}", read(files.Need(file)), split, o.Whole("length", 1, 4096), o.Whole(split == Split.Test ? "candidates" : "negatives", 1, 10_000)),
    };
}
