using System.Diagnostics;
using System.Runtime.InteropServices;
using Amalgam.Numerics;

namespace Amalgam.Benchmarks;

/// <summary>
/// How fast is the managed product beside OpenBLAS (Debian's libopenblas0-pthread)? Both sides run in turn in this process and the best time of each counts, so that
/// a busy machine slows both. The shapes: squares, odd sizes, ResNet-20's convolutions as products, a transformer's and a small network's layers.
/// </summary>
internal static partial class GemmBench
{
    private const int RowMajor = 101, NoTranspose = 111;

    private static readonly (int M, int N, int K)[] Shapes =
    [
        (256, 256, 256), (384, 384, 384), (512, 512, 512), (768, 768, 768), (1024, 1024, 1024), (1536, 1536, 1536), (257, 509, 383), (1001, 999, 1003),
        (16, 1024, 27), (16, 1024, 144), (32, 256, 288), (64, 64, 576), (96, 8192, 288), (16, 8192, 144), (32, 8192, 288), (64, 8192, 576),
        (128, 400, 784), (2048, 256, 256), (2048, 64, 256), (32, 32, 64), (64, 64, 32), (1, 1024, 1024),
    ];

    public static void Run()
    {
        int cores = Cores.Count;
        Console.WriteLine($"{"m x n x k",-18} {"ours 1",8} {"blas 1",8} {"ratio",6}   {$"ours {cores}",8} {$"blas {cores}",8} {"ratio",6}   {"gain",5}   (GFLOP/s)");
        foreach ((int m, int n, int k) in Shapes)
        {
            Random random = new(0);
            float[] a = Floats(random, m * k), b = Floats(random, k * n), c = new float[m * n];
            double work = 2.0 * m * n * k;
            (double ours1, double blas1) = Best(m, n, k, a, b, c, 1);
            (double ours2, double blas2) = Best(m, n, k, a, b, c, cores);
            Console.WriteLine($"{$"{m} x {n} x {k}",-18} {work / ours1,8:F1} {work / blas1,8:F1} {blas1 / ours1,6:F2}   {work / ours2,8:F1} {work / blas2,8:F1} {blas2 / ours2,6:F2}   {ours1 / ours2,5:F2}");
        }
    }

    /// <summary>Nanoseconds of one product here and there.</summary>
    private static (double Ours, double Blas) Best(int m, int n, int k, float[] a, float[] b, float[] c, int threads)
    {
        SetThreads(threads);
        using CoreLimit limit = Cores.Limit(threads);
        int repeats = (int)Math.Clamp(2e8 / (2.0 * m * n * k), 1, 10000);
        double ours = double.MaxValue, blas = double.MaxValue;
        for (int round = 0; round < 15; round++)
        {
            ours = Math.Min(ours, Time(repeats, () => Gemm.Multiply(m, n, k, a, false, b, false, c)));
            blas = Math.Min(blas, Time(repeats, () => Multiply(RowMajor, NoTranspose, NoTranspose, m, n, k, 1, a, k, b, n, 0, c, n)));
        }

        return (ours, blas);
    }

    internal static double Time(int repeats, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++) action();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / repeats;
    }

    internal static float[] Floats(Random random, int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = random.NextSingle() - 0.5f;
        return values;
    }

    [LibraryImport("libopenblas.so.0", EntryPoint = "openblas_set_num_threads")]
    private static partial void SetThreads(int count);

    [LibraryImport("libopenblas.so.0", EntryPoint = "cblas_sgemm")]
    private static partial void Multiply(
        int order, int transposeA, int transposeB, int m, int n, int k, float alpha, float[] a, int lda, float[] b, int ldb, float beta, [In, Out] float[] c, int ldc);
}
