using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Amalgam.Numerics;

namespace Amalgam.Benchmarks;

/// <summary>
/// Processor time of exact transport, beside bench/peers/transport_pot.cpp on the same file: sizes (two 32-bit integers), masses of rows and of columns and costs as doubles.
/// bench/transport-speed.sh runs both in turn.
/// </summary>
internal static class TransportSpeed
{
    private const int Samples = 200;

    /// <summary>Writes a problem: distances of points of a normal distribution in 200 dimensions, or of the activations over 200 samples of units that two networks have in part in common.</summary>
    /// <param name="file">File to write.</param>
    /// <param name="kind"><c>normal</c> or <c>activations</c>, with <c>-masses</c> after it for masses that differ.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    public static void Write(string file, string kind, int rows, int columns)
    {
        Random random = new(rows + columns);
        float[] features = Normal(random, 64 * Samples);
        float[][] x = [.. Enumerable.Range(0, rows).Select(_ => Point(random, kind, features))], y = [.. Enumerable.Range(0, columns).Select(_ => Point(random, kind, features))];
        double[] a = Masses(random, kind, rows), b = Masses(random, kind, columns);
        double[] cost = [.. x.SelectMany(from => y.Select(to => (double)TensorPrimitives.Distance<float>(from, to)))];
        File.WriteAllBytes(file, [.. MemoryMarshal.AsBytes<int>([rows, columns]), .. MemoryMarshal.AsBytes<double>([.. a, .. b, .. cost])]);
    }

    /// <summary>A unit's activations are a mixture of features of the data, some of them strong, with a scale and an offset of its own.</summary>
    private static float[] Point(Random random, string kind, float[] features)
    {
        float[] point = Normal(random, Samples);
        if (kind.StartsWith("normal", StringComparison.Ordinal)) return point;
        float[] mixture = Normal(random, features.Length / Samples);
        for (int i = 0; i < mixture.Length; i++) TensorPrimitives.MultiplyAdd(features.AsSpan(i * Samples, Samples), mixture[i] / (1 + i), point, point);
        TensorPrimitives.Multiply(point, MathF.Exp(mixture[0] / 2), point);
        TensorPrimitives.Add(point, -Math.Abs(mixture[1]), point);
        return point;
    }

    private static double[] Masses(Random random, string kind, int count)
    {
        double[] masses = [.. Enumerable.Range(0, count).Select(_ => kind.EndsWith("-masses", StringComparison.Ordinal) ? 0.2 + random.NextDouble() : 1)];
        double sum = masses.Sum();
        return [.. masses.Select(mass => mass / sum)];
    }

    private static float[] Normal(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle()))];

    /// <summary>Prints the least processor time of several rounds, which last a second at least so that all is compiled, the cost and the number of pivots.</summary>
    public static void Run(string file, int rounds)
    {
        byte[] bytes = File.ReadAllBytes(file);
        (int rows, int columns) = (BitConverter.ToInt32(bytes), BitConverter.ToInt32(bytes, 4));
        double[] values = MemoryMarshal.Cast<byte, double>(bytes.AsSpan(8)).ToArray();
        double best = double.MaxValue;
        TransportPlan plan = null!;
        long begin = Stopwatch.GetTimestamp();
        for (int round = 0; round < rounds || Stopwatch.GetElapsedTime(begin).TotalSeconds < 1; round++)
        {
            TimeSpan start = Environment.CpuUsage.TotalTime;
            plan = OptimalTransport.Exact(values.AsSpan(rows + columns), values.AsSpan(0, rows), values.AsSpan(rows, columns));
            best = Math.Min(best, (Environment.CpuUsage.TotalTime - start).TotalSeconds);
        }

        Console.WriteLine($"{best:F6} {plan.Cost:R} {plan.Iterations}");
    }
}
