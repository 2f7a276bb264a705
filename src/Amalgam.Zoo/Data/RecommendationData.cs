using System.Collections.Immutable;

namespace Amalgam.Zoo.Data;

/// <summary>The recommendation data sets, each twice: as clicks to score, and as the next item to find among all.</summary>
internal static class RecommendationData
{
    public static IEnumerable<DataSource> Sources => Clicked().SelectMany(source => new[] { AsClicks(source), AsNext(source) }).OrderBy(source => source.Name.EndsWith("-next", StringComparison.Ordinal));

    private static IEnumerable<(string Name, string Summary, string Terms, string File, Func<string, Interactions> Read)> Clicked() =>
    [
        ("beauty", "Amazon's Beauty, 22,363 users and 12,101 items", "J. McAuley, UCSD; to be cited", "recommendation/amazon-beauty.txt", Interactions.ReadSequences),
        ("toys", "Amazon's Toys and Games, 19,412 users and 11,924 items", "J. McAuley, UCSD; to be cited", "recommendation/amazon-toys-and-games.txt", Interactions.ReadSequences),
        ("sports", "Amazon's Sports and Outdoors, 35,598 users and 18,357 items", "J. McAuley, UCSD; to be cited", "recommendation/amazon-sports-and-outdoors.txt", Interactions.ReadSequences),
        ("ml-1m", "MovieLens-1M, ratings of 3 and more, 6,038 users and 3,307 films", "GroupLens; research use, no redistribution", "recommendation/ml-1m-ge3-sequences.txt", Interactions.ReadSequences),
        ("ml-100k", "MovieLens-100K, 943 users and 1,682 films", "GroupLens; research use, no redistribution", "recommendation/ml-100k.u.data", path => Interactions.ReadRatings(path)),
        ("lastfm", "LastFM, 1,090 users and 3,646 artists", "HetRec 2011; non-commercial", "recommendation/lastfm.txt", Interactions.ReadSequences),
        ("douban-book", "Douban's books, 2,110 users and 6,777 items, in the publisher's order", "F. Zhu et al.; to be cited", "recommendation/douban-book-ratings.tsv", path => Interactions.ReadRatings(path)),
        ("douban-music", "Douban's music, 1,672 users and 5,567 items, in the publisher's order", "F. Zhu et al.; to be cited", "recommendation/douban-music-ratings.tsv", path => Interactions.ReadRatings(path)),
    ];

    private static DataSource AsClicks((string Name, string Summary, string Terms, string File, Func<string, Interactions> Read) of) => new(of.Name, of.Summary, of.Terms)
    {
        Files = [of.File],
        HasValidation = true,
        Options = ImmutableDictionary.CreateRange<string, string>([new("length", "30"), new("negatives", "4"), new("candidates", "99")]),
        Open = (files, split, o) =>
            new Clicks($"{of.Name}, {Part(split)}", Read(files.Need(of.File), split, of.Read), split, o.Whole("length", 1, 4096), o.Whole(split == Split.Train ? "negatives" : "candidates", 1, 10_000)),
    };

    private static DataSource AsNext((string Name, string Summary, string Terms, string File, Func<string, Interactions> Read) of) => new($"{of.Name}-next", $"The same as {of.Name}, to find the next item among all", of.Terms)
    {
        Files = [of.File],
        HasValidation = true,
        Options = ImmutableDictionary.CreateRange<string, string>([new("length", "50")]),
        Open = (files, split, o) => new NextItems($"{of.Name}-next, {Part(split)}", Read(files.Need(of.File), split, of.Read), split, o.Whole("length", 1, 4096)),
    };

    private static Interactions Read(string path, Split split, Func<string, Interactions> read)
    {
        Interactions all = read(path);
        int needed = split == Split.Train ? 4 : 3;
        return all.Users.Any(u => u.Length >= needed) ? all : throw new InvalidDataException($"{path}: no user has {needed} items, which the {Part(split)} part needs");
    }

    private static string Part(Split split) => split switch
    {
        Split.Train => "training",
        Split.Validation => "validation",
        _ => "test",
    };
}
