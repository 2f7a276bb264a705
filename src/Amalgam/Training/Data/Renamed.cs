using System.Collections.Immutable;

namespace Amalgam.Training.Data;

/// <summary>A data set whose fields have other names, so that they find the inputs of a graph that someone else named.</summary>
/// <param name="data">The samples.</param>
/// <param name="to">The new name of each field that gets one.</param>
public sealed class Renamed(Dataset data, IReadOnlyDictionary<string, string> to) : Dataset
{
    public override string Name => data.Name;

    public override int Count => data.Count;

    public override ImmutableArray<Field> Fields { get; } = [.. data.Fields.Select(f => to.TryGetValue(f.Name, out string? name) ? f with { Name = name } : f)];

    public override ReadOnlySpan<int> Labels => data.Labels;

    public override ImmutableArray<string> Classes => data.Classes;

    public override bool KnowsClasses => data.KnowsClasses;

    public override void Read(int field, int sample, Draw draw, Span<float> y) => data.Read(field, sample, draw, y);
}
