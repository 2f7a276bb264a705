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
        bool any = false;
        foreach (UnitPlace place in producer.Weights)
        {
            Node other = pair.InB(place.Node);
            UnitPlace there = units.Parameters.First(p => p.Node == other && p.Axis == place.Axis && p.Side == place.Side);
            if (maps.Transport(place.Node, place, lenient) is not { } moved) continue;
            any = true;
            float[] x = Rows(place, moved), y = Rows(there, other.Value!);
            int width = y.Length / units.Units;
            if (options.NormaliseWeights)
            {
                Normalise(x, width);
                Normalise(y, width);
            }

            Add(distances, x, y, width);
        }

        return any ? distances.Values(options.Squared) : null;
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
                mass[unit] += marginals == Marginals.ImportanceL1 ? sum : Math.Sqrt(sum);
            }
        }

        return mass;
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

    private static void Normalise(Span<float> rows, int width)
    {
        const float Least = 1e-9f;
        for (int at = 0; at < rows.Length; at += width)
        {
            Span<float> row = rows.Slice(at, width);
            System.Numerics.Tensors.TensorPrimitives.Divide(row, System.Numerics.Tensors.TensorPrimitives.Norm(row) + Least, row);
        }
    }
}
