using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Training.Data;

/// <summary>Some of the samples of a data set, in an order of their own; a sample's random choices stay those that it has there.</summary>
public sealed class Subset : Dataset
{
    private readonly Dataset _data;
    private readonly int[] _samples, _labels;
    private readonly int[]? _toLabel;
    private readonly int _labelField;

    /// <param name="data">The samples.</param>
    /// <param name="samples">Which of them; one may come more than once.</param>
    /// <param name="name">What they are; the data's name when it is left out.</param>
    public Subset(Dataset data, IEnumerable<int> samples, string? name = null) : this(data, [.. samples], name ?? data.Name, null, data.Classes)
    {
    }

    private Subset(Dataset data, int[] samples, string name, int[]? toLabel, ImmutableArray<string> classes)
    {
        foreach (int sample in samples) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)sample, (uint)data.Count, nameof(samples));
        (_data, _samples, _toLabel, Name, Classes) = (data, samples, toLabel, name, classes);
        _labels = data.Labels.IsEmpty ? [] : new int[samples.Length];
        for (int i = 0; i < _labels.Length; i++) _labels[i] = toLabel is null ? data.Labels[samples[i]] : toLabel[data.Labels[samples[i]]];
        _labelField = toLabel is null ? -1 : data.IndexOf("label");
    }

    public override string Name { get; }

    public override int Count => _samples.Length;

    public override ImmutableArray<Field> Fields => _data.Fields;

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; }

    public override bool KnowsClasses => _data.KnowsClasses;

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        if (field == _labelField) y[0] = _labels[sample];
        else _data.Read(field, _samples[sample], draw, y);
    }

    /// <summary>The samples of some classes.</summary>
    /// <param name="data">Data with labels.</param>
    /// <param name="classes">Which classes.</param>
    /// <param name="renumber">Whether labels become 0, 1, ... in the order of <paramref name="classes"/>; else they stay what they are.</param>
    /// <exception cref="ArgumentException">A class is named twice or there is none of that number.</exception>
    public static Subset OfClasses(Dataset data, IReadOnlyList<int> classes, bool renumber = false)
    {
        int[] toLabel = [.. Enumerable.Repeat(-1, data.Classes.Length)];
        for (int i = 0; i < classes.Count; i++)
        {
            if (classes[i] < 0 || classes[i] >= toLabel.Length) throw new ArgumentException($"{data.Name} has {toLabel.Length} classes, numbered from 0; there is no class {classes[i]}", nameof(classes));
            if (toLabel[classes[i]] >= 0) throw new ArgumentException($"class {classes[i]} is named twice", nameof(classes));
            toLabel[classes[i]] = i;
        }

        List<int> samples = [];
        for (int i = 0; i < data.Count; i++)
        {
            if (toLabel[data.Labels[i]] >= 0) samples.Add(i);
        }

        return new(data, [.. samples], $"{data.Name}, classes {string.Join(' ', classes)}", renumber ? toLabel : null, renumber ? [.. classes.Select(c => data.Classes[c])] : data.Classes);
    }

    /// <summary>The samples of some classes, of which several count as one: a sample's label is the number of its group.</summary>
    /// <param name="data">Data with labels.</param>
    /// <param name="groups">The classes of each group; samples of classes in none are left out.</param>
    /// <exception cref="ArgumentException">A class is named twice or there is none of that number.</exception>
    public static Subset OfGroups(Dataset data, IReadOnlyList<IReadOnlyList<int>> groups)
    {
        Subset chosen = OfClasses(data, [.. groups.SelectMany(group => group)]);
        int[] toLabel = new int[data.Classes.Length];
        for (int g = 0; g < groups.Count; g++)
        {
            foreach (int number in groups[g]) toLabel[number] = g;
        }

        return new(data, chosen._samples, $"{data.Name}, classes {string.Join(" / ", groups.Select(group => string.Join(' ', group)))}", toLabel, [.. groups.Select(group => string.Join('/', group.Select(c => data.Classes[c])))]);
    }

    /// <summary>Divides the samples by chance into two parts that have none in common, each in the data's order.</summary>
    /// <param name="data">The samples.</param>
    /// <param name="second">Samples of the second part.</param>
    /// <param name="seed">Which they are depends on it alone.</param>
    public static (Subset First, Subset Second) Split(Dataset data, int second, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(second);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(second, data.Count);
        uint[] random = new uint[data.Count];
        int[] order = [.. Enumerable.Range(0, data.Count)];
        Philox.Fill(Philox.Key(seed, "subset.split", 0), 0, random);
        Array.Sort(random, order);
        return (new(data, order[second..].Order(), $"{data.Name}, all but {second}"), new(data, order[..second].Order(), $"{data.Name}, {second} held out"));
    }

    /// <summary>Divides the samples into two parts by what is to be learned from each: all samples of some classes with a share of the others, and what is left of the others. Each is in the data's order.</summary>
    /// <param name="data">Data with labels.</param>
    /// <param name="classes">The classes that are in the first part alone.</param>
    /// <param name="share">How much of all other samples the first part has, from 0 to 1; rounded up to whole samples.</param>
    /// <param name="seed">Which ones, by chance, depends on it alone.</param>
    /// <exception cref="ArgumentException">A class is named twice or there is none of that number.</exception>
    public static (Subset First, Subset Second) Skill(Dataset data, IReadOnlyList<int> classes, double share, long seed)
    {
        if (!(share is >= 0 and <= 1)) throw new ArgumentException($"a share is from 0 to 1, got {share}", nameof(share));
        int[] own = OfClasses(data, classes)._samples;
        int[] others = [.. Enumerable.Range(0, data.Count).Except(own)];
        int count = (int)Math.Ceiling(Math.Round(share * others.Length, 6));
        var (left, some) = Split(new Subset(data, others), count, seed);
        string of = $"all of {string.Join(' ', classes)} and {count} others";
        return (new(data, own.Concat(some._samples.Select(i => others[i])).Order(), $"{data.Name}, {of}"), new(data, left._samples.Select(i => others[i]), $"{data.Name}, without {of}"));
    }

    /// <summary>The first samples.</summary>
    public static Subset First(Dataset data, int count) => new(data, Enumerable.Range(0, Math.Min(count, data.Count)));
}
