using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Checkpoints;

/// <summary>
/// What the values of a tensor are like. NaN and infinity are counted and left out of everything else. Sums are taken in double precision; the histogram and
/// its entropy look at the values as floats, as merging does.
/// </summary>
/// <param name="Count">Number of elements.</param>
/// <param name="Min">Smallest finite value; NaN when there is none, as for the other figures.</param>
/// <param name="Max">Largest finite value.</param>
/// <param name="Mean">Mean of the finite values.</param>
/// <param name="StandardDeviation">Root of the mean squared deviation from the mean.</param>
/// <param name="Zeros">How many elements are 0.</param>
/// <param name="NonFinite">How many elements are NaN or infinite.</param>
/// <param name="FirstNonFinite">Row-major index of the first of them, -1 when there is none.</param>
/// <param name="Entropy">Entropy of the histogram in nats, as CKI defines it (AAAI 2025, eq. 5).</param>
/// <param name="Histogram">Counts of the bins, equal ones from the smallest to the largest value.</param>
public sealed record TensorStatistics(
    long Count,
    double Min,
    double Max,
    double Mean,
    double StandardDeviation,
    long Zeros,
    long NonFinite,
    long FirstNonFinite,
    double Entropy,
    ImmutableArray<long> Histogram)
{
    /// <summary>Bins of the histogram: u of CKI.</summary>
    public const int Bins = 10;

    /// <summary>Share of elements that are 0; 0 for an empty tensor.</summary>
    public double ZeroShare => Count == 0 ? 0 : (double)Zeros / Count;

    /// <summary>Takes the statistics in two passes over the file, in blocks of bounded size.</summary>
    /// <param name="tensor">A tensor of an open checkpoint.</param>
    /// <param name="cancel">Stops between blocks.</param>
    /// <returns>Null for a type whose values Amalgam does not read.</returns>
    /// <exception cref="InvalidDataException">The file is shorter than when it was opened.</exception>
    public static TensorStatistics? Of(TensorEntry tensor, CancellationToken cancel = default)
    {
        if (!tensor.DType.IsReadable) return null;
        Reader reader = new(tensor, cancel);
        var (zeros, nonFinite, firstNonFinite, sum) = (0L, 0L, -1L, 0.0);
        var (min, max) = (double.PositiveInfinity, double.NegativeInfinity);
        var floatRange = (Min: float.PositiveInfinity, Max: float.NegativeInfinity);
        reader.Pass((x, floats, first, dropped) =>
        {
            if (dropped.Count > 0 && firstNonFinite < 0) firstNonFinite = first + dropped.First;
            nonFinite += dropped.Count;
            zeros += Doubles.CountZeros(x);
            if (x.IsEmpty) return;
            sum += TensorPrimitives.Sum(x);
            (min, max) = (Math.Min(min, TensorPrimitives.Min(x)), Math.Max(max, TensorPrimitives.Max(x)));
            var own = Numerics.Histogram.Range(floats);
            floatRange = (Math.Min(floatRange.Min, own.Min), Math.Max(floatRange.Max, own.Max));
        });

        long finite = tensor.Shape.Count - nonFinite;
        if (finite == 0) return new(tensor.Shape.Count, double.NaN, double.NaN, double.NaN, double.NaN, zeros, nonFinite, firstNonFinite, 0, [.. new long[Bins]]);

        double mean = sum / finite, squares = 0;
        float[] edges = floatRange.Min < floatRange.Max ? Numerics.Histogram.Edges(floatRange.Min, floatRange.Max, Bins) : [];
        long[] counts = new long[Bins];
        double[] deviations = new double[TensorBlocks.LargestOf(tensor.Shape)];
        reader.Pass((x, floats, _, _) =>
        {
            Numerics.Histogram.Count(floats, edges, counts.AsSpan(0, edges.Length + 1));
            var deviation = deviations.AsSpan(0, x.Length);
            TensorPrimitives.Subtract(x, mean, deviation);
            squares += TensorPrimitives.SumOfSquares<double>(deviation);
        });
        return new(
            tensor.Shape.Count, min, max, Math.Clamp(mean, min, max), Math.Sqrt(squares / finite), zeros, nonFinite, firstNonFinite,
            Numerics.Histogram.Entropy(counts), [.. counts]);
    }

    private delegate void Visit(ReadOnlySpan<double> x, ReadOnlySpan<float> floats, long first, (int Count, int First) dropped);

    /// <summary>Reads the tensor block by block and takes out what is not finite.</summary>
    private sealed class Reader(TensorEntry tensor, CancellationToken cancel)
    {
        private readonly byte[] _bytes = new byte[TensorBlocks.LargestOf(tensor.Shape) * (tensor.DType.Bits / 8)];
        private readonly float[] _floats = new float[TensorBlocks.LargestOf(tensor.Shape)];
        private readonly double[] _doubles = new double[TensorBlocks.LargestOf(tensor.Shape)];

        public void Pass(Visit visit)
        {
            foreach (var (first, count) in TensorBlocks.Of(tensor.Shape))
            {
                cancel.ThrowIfCancellationRequested();
                var bytes = _bytes.AsSpan(0, count * (tensor.DType.Bits / 8));
                tensor.Read(first, bytes);
                tensor.DType.Widen(bytes, _floats.AsSpan(0, count));
                Doubles.Widen(tensor.DType, bytes, _doubles.AsSpan(0, count));
                if (Numerics.NonFinite.IndexOf(_floats.AsSpan(0, count)) < 0) visit(_doubles.AsSpan(0, count), _floats.AsSpan(0, count), first, default);
                else VisitFinite(visit, first, count);
            }
        }

        private void VisitFinite(Visit visit, long first, int count)
        {
            var (kept, keptFloats, firstDropped) = (0, 0, -1);
            for (int i = 0; i < count; i++)
            {
                // A float64 beyond float's range is finite here, and infinite to merging: the histogram leaves it out.
                float value = _floats[i];
                if (double.IsFinite(_doubles[i])) _doubles[kept++] = _doubles[i];
                else if (firstDropped < 0) firstDropped = i;
                if (float.IsFinite(value)) _floats[keptFloats++] = value;
            }

            visit(_doubles.AsSpan(0, kept), _floats.AsSpan(0, keptFloats), first, (count - kept, firstDropped));
        }
    }
}
