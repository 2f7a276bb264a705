using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class BlockLanczosTests
{
    /// <summary>Spectra of the matrix itself, so that those of the Gram matrix are their squares: flat, repeated, of low rank, all equal, none, falling fast.</summary>
    [Theory]
    [InlineData("flat")]
    [InlineData("repeated")]
    [InlineData("low")]
    [InlineData("equal")]
    [InlineData("none")]
    [InlineData("graded")]
    public void The_largest_are_found_with_all_that_are_equal(string kind)
    {
        const int Size = 300, Count = 7;
        double[] values = [.. Enumerable.Range(0, Size).Select(i => kind switch
        {
            "flat" => i < 280 ? 0.005 * i : 1.4 + 0.03 * (i - 280),
            "repeated" => i < 270 ? 0.005 * i : 2 + i % 10,
            "low" => i < Size - 3 ? 0 : i,
            "equal" => 3,
            "none" => 0,
            _ => Math.Pow(0.8, i),
        })];
        double[] matrix = TridiagonalEigenTests.With(values, new(1)), expected = [.. values.OrderDescending().Take(Count)];
        double[] vectors = BlockLanczos.Of(matrix, Size, Size, Count)!;
        for (int k = 0; k < Count; k++)
        {
            double[] vector = vectors[(k * Size)..((k + 1) * Size)], twice = Times(matrix, Times(matrix, vector));
            for (int i = 0; i < Size; i++) Assert.Equal(expected[k] * expected[k] * vector[i], twice[i], 2e-7 * (expected[0] * expected[0]));
            for (int j = 0; j <= k; j++) Assert.Equal(j == k ? 1 : 0, Dot(vectors.AsSpan(k * Size, Size), vectors.AsSpan(j * Size, Size)), 1e-12);
        }
    }

    [Fact]
    public void Nothing_is_said_of_what_half_of_the_space_does_not_hold()
    {
        Assert.Null(BlockLanczos.Of(new double[400], 20, 20, 6));
        Assert.Throws<OperationCanceledException>(() => BlockLanczos.Of(new double[400], 20, 20, 2, new(true)));
    }

    /// <summary>Large enough that the decomposition takes this way, against the vectors of the whole Gram matrix.</summary>
    [Theory]
    [InlineData(513, 530)]
    [InlineData(520, 514)]
    public void A_large_matrix_has_the_same_decomposition_either_way(int rows, int columns)
    {
        const int Rank = 12;
        float[] matrix = new Generator(2).Floats(rows * columns);
        TruncatedSvd svd = TruncatedSvd.Of(matrix, rows, columns, Rank);
        int size = Math.Min(rows, columns);
        int length = Math.Max(rows, columns);
        double[] gram = new double[size * size], lines = new double[size * length];
        for (int i = 0; i < lines.Length; i++) lines[i] = rows < columns ? matrix[i] : matrix[i % length * columns + i / length];
        for (int i = 0; i < gram.Length; i++) gram[i] = TensorPrimitives.Dot<double>(lines.AsSpan(i / size * length, length), lines.AsSpan(i % size * length, length));
        double[] values = [.. new TridiagonalEigen(gram, size).Values.ToArray().OrderDescending().Select(Math.Sqrt)];
        for (int k = 0; k < Rank; k++)
        {
            Assert.Equal(values[k], svd.Values[k], 1e-9 * values[0]);
            for (int i = 0; i < rows; i++)
            {
                double sum = 0;
                for (int j = 0; j < columns; j++) sum += matrix[i * columns + j] * svd.Right(k)[j];
                Assert.Equal(svd.Values[k] * svd.Left(k)[i], sum, 1e-6 * values[0]);
            }
        }

        double[] Last() => TruncatedSvd.Of(matrix, rows, columns, Rank).Left(Rank - 1).ToArray();
        Assert.Equal(OnThreads.One(Last), OnThreads.Four(Last));
    }

    /// <summary>Of a symmetric matrix.</summary>
    private static double[] Times(double[] matrix, double[] x) => [.. Enumerable.Range(0, x.Length).Select(i => Dot(matrix.AsSpan(i * x.Length, x.Length), x))];

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
