using System.Collections.Immutable;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Samples for a network that says which of some items a user clicks next. A sample is a group: <c>items</c> [length], the clicks before, padded with 0 on the left,
/// <c>target</c> [C], the item that was clicked and, after it, drawn ones that are none of the user's, earlier or later, each once, <c>label</c> [C], 1 for the first and 0
/// for the others, and <c>user</c>. Of each user the last item is for the test, the one before for validation, and every earlier one but the first for training (leave
/// one out). Items are drawn anew in every epoch of training, and once and for all in validation and test.
/// </summary>
public sealed class Clicks : Dataset
{
    private const uint Negatives = 0x0C11_C45;

    /// <summary>Streams of random words that are searched for items before the rest is taken in a row.</summary>
    private const uint MostRounds = 16;

    private readonly Interactions _interactions;
    private readonly HashSet<int>[] _own;
    private readonly (int User, int At)[] _samples;
    private readonly int _length;
    private readonly Draw? _fixed;

    /// <param name="name">What the clicks are.</param>
    /// <param name="interactions">The clicks; users with fewer than three are left out.</param>
    /// <param name="split">Which part.</param>
    /// <param name="length">Clicks that a sample shows.</param>
    /// <param name="negatives">Items that were not clicked, for each that was.</param>
    /// <exception cref="InvalidDataException">A user has clicked so many of the items that too few are left to draw.</exception>
    public Clicks(string name, Interactions interactions, Split split, int length, int negatives)
    {
        (Name, _interactions, _length) = (name, interactions.AtLeast(3), length);
        if (split != Split.Train) _fixed = new((long)split, 0);
        _own = [.. _interactions.Users.Select(u => u.ToHashSet())];
        int left = _own.Length == 0 ? negatives : _interactions.Items - _own.Max(own => own.Count);
        if (left < negatives) throw new InvalidDataException($"{name}: a user has clicked all but {left} of {_interactions.Items} items, so {negatives} cannot be drawn that were not clicked");
        _samples = [.. _interactions.Users.SelectMany((items, user) => Positions(split, items.Length).Select(at => (user, at)))];
        Fields = [new("items", new(length), DType.I64), new("target", new(1 + negatives), DType.I64), new("label", new(1 + negatives), DType.F32), new("user", default, DType.I64)];
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

    public override int Count => _samples.Length;

    public override ImmutableArray<Field> Fields { get; }

    /// <summary>Number of ids, 0 for padding among them: what a network's table of embeddings needs.</summary>
    public int Ids => _interactions.Items + 1;

    /// <summary>The user of a sample, and which of his items is to be found there.</summary>
    public (int User, int At) this[int sample] => _samples[sample];

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        var (user, at) = _samples[sample];
        switch (field)
        {
            case 0:
                y.Clear();
                ReadOnlySpan<int> before = _interactions.Users[user].AsSpan(Math.Max(0, at - _length), Math.Min(at, _length));
                for (int i = 0; i < before.Length; i++) y[_length - before.Length + i] = before[i];
                break;
            case 1:
                y[0] = _interactions.Users[user][at];
                DrawOthers(_fixed ?? draw, sample, _own[user], y[1..]);
                break;
            case 2:
                y.Clear();
                y[0] = 1;
                break;
            default:
                y[0] = user;
                break;
        }
    }

    /// <summary>Positions of a user's items that a part asks for.</summary>
    private static IEnumerable<int> Positions(Split split, int items) => split switch
    {
        Split.Test => [items - 1],
        Split.Validation => [items - 2],
        _ => Enumerable.Range(1, items - 3),
    };

    /// <summary>Items that the user has never clicked, each once: the first such of streams of random ones; where few are left to find, the next ones after a random one.</summary>
    private void DrawOthers(Draw draw, int sample, HashSet<int> own, Span<float> y)
    {
        Span<uint> random = stackalloc uint[Math.Min(128, y.Length + 12)];
        int found = 0, item = 1;
        for (uint round = 0; round < MostRounds && found < y.Length; round++)
        {
            draw.Fill(Negatives + round, sample, random);
            for (int i = 0; i < random.Length && found < y.Length; i++)
            {
                item = 1 + Draw.Below(random[i], _interactions.Items);
                if (!own.Contains(item) && !y[..found].Contains(item)) y[found++] = item;
            }
        }

        for (; found < y.Length; item = item % _interactions.Items + 1)
        {
            if (!own.Contains(item) && !y[..found].Contains(item)) y[found++] = item;
        }
    }

    private static DataSource Of(string name, string summary, string terms, string file, Func<string, Interactions> read) => new(name, summary, terms)
    {
        Files = [file],
        HasValidation = true,
        Options = ImmutableDictionary.CreateRange<string, string>([new("length", "30"), new("negatives", "4"), new("candidates", "99")]),
        Open = (files, split, o) => new Clicks($"{name}, {Of(split)}", read(files.Need(file)), split, o.Whole("length", 1, 4096), o.Whole(split == Split.Train ? "negatives" : "candidates", 1, 10_000)),
    };

    private static string Of(Split split) => split switch
    {
        Split.Train => "training",
        Split.Validation => "validation",
        _ => "test",
    };
}
