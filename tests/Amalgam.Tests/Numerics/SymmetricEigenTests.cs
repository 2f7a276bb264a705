using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class SymmetricEigenTests
{
    [Fact]
    public void Vectors_are_orthonormal_and_make_up_the_matrix() => Property.Holds(gen =>
    {
        int n = gen.Random.Next(1, 13);
        double[] a = Symmetric(gen.Random, n);
        SymmetricEigen eigen = SymmetricEigen.Of(a, n);
        double size = Math.Sqrt(a.Sum(x => x * x)) + 1e-300;
        for (int i = 0; i < n; i++)
        {
            if (i > 0) Assert.True(eigen.Values[i] <= eigen.Values[i - 1]);
            for (int j = 0; j < n; j++)
            {
                double dot = 0, made = 0;
                for (int k = 0; k < n; k++)
                {
                    dot += eigen.Vector(i)[k] * eigen.Vector(j)[k];
                    made += eigen.Values[k] * eigen.Vector(k)[i] * eigen.Vector(k)[j];
                }

                Assert.Equal(i == j ? 1 : 0, dot, 1e-10);
                Assert.Equal(a[i * n + j], made, 1e-10 * size);
            }
        }
    });

    [Fact]
    public void Equal_and_zero_values_are_no_obstacle()
    {
        SymmetricEigen eigen = SymmetricEigen.Of([2, 0, 0, 0, 2, 0, 0, 0, 0], 3);
        Assert.Equal([2, 2, 0], eigen.Values);
        Assert.Equal([0, 0], SymmetricEigen.Of(new double[4], 2).Values);
    }

    [Fact]
    public void The_largest_element_of_a_vector_is_positive() => Property.Holds(gen =>
    {
        int n = gen.Random.Next(1, 8);
        SymmetricEigen eigen = SymmetricEigen.Of(Symmetric(gen.Random, n), n);
        for (int i = 0; i < n; i++) Assert.True(eigen.Vector(i).ToArray().MaxBy(Math.Abs) > 0);
    });

    [Fact]
    public void What_is_no_number_is_refused() => Assert.Contains("no finite numbers", Assert.Throws<ArgumentException>(() => SymmetricEigen.Of([1, double.NaN, 0, 1], 2)).Message);

    private static double[] Symmetric(Random random, int n)
    {
        double[] a = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = random.NextDouble() * 20 - 10;
        }

        return a;
    }
}
