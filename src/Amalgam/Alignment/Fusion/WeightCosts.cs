using System.Numerics.Tensors;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Fusion;

/// <summary>How far apart units are by the weights that make them, once what they read was brought to the other network's units (OTFusion's weight-based ground metric); a bias is one more weight.</summary>
internal static class WeightCosts
{
    /// <summary>Distances of a layer's units.</summary>
    /// <param name="producer">The layer, of the first network.</param>
    /// <param name="maps">The maps that are known so far.</param>
    /// <param name="options">How distances are measured.</param>
    /// <param name="lenient">What the layer reads may stay in its order where it has no map yet.</param>
    /// <returns>[units of the first network, units of the second]; null where what the layer reads has no map yet.</returns>
    public static double[]? Of(UnitProducer producer, TransportMaps maps, FusionOptions options, bool lenient)
    {
        Homologues pair = maps.Pair;
        UnitClass units = pair.Of(producer.Units).B;
        GroundDistances distances = new(producer.Units.Units, units.Units, options.Metric);
        List<(float[] X, float[] Y)> rows = [];
        foreach (UnitPlace place in producer.Weights)
        {
            UnitPlace there = pair.InB(place);
            if (maps.Transport(place.Node, place, lenient) is { } moved) rows.Add((Rows(place, moved), Rows(there, there.Node.Value!)));
        }

        if (rows.Count == 0) return null;
        if (options.NormaliseWeights)
        {
            Normalise([.. rows.Select(of => of.X)], producer.Units.Units);
            Normalise([.. rows.Select(of => of.Y)], units.Units);
        }

        foreach (var (x, y) in rows) Add(distances, x, y, y.Length / units.Units);
        return distances.Values(options.Squared);
    }

    /// <summary>How much each unit of a network weighs: the length of the weights that make it, as the network has them.</summary>
    public static double[] Importance(IEnumerable<UnitPlace> places, UnitClass units, Marginals marginals)
    {
        double[] mass = new double[units.Units];
        foreach (UnitPlace place in places)
        {
            float[] rows = Rows(place, place.Node.Value!);
            int width = rows.Length / mass.Length;
            for (int unit = 0; unit < mass.Length; unit++)
            {
                ReadOnlySpan<float> row = rows.AsSpan(unit * width, width);
                double sum = 0;
                foreach (float weight in row) sum += marginals == Marginals.ImportanceL1 ? Math.Abs(weight) : (double)weight * weight;
                mass[unit] += sum;
            }
        }

        return marginals == Marginals.ImportanceL1 ? mass : [.. mass.Select(Math.Sqrt)];
    }

    private static void Add(GroundDistances distances, float[] x, float[] y, int width)
    {
        for (int from = 0; from < width; from += GroundDistances.MostColumns)
        {
            int some = Math.Min(GroundDistances.MostColumns, width - from);
            distances.Add(Columns(x, width, from, some), Columns(y, width, from, some), some);
        }
    }

    private static float[] Columns(float[] rows, int width, int from, int some)
    {
        if (some == width) return rows;
        float[] panel = new float[rows.Length / width * some];
        for (int row = 0; row < rows.Length / width; row++) rows.AsSpan(row * width + from, some).CopyTo(panel.AsSpan(row * some, some));
        return panel;
    }

    private static float[] Rows(UnitPlace place, Tensor value)
    {
        float[] rows = new float[place.Units.Units * Rearrangement.ColumnsOf(place, value)];
        Rearrangement.Rows(place, value, rows);
        return rows;
    }

    /// <summary>Divides all weights that make a unit by their length together.</summary>
    private static void Normalise(float[][] parts, int units)
    {
        const float Least = 1e-9f;
        for (int unit = 0; unit < units; unit++)
        {
            double squares = 0;
            foreach (float[] part in parts) squares += TensorPrimitives.SumOfSquares<float>(Row(part));
            foreach (float[] part in parts) TensorPrimitives.Divide(Row(part), (float)Math.Sqrt(squares) + Least, Row(part));

            Span<float> Row(float[] part) => part.AsSpan(part.Length / units * unit, part.Length / units);
        }
    }
}
