using System.Collections.Immutable;
using System.Globalization;

namespace Amalgam.Zoo.Data;

/// <summary>What each user clicked, oldest first. Ids of items begin at 1; 0 is free, for padding.</summary>
/// <param name="Users">The items of each user, in their order.</param>
/// <param name="Items">The largest id, so ids go from 1 to it.</param>
public sealed record Interactions(ImmutableArray<int[]> Users, int Items)
{
    private const int MostItems = 1 << 24;

    /// <summary>Reads a file of sequences: a user in each line, <c>user item item ...</c>, oldest first.</summary>
    /// <param name="path">The file, perhaps .gz.</param>
    /// <exception cref="InvalidDataException">A line is not of that form.</exception>
    public static Interactions ReadSequences(string path)
    {
        List<int[]> users = [];
        foreach (string line in DataFolder.Lines(path))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) continue;
            users.Add([.. words.Skip(1).Select(word => Number(path, users.Count + 1, word))]);
        }

        return FromOne(users);
    }

    /// <summary>Reads a file of ratings: <c>user item rating [seconds]</c>, one in each line, separated by tabs. Items of a user stand by time, then by id; without times in the file's order.</summary>
    /// <param name="path">The file, perhaps .gz.</param>
    /// <param name="least">Lower ratings are left out.</param>
    /// <exception cref="InvalidDataException">A line is not of that form.</exception>
    public static Interactions ReadRatings(string path, double least = 0)
    {
        Dictionary<int, List<(int Item, long Time)>> users = [];
        int number = 0;
        foreach (string line in DataFolder.Lines(path))
        {
            number++;
            string[] cells = line.Split('\t');
            if (cells.Length is not (3 or 4) || !double.TryParse(cells[2], CultureInfo.InvariantCulture, out double rating))
                throw new InvalidDataException($"{path}, line {number}: expected user, item, rating and perhaps seconds, separated by tabs");
            if (rating < least) continue;
            int user = Number(path, number, cells[0]);
            if (!users.TryGetValue(user, out var items)) users[user] = items = [];
            items.Add((Number(path, number, cells[1]), cells.Length == 4 && long.TryParse(cells[3], out long time) ? time : cells.Length == 4 ? throw NoTime(path, number) : 0));
        }

        bool timed = users.Values.Any(items => items.Any(i => i.Time != 0));
        return FromOne([.. users.OrderBy(u => u.Key).Select(u => (timed ? u.Value.OrderBy(i => i.Time).ThenBy(i => i.Item) : u.Value.AsEnumerable()).Select(i => i.Item).ToArray())]);
    }

    /// <summary>
    /// The items that a part asks for, as user and position: of each user the last is for the test, the one before for validation, every earlier one but the first for
    /// training (leave one out). Every user needs three.
    /// </summary>
    public IEnumerable<(int User, int At)> Asked(Split split) => Users.SelectMany((items, user) => split switch
    {
        Split.Test => [(user, items.Length - 1)],
        Split.Validation => [(user, items.Length - 2)],
        _ => Enumerable.Range(1, items.Length - 3).Select(at => (user, at)),
    });

    /// <summary>Writes a user's last items before a position, as many as there is room for, padded with 0 on the left.</summary>
    public void ReadBefore(int user, int at, Span<float> y)
    {
        y.Clear();
        ReadOnlySpan<int> before = Users[user].AsSpan(Math.Max(0, at - y.Length), Math.Min(at, y.Length));
        for (int i = 0; i < before.Length; i++) y[y.Length - before.Length + i] = before[i];
    }

    /// <summary>The users with at least so many items.</summary>
    public Interactions AtLeast(int items) => this with { Users = [.. Users.Where(u => u.Length >= items)] };

    private static Interactions FromOne(List<int[]> users)
    {
        int shift = users.Any(u => u.Contains(0)) ? 1 : 0;
        ImmutableArray<int[]> shifted = [.. users.Select(u => u.Select(item => item + shift).ToArray())];
        return new(shifted, shifted.Length == 0 ? 0 : shifted.Max(u => u.DefaultIfEmpty().Max()));
    }

    private static int Number(string path, int line, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value < MostItems
            ? value : throw new InvalidDataException($"{path}, line {line}: '{text}' is no id, a whole number below {MostItems}");

    private static InvalidDataException NoTime(string path, int line) => new($"{path}, line {line}: the fourth column must be seconds, a whole number");
}
