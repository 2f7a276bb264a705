using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Alignment.Layers;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about which layer of a network belongs to which of another.</summary>
public static class LayersPage
{
    private const string Missing = "\u2013";

    /// <summary>The page.</summary>
    /// <param name="mapping">The layers.</param>
    /// <param name="a">What the first network is called.</param>
    /// <param name="b">What the second is called.</param>
    /// <param name="measure">What made layers unlike.</param>
    /// <param name="data">What they were compared on; null where that was nothing.</param>
    public static HtmlReport Of(LayerMapping mapping, string a, string b, LayerMeasure measure, string? data) => new(
        $"Layers of {a} and {b}",
        [
            Beginning(mapping, a, b, measure),
            .. mapping.Notes.Select(note => new Paragraph(note)),
            .. LayerParts.Of(mapping, a, b, measure),
            Pairs(mapping, a, b, measure),
        ])
    {
        Origin = $"Amalgam, layers compared by {FusionWords.Measures.Of(measure)}{(data is null ? "" : $" on {data}")}",
    };

    private static KeyFigures Beginning(LayerMapping mapping, string a, string b, LayerMeasure measure)
    {
        ImmutableArray<LayerPair> pairs = LayerPair.Of(mapping);
        double[] matched = [.. pairs.Where(pair => pair is { A: not null, B: not null }).Select(pair => LayerParts.Shown(pair.Cost, measure))];
        int ofA = pairs.Count(pair => pair.B is null), ofB = pairs.Count(pair => pair.A is null);
        return new(
            new($"{matched.Length}", "layers belong together", $"{mapping.A.Layers.Length} of {a}, {mapping.B.Layers.Length} of {b}"),
            new($"{ofA + ofB}", "have no counterpart", ofA + ofB == 0 ? "the networks are equally deep" : string.Join(", ", new[] { (a, ofA), (b, ofB) }.Where(side => side.Item2 > 0).Select(side => $"{side.Item2} of {side.Item1}"))),
            new(measure == LayerMeasure.Cka ? matched.Average().ToString("0.00", CultureInfo.InvariantCulture) : Figures.Text(matched.Sum(), null), measure == LayerMeasure.Cka ? "mean CKA of layers that belong together" : "cost of the mapping", mapping.Groups.Length == 1 ? "in one group" : $"in {mapping.Groups.Length} groups between changes of resolution"));
    }

    private static DataTable Pairs(LayerMapping mapping, string a, string b, LayerMeasure measure)
    {
        ImmutableArray<Cell> Row(LayerPair pair) =>
            [pair.A?.Name ?? Missing, pair.A is { } ofA ? ofA.Width : double.NaN, pair.B?.Name ?? Missing, pair.B is { } ofB ? ofB.Width : double.NaN, LayerParts.Shown(pair.Cost, measure), (pair.A ?? pair.B)!.Operations];
        return new("Layer by layer", [new(a), new("width", "0"), new(b), new("width", "0"), new(measure == LayerMeasure.Cka ? "CKA" : "cost", measure == LayerMeasure.Cka ? "0.000" : null), new("what it does")],
            [.. LayerPair.Of(mapping).GroupBy(pair => pair.Group).Select(group => new TableSection(group.Key, [.. group.Select(Row)]))]);
    }
}
