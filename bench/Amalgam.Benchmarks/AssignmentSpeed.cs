using System.Diagnostics;
using System.Runtime.InteropServices;
using Amalgam.Numerics;

namespace Amalgam.Benchmarks;

/// <summary>Seconds of a linear assignment, beside bench/peers/assignment_scipy.py on the same file of costs. bench/assignment-speed.sh runs both in turn.</summary>
internal static class AssignmentSpeed
{
    private const int Rounds = 7;

    /// <summary>Writes a square of costs as doubles: random in [0, 1), or those with a permutation planted whose costs are lower by 1.</summary>
    public static void Write(string file, string kind, int n)
    {
        Random random = new(n);
        double[] cost = new double[n * n];
        for (int i = 0; i < cost.Length; i++) cost[i] = random.NextDouble();
        if (kind == "planted")
        {
            int[] planted = [.. Enumerable.Range(0, n)];
            random.Shuffle(planted);
            for (int row = 0; row < n; row++) cost[row * n + planted[row]] -= 1;
        }

        File.WriteAllBytes(file, MemoryMarshal.AsBytes<double>(cost));
    }

    /// <summary>Prints the best time of several and the sum of the costs.</summary>
    public static void Run(string file)
    {
        double[] cost = MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(file)).ToArray();
        int n = (int)Math.Sqrt(cost.Length);
        double best = double.MaxValue, sum = 0;
        for (int round = 0; round < Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            int[] columns = Assignment.Minimize(cost, n, n);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            sum = Enumerable.Range(0, n).Sum(row => cost[row * n + columns[row]]);
        }

        Console.WriteLine($"{best:F5} {sum:F6}");
    }
}
