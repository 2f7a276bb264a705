using System.Collections.Immutable;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Samples for a network that says which of some items a user clicks next. A sample is a group: <c>items</c> [length], the clicks before, padded with 0 on the left,
/// <c>target</c> [C], the item that was clicked and, after it, drawn ones that are none of the user's, earlier or later, each once, <c>label</c> [C], 1 for the first and 0
/// for the others, and <c>user</c>. Items are drawn anew in every epoch of training, and once and for all in validation and test.
/// </summary>
public sealed class Clicks : Dataset
{
    private const uint Negatives = 0x0C11_C45;

    /// <summary>Streams of random words that are searched for items before the rest is taken in a row.</summary>
    private const uint MostRounds = 16;

    private readonly Interactions _interactions;
    private readonly HashSet<int>[] _own;
    private readonly (int User, int At)[] _samples;
    private readonly Draw? _fixed;

    /// <param name="name">What the clicks are.</param>
    /// <param name="interactions">The clicks; users with fewer than three are left out.</param>
    /// <param name="split">Which part.</param>
    /// <param name="length">Clicks that a sample shows.</param>
    /// <param name="negatives">Items that were not clicked, for each that was.</param>
    /// <exception cref="InvalidDataException">A user has clicked so many of the items that too few are left to draw.</exception>
    public Clicks(string name, Interactions interactions, Split split, int length, int negatives)
    {
        (Name, _interactions) = (name, interactions.AtLeast(3));
        if (split != Split.Train) _fixed = new((long)split, 0);
        _own = [.. _interactions.Users.Select(u => u.ToHashSet())];
        int left = _own.Length == 0 ? negatives : _interactions.Items - _own.Max(own => own.Count);
        if (left < negatives) throw new InvalidDataException($"{name}: a user has clicked all but {left} of {_interactions.Items} items, so {negatives} cannot be drawn that were not clicked");
        _samples = [.. _interactions.Asked(split)];
        Fields = [new("items", new(length), DType.I64) { Ids = Ids }, new("target", new(1 + negatives), DType.I64) { Ids = Ids }, new("label", new(1 + negatives), DType.F32), new("user", default, DType.I64)];
    }

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
                _interactions.ReadBefore(user, at, y);
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
}
