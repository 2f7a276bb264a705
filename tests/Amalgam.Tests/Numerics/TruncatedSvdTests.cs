using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class TruncatedSvdTests
{
    /// <summary>Singular values by Jacobi's rotations of the Gram matrix, which shares nothing with what is tested.</summary>
    public static double[] Values(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        double[] gram = new double[columns * columns];
        for (int row = 0; row < rows; row++)
        {
            for (int i = 0; i < columns; i++)
            {
                for (int j = 0; j < columns; j++) gram[i * columns + j] += (double)matrix[row * columns + i] * matrix[row * columns + j];
            }
        }

        return [.. SymmetricEigen.Of(gram, columns).Values.Select(v => Math.Sqrt(Math.Max(0, v)))];
    }

    [Fact]
    public void Is_the_nearest_matrix_of_its_rank() => Property.Holds(gen =>
    {
        int rows = gen.Size(40), columns = gen.Size(40), rank = 1 + gen.Random.Next(Math.Min(rows, columns));
        float[] matrix = gen.Floats(rows * columns);
        TruncatedSvd svd = TruncatedSvd.Of(matrix, rows, columns, rank);
        double[] values = Values(matrix, rows, columns);
        double size = values[0] + 1e-300;
        for (int k = 0; k < rank; k++) Assert.Equal(values[k], svd.Values[k], 1e-6 * size);

        // Eckart and Young: no matrix of that rank is nearer than the root of the sum of the squares that are left.
        double bound = Math.Sqrt(values.Skip(rank).Sum(v => v * v)), error = Math.Sqrt(Rest(svd, matrix, rows, columns, rank).Sum(d => d * d));
        Assert.True(error <= bound + 1e-6 * size, $"{error} is above {bound}");
    });

    [Fact]
    public void Vectors_are_orthonormal() => Property.Holds(gen =>
    {
        int rows = gen.Size(30), columns = gen.Size(30), rank = Math.Min(rows, columns);
        TruncatedSvd svd = TruncatedSvd.Of([.. Enumerable.Range(0, rows * columns).Select(_ => (float)gen.Random.NextDouble())], rows, columns, rank);
        for (int i = 0; i < rank; i++)
        {
            for (int j = 0; j < rank; j++)
            {
                // The longer side's vectors are the matrix times the others over the value, so they lose what that is small by.
                double lost = 1e-13 * Math.Pow(svd.Values[0] / svd.Values[Math.Max(i, j)], 2);
                Assert.Equal(i == j ? 1 : 0, Dot(svd.Left(i), svd.Left(j)), 1e-10 + lost);
                Assert.Equal(i == j ? 1 : 0, Dot(svd.Right(i), svd.Right(j)), 1e-10 + lost);
            }
        }
    });

    [Theory]
    [InlineData(7, 5, 2)]
    [InlineData(5, 7, 2)]
    [InlineData(6, 6, 0)]
    [InlineData(1, 4, 1)]
    [InlineData(4, 1, 1)]
    public void A_matrix_of_low_rank_is_met_with_zeros_behind_it(int rows, int columns, int rank)
    {
        Generator gen = new(3);
        float[] left = gen.Floats(rows * rank), right = gen.Floats(rank * columns), matrix = new float[rows * columns];
        Gemm.Multiply(rows, columns, rank, left, false, right, false, matrix);
        int all = Math.Min(rows, columns);
        TruncatedSvd svd = TruncatedSvd.Of(matrix, rows, columns, all);
        for (int k = rank; k < all; k++) Assert.Equal(0, svd.Values[k], 1e-5);
        Assert.All(Rest(svd, matrix, rows, columns, all), d => Assert.Equal(0, d, 1e-6));
    }

    /// <summary>Values that the Gram matrix cannot tell apart are the lengths of what its vectors give, which need not come in their order.</summary>
    [Fact]
    public void Values_descend_however_small_they_are() => Property.Holds(gen =>
    {
        int size = 2 + gen.Size(20);
        float[] matrix = new float[size * size];
        float[] left = gen.Floats(size * size), right = gen.Floats(size * size);
        for (int i = 0; i < size * size; i++) left[i] *= MathF.Pow(10, -(i % size));
        Gemm.Multiply(size, size, size, left, false, right, false, matrix);
        TruncatedSvd svd = TruncatedSvd.Of(matrix, size, size, size);
        Assert.Equal(svd.Values.OrderDescending(), svd.Values);
    });

    [Fact]
    public void Is_the_same_bits_for_any_number_of_threads()
    {
        float[] matrix = new Generator(9).Floats(300 * 400);
        TruncatedSvd Of() => TruncatedSvd.Of(matrix, 300, 400, 20);
        TruncatedSvd one = OnThreads.One(Of), many = OnThreads.Four(Of);
        Assert.Equal(one.Values, many.Values);
        for (int k = 0; k < 20; k++) Assert.Equal(one.Right(k).ToArray(), many.Right(k).ToArray());
    }

    [Fact]
    public void Refuses_ranks_that_there_are_not_and_what_is_no_number()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TruncatedSvd.Of(new float[6], 2, 3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => TruncatedSvd.Of(new float[6], 2, 3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => TruncatedSvd.Of(new float[5], 2, 3, 1));
        Assert.Throws<ArgumentException>(() => TruncatedSvd.Of([1, float.NaN], 1, 2, 1));
    }

    private static double[] Rest(TruncatedSvd svd, float[] matrix, int rows, int columns, int rank)
    {
        double[] rest = new double[matrix.Length];
        for (int i = 0; i < rest.Length; i++)
        {
            rest[i] = matrix[i];
            for (int k = 0; k < rank; k++) rest[i] -= svd.Values[k] * svd.Left(k)[i / columns] * svd.Right(k)[i % columns];
        }

        return rest;
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
