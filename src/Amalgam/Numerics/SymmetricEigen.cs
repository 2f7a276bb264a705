namespace Amalgam.Numerics;

/// <summary>Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi's rotations (Golub and Van Loan, Matrix Computations, 4th edition, 8.5), in double precision.</summary>
public sealed class SymmetricEigen
{
    private const int MostSweeps = 60;

    private readonly double[] _vectors;

    private SymmetricEigen(int size, double[] values, double[] vectors) => (Size, Values, _vectors) = (size, values, vectors);

    /// <summary>Rows of the matrix.</summary>
    public int Size { get; }

    /// <summary>The eigenvalues, the largest first.</summary>
    public IReadOnlyList<double> Values { get; }

    /// <summary>The eigenvector of length 1 that belongs to an eigenvalue; its element of the largest magnitude, the first of equal ones, is positive.</summary>
    public ReadOnlySpan<double> Vector(int index) => _vectors.AsSpan(index * Size, Size);

    /// <summary>Finds them.</summary>
    /// <param name="matrix">Row by row; what stands below the diagonal is not looked at.</param>
    /// <param name="size">Number of rows.</param>
    /// <exception cref="ArgumentException">A value is no finite number.</exception>
    public static SymmetricEigen Of(ReadOnlySpan<double> matrix, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix.Length, size * size, nameof(matrix));
        double[] a = matrix.ToArray(), v = new double[size * size];
        for (int i = 0; i < size; i++)
        {
            v[i * size + i] = 1;
            for (int j = 0; j < i; j++) a[i * size + j] = a[j * size + i];
        }

        if (a.Any(x => !double.IsFinite(x))) throw new ArgumentException("the matrix has values that are no finite numbers", nameof(matrix));
        double total = a.Sum(x => x * x);
        for (int sweep = 0; sweep < MostSweeps && OffDiagonal(a, size) > 1e-32 * total; sweep++)
        {
            for (int p = 0; p < size; p++)
            {
                for (int q = p + 1; q < size; q++) Rotate(a, v, size, p, q);
            }
        }

        int[] order = [.. Enumerable.Range(0, size).OrderByDescending(i => a[i * size + i])];
        double[] vectors = new double[size * size];
        for (int k = 0; k < size; k++) CopyColumn(v, size, order[k], vectors.AsSpan(k * size, size));
        return new(size, [.. order.Select(i => a[i * size + i])], vectors);
    }

    private static double OffDiagonal(double[] a, int size)
    {
        double sum = 0;
        for (int i = 0; i < size; i++)
        {
            for (int j = i + 1; j < size; j++) sum += 2 * a[i * size + j] * a[i * size + j];
        }

        return sum;
    }

    /// <summary>Makes the element at (p, q) zero.</summary>
    private static void Rotate(double[] a, double[] v, int size, int p, int q)
    {
        double apq = a[p * size + q];
        if (apq == 0) return;
        double theta = (a[q * size + q] - a[p * size + p]) / (2 * apq);
        double t = Math.Abs(theta) > 1e150 ? 0.5 / theta : (theta < 0 ? -1 : 1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
        double c = 1 / Math.Sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < size; k++) (a[k * size + p], a[k * size + q]) = (c * a[k * size + p] - s * a[k * size + q], s * a[k * size + p] + c * a[k * size + q]);
        for (int k = 0; k < size; k++) (a[p * size + k], a[q * size + k]) = (c * a[p * size + k] - s * a[q * size + k], s * a[p * size + k] + c * a[q * size + k]);
        for (int k = 0; k < size; k++) (v[k * size + p], v[k * size + q]) = (c * v[k * size + p] - s * v[k * size + q], s * v[k * size + p] + c * v[k * size + q]);
        a[p * size + q] = a[q * size + p] = 0;
    }

    private static void CopyColumn(double[] v, int size, int column, Span<double> to)
    {
        int largest = 0;
        for (int k = 0; k < size; k++)
        {
            to[k] = v[k * size + column];
            if (Math.Abs(to[k]) > Math.Abs(to[largest])) largest = k;
        }

        if (to[largest] >= 0) return;
        for (int k = 0; k < size; k++) to[k] = -to[k];
    }
}
