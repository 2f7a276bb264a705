using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Amalgam.Alignment;
using Amalgam.Training.Data;
using Amalgam.Zoo.Report;

using Weights = System.Collections.Generic.IReadOnlyDictionary<string, Amalgam.Tensor>;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>
/// MuDSC's figure 3: the loss around what ZipIt!, weight zip and MuDSC make of one pair. Each method gives three networks: the two parents as it moves their units, and their mean.
/// Those of the other methods are first brought into ZipIt!'s order, the space between the methods is filled, and the plane nearest to all is drawn.
/// </summary>
internal static class MnistLandscape
{
    /// <summary>The authors' published example.</summary>
    private const int Example = 4;

    private const int TestSamples = 1000, Between = 7, Cells = 21;
    private const double Margin = 0.15;
    private static readonly double[] Mixes = [0.25, 0.5, 0.75], Steps = [-1, 0, 1];

    /// <summary>Makes the pictures, or reads the losses that an earlier run has left.</summary>
    public static ImmutableArray<ReportPart> Pictures(TrainedPairs pairs, MudscOptions options, string folder)
    {
        if (options.Pairs < Example) return [];
        MatchedPair matched = new(pairs.Mnist().ElementAt(Example - 1), options);
        var methods = Triples(matched);
        ImmutableArray<Weights> fit = Dense(methods);
        options.Line?.Invoke($"the plane of {fit.Length} networks");
        WeightPlane plane = WeightPlane.Of(fit);
        LandscapeMark[] marks = [.. methods.SelectMany(m => Marks(plane, m))];
        ModelPair few = matched.Pair with { Test = Few(matched.Pair.Test) };
        ImmutableArray<double> Losses(Weights weights) => [.. few.Measure([matched.Models.With(weights).Graph], few.Test, options.Cancel).Tasks.Select(task => task.Loss)];
        var near = Landscape.Near(plane, fit, Steps, Losses, new Counter(options, "near the plane", fit.Length * Steps.Length * Steps.Length), options.Cancel);
        ImmutableArray<double> x = Landscape.Around(plane.Places.Select(p => p.X), Cells, Margin), y = Landscape.Around(plane.Places.Select(p => p.Y), Cells, Margin);
        var on = Landscape.On(plane, x, y, Losses, new Counter(options, "on the plane", Cells * Cells), options.Cancel);
        Write(Path.Combine(folder, "landscape.csv"), near, on);
        return LandscapeParts.Of(plane, x, y, on, near, marks, [.. matched.Pair.Test.Tasks.Select(task => task.Name)]);
    }

    /// <summary>Of each method the side of task A, the middle and the side of task B, in the order of ZipIt!'s units.</summary>
    private static ImmutableArray<(string Name, ImmutableArray<Weights> Networks)> Triples(MatchedPair matched)
    {
        ImmutableArray<(string Name, ImmutableArray<Weights> Networks)> all = [.. PairMethods.All.Where(m => m.Name is PairMethods.ZipIt or PairMethods.WeightZip or PairMethods.MudscZip).Select(method =>
        {
            UnitMaps maps = matched.Match(method.How).Result.Maps;
            ImmutableArray<Weights> sides = [.. matched.Models.Weights.Select((weights, i) => Rearrangement.Apply(maps, i, weights))];
            return (method.Name, (ImmutableArray<Weights>)[sides[0], Rearrangement.Merge(maps, matched.Models), sides[1]]);
        })];
        Weights reference = all[0].Networks[0];
        return [all[0], .. all.Skip(1).Select(method => (method.Name, InOrderOf(reference, method.Networks, matched)))];
    }

    private static ImmutableArray<Weights> InOrderOf(Weights reference, ImmutableArray<Weights> networks, MatchedPair matched)
    {
        UnitMaps maps = UnitAlignment.Run(new(matched.Models.Groups, [reference, networks[0]]), new() { Space = MatchingSpace.Weights }).Maps.Of(1);
        return [.. networks.Select(network => Rearrangement.Apply(maps, 0, network))];
    }

    /// <summary>The methods' networks, and what lies between those of MuDSC and of each other method.</summary>
    private static ImmutableArray<Weights> Dense(ImmutableArray<(string Name, ImmutableArray<Weights> Networks)> methods)
    {
        ImmutableArray<Weights> centre = methods.Single(m => m.Name == PairMethods.MudscZip).Networks;
        List<Weights> all = [.. methods.SelectMany(m => m.Networks)];
        foreach (var (_, other) in methods.Where(m => m.Name != PairMethods.MudscZip))
        {
            foreach (double ratio in Mixes)
            {
                Weights a = Mix(centre[0], other[0], ratio), b = Mix(centre[2], other[2], ratio);
                for (int k = 0; k <= Between + 1; k++) all.Add(Mix(a, b, k / (Between + 1.0)));
            }
        }

        return [.. all];
    }

    private static Dictionary<string, Tensor> Mix(Weights a, Weights b, double share) => a.ToDictionary(w => w.Key, w =>
    {
        Tensor mixed = w.Value.Copy();
        System.Numerics.Tensors.TensorPrimitives.Lerp(w.Value.Span, b[w.Key].Span, (float)share, mixed.Span);
        return mixed;
    });

    private static IEnumerable<LandscapeMark> Marks(WeightPlane plane, (string Name, ImmutableArray<Weights> Networks) method)
    {
        string[] labels = ["", method.Name, ""];
        for (int i = 0; i < 3; i++)
        {
            var (x, y, _) = plane.Project(method.Networks[i]);
            yield return new(x, y, labels[i], i == 1);
        }
    }

    private static TaskData Few(TaskData test)
    {
        Subset few = Subset.First(test.Data, TestSamples);
        return new(few, [.. test.Tasks.Select(task => task with { Labels = [.. task.Labels.Take(few.Count)] })]);
    }

    private static void Write(string path, ImmutableArray<LandscapePoint> near, ImmutableArray<LandscapePoint> on)
    {
        StringBuilder text = new("sampling,x,y,loss_a,loss_b\n");
        foreach (var (name, points) in new[] { ("near", near), ("on", on) })
        {
            foreach (LandscapePoint p in points) text.Append(CultureInfo.InvariantCulture, $"{name},{p.X:0.#####},{p.Y:0.#####},{p.Losses[0]:0.#####},{p.Losses[1]:0.#####}\n");
        }

        File.WriteAllText(path, text.ToString());
    }

    private sealed class Counter(MudscOptions options, string where, int total) : IProgress<int>
    {
        public void Report(int value)
        {
            if (value % 100 == 0) options.Line?.Invoke($"  {value} of {total} points {where}");
        }
    }
}
