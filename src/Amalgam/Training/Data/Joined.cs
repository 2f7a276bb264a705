using System.Collections.Immutable;

namespace Amalgam.Training.Data;

/// <summary>Data sets one after the other, as one: the classes of each are numbered on from those before it, so that classes of different data sets are different ones.</summary>
public sealed class Joined : Dataset
{
    private readonly ImmutableArray<Dataset> _parts;
    private readonly int[] _labels, _first, _firstClass;
    private readonly int _labelField;

    /// <param name="parts">The data sets, at least one, with labels and the same fields.</param>
    /// <exception cref="ArgumentException">One has no labels, or other fields than the first.</exception>
    public Joined(params ImmutableArray<Dataset> parts)
    {
        foreach (Dataset part in parts)
        {
            if (part.Labels.IsEmpty) throw new ArgumentException($"{part.Name} has no labels, so its classes cannot be numbered on", nameof(parts));
            if (!part.Fields.SequenceEqual(parts[0].Fields)) throw new ArgumentException($"{part.Name} has other fields than {parts[0].Name}", nameof(parts));
        }

        _parts = parts;
        _labelField = parts[0].IndexOf("label");
        _first = [.. parts.Select((_, i) => parts.Take(i).Sum(part => part.Count))];
        _firstClass = [.. parts.Select((_, i) => parts.Take(i).Sum(part => part.Classes.Length))];
        _labels = [.. parts.SelectMany((part, i) => part.Labels.ToArray().Select(label => label + _firstClass[i]))];
        Classes = [.. parts.SelectMany(part => part.Classes)];
        Name = string.Join(" and ", parts.Select(part => part.Name));
    }

    public override string Name { get; }

    public override int Count => _labels.Length;

    public override ImmutableArray<Field> Fields => _parts[0].Fields;

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes { get; }

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        int part = _parts.Length - 1;
        while (_first[part] > sample) part--;
        _parts[part].Read(field, sample - _first[part], draw, y);
        if (field == _labelField) y[0] += _firstClass[part];
    }
}
