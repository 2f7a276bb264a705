using System.Numerics.Tensors;

namespace Amalgam.Checkpoints;

/// <summary>How far apart the values of two tensors of one shape are, as sums in double precision, so that tensors can be added up.</summary>
/// <param name="Count">Number of elements.</param>
/// <param name="Dot">Sum of a b.</param>
/// <param name="SquaresOfA">Sum of a squared.</param>
/// <param name="SquaresOfB">Sum of b squared.</param>
/// <param name="SquaredDifferences">Sum of (a - b) squared.</param>
/// <param name="EqualSigns">How many pairs have the same sign; 0 is a sign of its own.</param>
/// <param name="LargestDifference">Largest |a - b|.</param>
/// <param name="IsIdentical">Every element is the same, bit for bit where the types are the same.</param>
public sealed record TensorComparison(
    long Count, double Dot, double SquaresOfA, double SquaresOfB, double SquaredDifferences, long EqualSigns, double LargestDifference, bool IsIdentical)
{
    /// <summary>The comparison of nothing, to add to.</summary>
    public static readonly TensorComparison None = new(0, 0, 0, 0, 0, 0, 0, true);

    /// <summary>Cosine of the angle between a and b; 1 when both are zero, 0 when one is.</summary>
    public double Cosine =>
        SquaresOfA == 0 && SquaresOfB == 0 ? 1 : SquaresOfA == 0 || SquaresOfB == 0 ? 0 : Math.Clamp(Dot / (Math.Sqrt(SquaresOfA) * Math.Sqrt(SquaresOfB)), -1, 1);

    /// <summary>|a - b| / |a|; infinite when only a is zero.</summary>
    public double RelativeDistance => SquaredDifferences == 0 ? 0 : Math.Sqrt(SquaredDifferences / SquaresOfA);

    /// <summary>Share of pairs with the same sign; 1 for empty tensors.</summary>
    public double SignAgreement => Count == 0 ? 1 : (double)EqualSigns / Count;

    /// <summary>Compares two tensors block by block.</summary>
    /// <param name="a">The first.</param>
    /// <param name="b">The second, of the same shape; the types may differ.</param>
    /// <param name="cancel">Stops between blocks.</param>
    /// <returns>Figures are NaN where a value is not finite, or where a type's values cannot be read; <see cref="IsIdentical"/> is right even then.</returns>
    /// <exception cref="InvalidDataException">A file is shorter than when it was opened.</exception>
    public static TensorComparison Of(TensorEntry a, TensorEntry b, CancellationToken cancel = default)
    {
        if (a.Shape != b.Shape) throw new ArgumentException($"{a} and {b} have different shapes", nameof(b));
        bool readable = a.DType.IsReadable && b.DType.IsReadable;
        int block = TensorBlocks.LargestOf(a.Shape);
        byte[] bytesOfA = new byte[a.DType.BytesOf(block)], bytesOfB = new byte[b.DType.BytesOf(block)];
        double[] x = new double[block], y = new double[block];
        TensorComparison all = None;
        foreach (var (first, count) in TensorBlocks.Of(a.Shape))
        {
            cancel.ThrowIfCancellationRequested();
            var ofA = bytesOfA.AsSpan(0, (int)a.DType.BytesOf(count));
            var ofB = bytesOfB.AsSpan(0, (int)b.DType.BytesOf(count));
            a.Read(first, ofA);
            b.Read(first, ofB);
            bool identical = a.DType == b.DType && ofA.SequenceEqual(ofB);
            if (!readable)
            {
                all += new TensorComparison(count, double.NaN, double.NaN, double.NaN, double.NaN, 0, double.NaN, identical);
                continue;
            }

            var values = x.AsSpan(0, count);
            var others = y.AsSpan(0, count);
            Doubles.Widen(a.DType, ofA, values);
            Doubles.Widen(b.DType, ofB, others);
            all += Of(values, others, identical || (a.DType != b.DType && values.SequenceEqual(others)));
        }

        return all;
    }

    /// <summary>The figures of both together.</summary>
    public static TensorComparison operator +(TensorComparison left, TensorComparison right) => new(
        left.Count + right.Count,
        left.Dot + right.Dot,
        left.SquaresOfA + right.SquaresOfA,
        left.SquaresOfB + right.SquaresOfB,
        left.SquaredDifferences + right.SquaredDifferences,
        left.EqualSigns + right.EqualSigns,
        Math.Max(left.LargestDifference, right.LargestDifference),
        left.IsIdentical && right.IsIdentical);

    /// <summary>The figures of two parts together.</summary>
    public static TensorComparison Add(TensorComparison left, TensorComparison right) => left + right;

    /// <summary>The figures of one block; <paramref name="y"/> is overwritten.</summary>
    private static TensorComparison Of(Span<double> x, Span<double> y, bool identical)
    {
        double dot = TensorPrimitives.Dot<double>(x, y), squaresOfA = TensorPrimitives.SumOfSquares<double>(x), squaresOfB = TensorPrimitives.SumOfSquares<double>(y);
        long equalSigns = Doubles.CountEqualSigns(x, y);
        TensorPrimitives.Subtract(x, y, y);
        return new(
            x.Length, dot, squaresOfA, squaresOfB, TensorPrimitives.SumOfSquares<double>(y), equalSigns, Math.Abs(TensorPrimitives.MaxMagnitude<double>(y)), identical);
    }
}
