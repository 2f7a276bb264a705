using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;

namespace Amalgam.Benchmarks;

/// <summary>Time of activation statistics of two ONNX models over that of running both on the same CIFAR-10 images, by the number of positions that are looked at in each.</summary>
internal static class StatisticsSpeed
{
    private static readonly int?[] Positions = [16, 64, 256, null];

    /// <summary>Prints medians, and how far correlations are from those of all positions.</summary>
    public static void Run(string first, string second, int images, int runs, bool all)
    {
        Siblings models = Siblings.Of([OnnxModel.Open(first).ToGraph(), OnnxModel.Open(second).ToGraph()]);
        Augmentation normalise = new() { Mean = [125.307f / 255, 122.961f / 255, 113.8575f / 255], Deviation = [51.5865f / 255, 50.847f / 255, 51.255f / 255] };
        Dataset data = new Augmented(Subset.First(DataSource.OpenNamed("cifar10", Split.Train), images), normalise);
        Time(() => Forward(models, data));
        Console.WriteLine($"{data.Count} images, {Environment.ProcessorCount} threads, medians of {runs} pairs; plain passes first");
        Console.WriteLine($"{"matching",-8} {"positions",9} {"plain s",8} {"with s",8} {"ratio",6} {"of processor time",18} {"rms of correlations",20} {"same partner",13}");
        foreach (UnitMatching matching in Enum.GetValues<UnitMatching>())
        {
            AlignmentOptions options = new() { Matching = matching, Samples = null };
            ActivationStatistics full = ActivationStatistics.Collect(models, data, options with { Positions = null });
            foreach (int? positions in all ? Positions : [options.Positions])
            {
                List<(Seconds Plain, Seconds With)> times = [];
                ActivationStatistics some = full;
                for (int run = 0; run < runs; run++) times.Add((Time(() => Forward(models, data)), Time(() => some = ActivationStatistics.Collect(models, data, options with { Positions = positions }))));
                (double rms, double same) = Compare(models.Groups, full, some);
                Console.WriteLine($"{matching,-8} {(positions is { } p ? $"{p}" : "all"),9} {Median(times, t => t.Plain.Wall),8:F2} {Median(times, t => t.With.Wall),8:F2} {Median(times, t => t.With.Wall / t.Plain.Wall),6:F2} {Median(times, t => t.With.Processor / t.Plain.Processor),18:F2} {rms,20:F4} {same,13:P1}");
            }
        }
    }

    private static void Forward(Siblings models, Dataset data)
    {
        for (int model = 0; model < models.Count; model++)
        {
            foreach (var _ in Predictions.InBatches(models.With(model).Graph, data, new AlignmentOptions().Batch))
            {
            }
        }
    }

    /// <summary>Root mean square of the differences of correlations between the models, and how many units of the first have the same partner in the second.</summary>
    private static (double Rms, double Same) Compare(UnitGroups groups, ActivationStatistics all, ActivationStatistics some)
    {
        double squares = 0, same = 0;
        int count = 0, units = 0;
        foreach (UnitClass of in groups.Classes)
        {
            if (all.Similarity(of) is not { } a || some.Similarity(of) is not { } b) continue;
            double[] x = Across(a), y = Across(b);
            squares += x.Zip(y, (p, q) => (p - q) * (p - q)).Sum();
            count += x.Length;
            units += of.Units;
            same += Assignment.Maximize(x, of.Units, of.Units).Zip(Assignment.Maximize(y, of.Units, of.Units), (p, q) => p == q ? 1 : 0).Sum();
        }

        return (Math.Sqrt(squares / count), same / units);

        static double[] Across(UnitSimilarity s) => [.. Enumerable.Range(0, s.Units).SelectMany(i => Enumerable.Range(0, s.Units).Select(j => s[0, i, 1, j]))];
    }

    private static Seconds Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action();
        return new(Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }

    private static double Median(List<(Seconds Plain, Seconds With)> times, Func<(Seconds Plain, Seconds With), double> value) => times.Select(value).Order().ElementAt(times.Count / 2);

    private readonly record struct Seconds(double Wall, double Processor);
}
