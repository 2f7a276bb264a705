using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class TridiagonalEigenTests
{
    [Fact]
    public void Small_ones_are_known()
    {
        Assert.Equal([-3], new TridiagonalEigen([-3], 1).Values.ToArray());
        Assert.Equal([1, 3], Sorted(new([2, 1, 1, 2], 2)), Near);
        Assert.Equal([-1, 0, 0, 5], Sorted(new([0, 0, 0, 0, 0, 5, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0], 4)), Near);
        Assert.Equal([0, 0, 0], Sorted(new(new double[9], 3)));

        // Second differences: 2 - 2 cos(pi k / (n + 1)).
        double[] chain = new double[49];
        for (int i = 0; i < 7; i++) chain[i * 8] = 2;
        for (int i = 0; i < 6; i++) chain[i * 8 + 1] = chain[i * 8 + 7] = -1;
        Assert.Equal(Enumerable.Range(1, 7).Select(k => 2 - 2 * Math.Cos(Math.PI * k / 8)), Sorted(new(chain, 7)), Near);
    }

    /// <summary>Spectra that are spread, equal in part, and graded over twelve orders: A = Q D Q'.</summary>
    [Theory]
    [InlineData("spread", 40)]
    [InlineData("repeated", 41)]
    [InlineData("graded", 30)]
    [InlineData("spread", 200)]
    public void Values_are_those_of_the_spectrum_and_vectors_satisfy_the_equation(string kind, int size)
    {
        double[] values = [.. Enumerable.Range(0, size).Select(i => kind switch { "spread" => i - 0.3 * size, "repeated" => i % 3, _ => Math.Pow(10, -12.0 * i / size) })];
        double[] matrix = With(values, new(size));
        double largest = values.Max(Math.Abs);
        TridiagonalEigen eigen = new([.. matrix], size);
        Assert.Equal(values.Order(), Sorted(eigen), (a, b) => Math.Abs(a - b) <= 1e-12 * largest);
        double[][] vectors = [.. Enumerable.Range(0, size).Select(k => Vector(eigen, k, size))];
        for (int k = 0; k < size; k++)
        {
            for (int i = 0; i < size; i++)
            {
                double sum = 0;
                for (int j = 0; j < size; j++) sum += matrix[i * size + j] * vectors[k][j];
                Assert.Equal(eigen.Values[k] * vectors[k][i], sum, 1e-12 * largest);
            }

            for (int j = 0; j <= k; j++) Assert.Equal(j == k ? 1 : 0, vectors[k].Zip(vectors[j], (a, b) => a * b).Sum(), 1e-12);
        }
    }

    [Fact]
    public void What_does_not_converge_or_is_no_number_is_no_answer()
    {
        double[] matrix = With([.. Enumerable.Range(0, 20).Select(i => (double)i)], new(1));
        Assert.Contains("20 rows did not converge in 1 steps", Assert.Throws<ArithmeticException>(() => new TridiagonalEigen([.. matrix], 20, mostSteps: 1)).Message, StringComparison.Ordinal);
        matrix[21] = double.NaN;
        Assert.Throws<ArithmeticException>(() => new TridiagonalEigen([.. matrix], 20));
        Assert.Throws<ArithmeticException>(() => new TridiagonalEigen([1e200, 1e200, 3e200, 1e200, 1, 1, 3e200, 1, 1], 3));
        Assert.Throws<OperationCanceledException>(() => new TridiagonalEigen(new double[400], 20, cancel: new(true)));
    }

    /// <summary>A matrix of a spectrum, turned by reflections.</summary>
    internal static double[] With(double[] values, Random random)
    {
        int size = values.Length;
        double[] matrix = new double[size * size];
        for (int i = 0; i < size; i++) matrix[i * size + i] = values[i];
        for (int turn = 0; turn < 4; turn++)
        {
            double[] v = [.. Enumerable.Range(0, size).Select(_ => random.NextDouble() - 0.5)];
            double length = Math.Sqrt(v.Sum(x => x * x));
            for (int side = 0; side < 2; side++)
            {
                for (int row = 0; row < size; row++)
                {
                    double along = 0;
                    for (int i = 0; i < size; i++) along += matrix[row * size + i] * v[i] / length;
                    for (int i = 0; i < size; i++) matrix[row * size + i] -= 2 * along * v[i] / length;
                }

                for (int i = 0; i < size; i++)
                {
                    for (int j = 0; j < i; j++) (matrix[i * size + j], matrix[j * size + i]) = (matrix[j * size + i], matrix[i * size + j]);
                }
            }
        }

        return matrix;
    }

    private static double[] Vector(TridiagonalEigen eigen, int index, int size)
    {
        double[] vector = new double[size];
        eigen.CopyVector(index, vector);
        return vector;
    }

    private static double[] Sorted(TridiagonalEigen eigen) => [.. eigen.Values.ToArray().Order()];

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-14;
}
