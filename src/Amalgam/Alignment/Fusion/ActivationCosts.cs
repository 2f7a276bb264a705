using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Fusion;

/// <summary>How far apart units are by what they compute before the non-linearity, on the same samples (OTFusion's activation-based ground metric): a unit's vector is its values at all samples and positions.</summary>
internal static class ActivationCosts
{
    /// <summary>Runs both networks over the samples.</summary>
    /// <returns>By layer of the first network, [units of the first, units of the second]; a layer whose units have others within them is left out.</returns>
    /// <exception cref="GraphException">The data does not fit the networks, layers that belong together have other numbers of positions, or an activation is not finite.</exception>
    public static Dictionary<UnitProducer, double[]> Collect(Homologues pair, IEnumerable<UnitProducer> producers, Dataset data, FusionOptions options, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        if (options.Samples is { } samples && samples < data.Count) data = Subset.Split(data, samples, options.Seed).Second;
        Tapped[] tapped = [.. producers.Where(producer => UnitColumns.IsOwn(pair.A, producer.Tap)).Select(producer => new Tapped(pair, producer, options.Metric))];
        Node[] taps = [.. tapped.Select(one => one.A.Node).Distinct()];
        if (taps.Length == 0) return [];
        Observation observation = new([(pair.A.Graph, taps), (pair.B.Graph, [.. taps.Select(pair.InB)])], data, options.Batch);
        foreach (ObservedBatch batch in observation.Run(cancel))
        {
            foreach (Tapped one in tapped)
            {
                cancel.ThrowIfCancellationRequested();
                int at = Array.IndexOf(taps, one.A.Node);
                one.Add(pair, batch.Values[0][at], batch.Values[1][at]);
            }

            progress?.Report(new("statistics", batch.First + batch.Count, data.Count));
        }

        return tapped.ToDictionary(one => one.Producer, one => one.Costs(options.Squared));
    }

    /// <summary>A layer with the places where it is looked at in both networks.</summary>
    private sealed class Tapped
    {
        private readonly GroundDistances _distances;

        public Tapped(Homologues pair, UnitProducer producer, GroundMetric metric)
        {
            (Producer, A) = (producer, producer.Tap);
            UnitClass units = pair.Of(producer.Units).B;
            Node node = pair.InB(A.Node);
            B = units.Values.FirstOrDefault(place => place.Node == node && place.Axis == A.Axis) ?? throw new GraphException($"{A.Node} has units {A.Units} in one network, and {node} of the other has none of {units}");
            _distances = new(A.Units.Units, units.Units, metric);
        }

        public UnitProducer Producer { get; }

        public UnitPlace A { get; }

        public UnitPlace B { get; }

        public void Add(Homologues pair, Tensor a, Tensor b)
        {
            UnitColumns ofA = UnitColumns.Of(pair.A, A, a.Shape), ofB = UnitColumns.Of(pair.B, B, b.Shape);
            if (ofA.Count != ofB.Count) throw new GraphException($"{A.Node} gives {a.Shape} in one network and {B.Node} {b.Shape} in the other; activations can be compared position by position only where their numbers agree");
            int[] columnsOfA = ofA.Draw(ofA.Count, 0, 0), columnsOfB = ofB.Draw(ofB.Count, 0, 0);
            float[] x = new float[A.Units.Units * Math.Min(ofA.Count, GroundDistances.MostColumns)], y = new float[B.Units.Units * Math.Min(ofA.Count, GroundDistances.MostColumns)];
            for (int from = 0; from < ofA.Count; from += GroundDistances.MostColumns)
            {
                int width = Math.Min(GroundDistances.MostColumns, ofA.Count - from);
                Memory<float> rows = x.AsMemory(0, A.Units.Units * width), others = y.AsMemory(0, B.Units.Units * width);
                ofA.Take(a.Span, columnsOfA.AsSpan(from, width), rows.Span);
                ofB.Take(b.Span, columnsOfB.AsSpan(from, width), others.Span);
                _distances.Add(rows, others, width);
            }
        }

        public double[] Costs(bool squared)
        {
            double[] costs = _distances.Values(squared);
            int bad = Array.FindIndex(costs, cost => !double.IsFinite(cost));
            return bad < 0 ? costs : throw new GraphException($"unit {bad / B.Units.Units} of {A.Units} or unit {bad % B.Units.Units} of {B.Units} has activations that are not finite, so they cannot be compared; a network or its input is damaged");
        }
    }
}
