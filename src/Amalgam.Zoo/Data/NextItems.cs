using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Samples for a network that scores all items: <c>items</c> [length], what a user clicked before, padded with 0 on the left, and <c>label</c>, the item that he clicked
/// then. Beside them, for who ranks, <c>seen</c> [S], all that he clicked before, padded with 0, and <c>user</c>. Every item that a part asks for is a sample.
/// </summary>
public sealed class NextItems : Dataset
{
    private readonly Interactions _interactions;
    private readonly (int User, int At)[] _samples;
    private readonly int[] _labels;

    /// <param name="name">What the clicks are.</param>
    /// <param name="interactions">The clicks; users with fewer than three are left out.</param>
    /// <param name="split">Which part.</param>
    /// <param name="length">Clicks that a sample shows.</param>
    public NextItems(string name, Interactions interactions, Split split, int length)
    {
        (Name, _interactions) = (name, interactions.AtLeast(3));
        _samples = [.. _interactions.Asked(split)];
        _labels = [.. _samples.Select(s => _interactions.Users[s.User][s.At])];
        int longest = _samples.Length == 0 ? 1 : _samples.Max(s => s.At);
        Fields = [new("items", new(length), DType.I64) { Ids = interactions.Items + 1 }, new("label", default, DType.I64), new("seen", new(longest), DType.I64), new("user", default, DType.I64)];
        Classes = [.. Enumerable.Range(0, interactions.Items + 1).Select(item => item.ToString(CultureInfo.InvariantCulture))];
    }

    public override string Name { get; }

    public override int Count => _samples.Length;

    public override ImmutableArray<Field> Fields { get; }

    /// <summary>The item of each sample.</summary>
    public override ReadOnlySpan<int> Labels => _labels;

    /// <summary>The ids, that of the padding, which is no item, among them.</summary>
    public override ImmutableArray<string> Classes { get; }

    /// <summary>False: a network may have more ids than the data has items.</summary>
    public override bool KnowsClasses => false;

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        var (user, at) = _samples[sample];
        switch (field)
        {
            case 0 or 2:
                _interactions.ReadBefore(user, at, y);
                break;
            case 1:
                y[0] = _labels[sample];
                break;
            default:
                y[0] = user;
                break;
        }
    }
}
