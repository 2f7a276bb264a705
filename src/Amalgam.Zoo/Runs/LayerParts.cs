using System.Collections.Immutable;
using Amalgam.Alignment.Layers;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>Pictures of which layer of a network belongs to which of another.</summary>
internal static class LayerParts
{
    private const int MostCells = 160;

    /// <summary>A picture of more than half the page's width is legible only where it stands alone.</summary>
    private const double HalfPage = 470;

    /// <summary>Colours that run over less than this would make nothing look like much.</summary>
    private const double LeastRange = 0.1;

    /// <summary>Both networks with lines between the layers that belong together, and beside it the matrix of what each pair costs.</summary>
    /// <param name="mapping">The layers.</param>
    /// <param name="a">What the first network is called.</param>
    /// <param name="b">What the second is called.</param>
    /// <param name="measure">What made layers unlike; null where the mapping was given.</param>
    public static IEnumerable<ReportPart> Of(LayerMapping mapping, string a, string b, LayerMeasure? measure)
    {
        bool isMeasured = measure is not null && mapping.Groups.All(group => group.Cost.Length > 0);
        LayerLadder ladder = Ladder(mapping, a, b, isMeasured ? measure : null);
        HeatMap? matrix = isMeasured && Math.Max(mapping.A.Layers.Length, mapping.B.Layers.Length) <= MostCells ? Matrix(mapping, a, b, measure!.Value) : null;
        if (matrix is not null && Math.Max(ladder.Width, matrix.Width) <= HalfPage)
        {
            yield return new SideBySide(ladder, matrix);
        }
        else
        {
            yield return ladder;
            if (matrix is not null) yield return matrix;
        }

        string values = measure switch
        {
            LayerMeasure.Cka => " The numbers are linear CKA of pre-activations, 1 for layers that tell samples apart in the same way.",
            LayerMeasure.Width => " The numbers are squared differences of widths, as a share of the largest of the group.",
            LayerMeasure.Wasserstein => " The numbers are Wasserstein distances of units by their pre-activations, as a share of the largest of the group.",
            _ => "",
        };
        yield return new Paragraph($"A line joins layers that belong together; a bar is as long as the root of the layer's width, and hollow where the other network has no layer for it.{(isMeasured ? values + " A grey cell is of layers that do different things and cannot be matched." : "")}", Quiet: true);
    }

    /// <summary>How a cost is told: as the alignment where it is one minus that.</summary>
    public static double Shown(double cost, LayerMeasure measure) => measure == LayerMeasure.Cka ? 1 - cost : cost;

    private static LayerLadder Ladder(LayerMapping mapping, string a, string b, LayerMeasure? measure)
    {
        ShortNames namesOfA = new(mapping.A.Layers), namesOfB = new(mapping.B.Layers);
        LadderGroup Group(GroupMapping group) => new(group.A.Name == group.B.Name ? group.A.Name : $"{group.A.Name} and {group.B.Name}", Layers(group.A, namesOfA), Layers(group.B, namesOfB),
            [.. group.Pairs.Select(pair => (PlaceOf(pair.A, group.A), PlaceOf(pair.B, group.B), measure is { } by ? Text(Shown(group.Cost[(PlaceOf(pair.A, group.A) * group.B.Count) + PlaceOf(pair.B, group.B)], by), by) : ""))]);
        return new("Layers that belong together", a, b, [.. mapping.Groups.Select(Group)]);
    }

    private static HeatMap Matrix(LayerMapping mapping, string a, string b, LayerMeasure measure)
    {
        int rows = mapping.A.Layers.Length, columns = mapping.B.Layers.Length;
        double[] values = new double[rows * columns];
        Array.Fill(values, double.NaN);
        foreach (GroupMapping group in mapping.Groups)
        {
            // Costs of layers at another resolution are of another size; colours would say that and nothing else.
            double scale = measure == LayerMeasure.Cka ? 1 : Math.Max(group.Cost.Where(double.IsFinite).DefaultIfEmpty(0).Max(), double.Epsilon);
            for (int i = 0; i < group.Cost.Length; i++) values[(group.A.Layers[i / group.B.Count].Index * columns) + group.B.Layers[i % group.B.Count].Index] = Shown(group.Cost[i], measure) / scale;
        }

        double[] finite = [.. values.Where(double.IsFinite).DefaultIfEmpty(0)];
        double low = finite.Min(), high = finite.Max(), lacking = Math.Max(0, LeastRange - (high - low));
        // All values are shares: the range is widened within those.
        low = Math.Max(0, Math.Min(low, 1) - lacking);
        high = Math.Max(high, Math.Min(1, low + LeastRange));
        return new(measure == LayerMeasure.Cka ? "How alike they are" : "How unlike they are", rows, columns, [.. values])
        {
            RowLabels = new ShortNames(mapping.A.Layers).All,
            ColumnLabels = new ShortNames(mapping.B.Layers).All,
            RowName = a,
            ColumnName = b,
            Low = low,
            High = high,
            Format = high - low > LeastRange + 1e-9 ? "0.00" : "0.000",
            Chosen = [.. mapping.Pairs.Select(pair => (pair.A.Index, pair.B.Index))],
            Joined = true,
            Areas = [.. mapping.Groups.Select(group => (group.A.Layers[0].Index, group.B.Layers[0].Index, group.A.Count, group.B.Count))],
        };
    }

    private static string Text(double value, LayerMeasure measure) => Figures.Text(value, measure == LayerMeasure.Cka ? "0.000" : null);

    private static int PlaceOf(NetworkLayer layer, LayerGroup group) => layer.Index - group.Layers[0].Index;

    private static ImmutableArray<LadderLayer> Layers(LayerGroup group, ShortNames names) => [.. group.Layers.Select(layer => new LadderLayer(names.All[layer.Index], layer.Width))];
}
