using Amalgam.Alignment.Layers;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>Pictures of which layer belongs to which.</summary>
internal static class LayerParts
{
    /// <summary>A matrix of costs for each group, its matched pairs framed.</summary>
    public static IEnumerable<ReportPart> Of(FusionStep step)
    {
        foreach (GroupMapping group in step.Layers.Groups.Where(g => g.Cost.Length > 0))
        {
            yield return new HeatMap($"Costs in {group.A.Name}", group.A.Count, group.B.Count, [.. group.Cost])
            {
                RowLabels = [.. group.A.Layers.Select(layer => layer.Name)],
                ColumnLabels = [.. group.B.Layers.Select(layer => layer.Name)],
                RowName = step.Source,
                ColumnName = step.Reference,
                Chosen = [.. group.Map.Select((deep, shallow) => group.BIsDeeper ? (shallow, deep) : (deep, shallow))],
            };
        }
    }
}
