using System.Numerics.Tensors;

namespace Amalgam.Numerics;

/// <summary>
/// The largest singular values of a matrix with their vectors: the sum of value x left x right' over them is the nearest matrix of that rank (Eckart and Young). They come from the eigenvectors of the smaller of the two
/// Gram matrices, in double precision; the other side's vectors are the matrix applied to them, so that at full rank the sum is the matrix whatever its condition. Of large matrices only the vectors that are asked for are
/// computed, <see cref="BlockLanczos"/>.
/// </summary>
public sealed class TruncatedSvd
{
    /// <summary>From here on all eigenvectors are more work than a few.</summary>
    private const int Large = 512;

    private readonly double[] _left, _right, _values;
    private readonly int _rows, _columns;

    private TruncatedSvd(int rows, int columns, int rank) => (_rows, _columns, _left, _right, _values) = (rows, columns, new double[rank * rows], new double[rank * columns], new double[rank]);

    /// <summary>Singular values, the largest first.</summary>
    public IReadOnlyList<double> Values => _values;

    /// <summary>The left vector of a value: length 1, or 0 where the value is 0 and the matrix has fewer columns than rows.</summary>
    public ReadOnlySpan<double> Left(int index) => _left.AsSpan(index * _rows, _rows);

    /// <summary>The right vector of a value: length 1, or 0 where the value is 0 and the matrix has as many columns as rows or more.</summary>
    public ReadOnlySpan<double> Right(int index) => _right.AsSpan(index * _columns, _columns);

    /// <summary>Finds them.</summary>
    /// <param name="matrix">Row by row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="rank">How many, at most the smaller of the two.</param>
    /// <param name="cancel">Stops it.</param>
    /// <exception cref="ArgumentException">A value is no finite number.</exception>
    public static TruncatedSvd Of(ReadOnlySpan<float> matrix, int rows, int columns, int rank, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix.Length, (long)rows * columns, nameof(matrix));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, Math.Min(rows, columns), nameof(rank));
        if (NonFinite.IndexOf(matrix) >= 0) throw new ArgumentException("the matrix has values that are no finite numbers", nameof(matrix));
        TruncatedSvd svd = new(rows, columns, rank);
        bool isTall = rows > columns;
        var (size, length) = isTall ? (columns, rows) : (rows, columns);
        double[] vectors = new double[matrix.Length];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < length; j++) vectors[i * length + j] = isTall ? matrix[j * size + i] : matrix[i * length + j];
        }

        svd.Fill(vectors, size, length, isTall, (size >= Large ? BlockLanczos.Of(vectors, size, length, rank, cancel) : null) ?? Eigenvectors(vectors, size, length, rank, cancel));
        return svd;
    }

    private static double[] Eigenvectors(double[] matrix, int size, int length, int rank, CancellationToken cancel)
    {
        TridiagonalEigen eigen = new(Gram(matrix, size, length), size, cancel: cancel);
        double[] eigenvalues = eigen.Values.ToArray(), vectors = new double[rank * size];
        int[] order = [.. Enumerable.Range(0, size).OrderByDescending(i => eigenvalues[i])];
        for (int k = 0; k < rank; k++) eigen.CopyVector(order[k], vectors.AsSpan(k * size, size));
        return vectors;
    }

    /// <summary>From the matrix, or its transpose, with the shorter side as rows, and that side's vectors. Their order by eigenvalues need not be that of the values where these are tiny.</summary>
    private void Fill(double[] matrix, int size, int length, bool isTall, double[] vectors)
    {
        double[] others = new double[_values.Length * length], values = new double[_values.Length];
        for (int k = 0; k < values.Length; k++)
        {
            Span<double> own = vectors.AsSpan(k * size, size), other = others.AsSpan(k * length, length);
            if (own[TensorPrimitives.IndexOfMaxMagnitude<double>(own)] < 0) TensorPrimitives.Negate(own, own);
            for (int i = 0; i < size; i++) TensorPrimitives.MultiplyAdd(matrix.AsSpan(i * length, length), own[i], other, other);
            values[k] = TensorPrimitives.Norm<double>(other);
            if (values[k] > 0) TensorPrimitives.Divide(other, values[k], other);
        }

        int[] order = [.. Enumerable.Range(0, values.Length).OrderByDescending(k => values[k])];
        for (int k = 0; k < values.Length; k++)
        {
            _values[k] = values[order[k]];
            vectors.AsSpan(order[k] * size, size).CopyTo((isTall ? _right : _left).AsSpan(k * size, size));
            others.AsSpan(order[k] * length, length).CopyTo((isTall ? _left : _right).AsSpan(k * length, length));
        }
    }

    private static double[] Gram(double[] matrix, int size, int length)
    {
        double[] gram = new double[size * size];
        Cores.ForRange(size, Math.Max(1, Cores.WorthSharing / (size * length)), (matrix, gram, size, length), static (s, from, to) =>
        {
            for (int i = from; i < to; i++)
            {
                ReadOnlySpan<double> row = s.matrix.AsSpan(i * s.length, s.length);
                for (int j = i; j < s.size; j++) s.gram[i * s.size + j] = s.gram[j * s.size + i] = TensorPrimitives.Dot(row, s.matrix.AsSpan(j * s.length, s.length));
            }
        });
        return gram;
    }
}
