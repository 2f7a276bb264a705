using Amalgam.Numerics;

namespace Amalgam.Zoo.Demo;

/// <summary>
/// A classification problem with a past: points scatter around one prototype for each class, first those of the problem that the base learns, then those of
/// three tasks, each of which lies in a region of its own and has its own variant of every prototype. The classes mean the same in all of them, so one
/// network could know all three; a network that knows one does badly on the others.
/// </summary>
/// <remarks>Every number is a function of the seed alone.</remarks>
public sealed class Problem
{
    /// <summary>Numbers of a point.</summary>
    public const int Inputs = 16;

    /// <summary>Number of classes.</summary>
    public const int Classes = 6;

    /// <summary>Number of tasks.</summary>
    public const int Tasks = 3;

    /// <summary>Points of a training set, and of a test set.</summary>
    public const int TrainingSamples = 300, TestSamples = 1000;

    /// <summary>Spread of the prototypes, of a task's prototypes around them, and of a task's region around the origin, against a scatter of 1.</summary>
    private const double PrototypeSpread = 0.8, TaskSpread = 0.5, RegionSpread = 0.5;

    private readonly long _seed;
    private readonly double[] _prototypes;

    /// <param name="seed">Another seed is another problem of the same kind.</param>
    public Problem(long seed)
    {
        _seed = seed;
        _prototypes = Scaled(Normal("prototypes", Classes * Inputs), PrototypeSpread);
        Past = Draw("past", _prototypes);
        All = [.. Enumerable.Range(1, Tasks).Select(task => Draw($"task {task}", PrototypesOf(task)))];
    }

    /// <summary>What the base learns.</summary>
    public (Samples Training, Samples Test) Past { get; }

    /// <summary>What its fine-tunes learn, one each.</summary>
    public IReadOnlyList<(Samples Training, Samples Test)> All { get; }

    /// <summary>Independent draws from the standard normal distribution (Box and Muller 1958).</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="name">Tells streams of one seed apart.</param>
    /// <param name="count">Number of draws, even.</param>
    internal static double[] Normal(long seed, string name, int count)
    {
        uint[] words = new uint[count];
        Philox.Fill(Philox.Key(seed, name, 0), 0, words);
        double[] y = new double[count];
        for (int i = 0; i < count; i += 2)
        {
            double radius = Math.Sqrt(-2 * Math.Log((words[i] + 0.5) / 4294967296.0)), angle = 2 * Math.PI * (words[i + 1] / 4294967296.0);
            (y[i], y[i + 1]) = (radius * Math.Cos(angle), radius * Math.Sin(angle));
        }

        return y;
    }

    private double[] Normal(string name, int count) => Normal(_seed, name, count);

    private double[] PrototypesOf(int task)
    {
        double[] region = Scaled(Normal($"region {task}", Inputs), RegionSpread);
        double[] own = Scaled(Normal($"prototypes {task}", Classes * Inputs), TaskSpread);
        return [.. _prototypes.Select((p, i) => p + own[i] + region[i % Inputs])];
    }

    private (Samples Training, Samples Test) Draw(string name, double[] prototypes) =>
        (Draw($"{name}, training", prototypes, TrainingSamples), Draw($"{name}, test", prototypes, TestSamples));

    /// <summary>Points around the prototypes, as many of each class as of any other, up to one.</summary>
    private Samples Draw(string name, double[] prototypes, int count)
    {
        double[] points = Normal(name, count * Inputs);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % Classes)];
        for (int i = 0; i < points.Length; i++) points[i] += prototypes[labels[i / Inputs] * Inputs + i % Inputs];
        return new(points, labels);
    }

    private static double[] Scaled(double[] x, double factor) => [.. x.Select(v => v * factor)];
}
