using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Puts the methods to the test on pairs: each merge is measured on the test data once, and where there is a choice it is made on the calibration data.</summary>
internal sealed class PairTable(MethodLog log, MudscOptions options)
{
    /// <summary>Makes the rows of a pair that are not there yet.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="methods">The methods; null for all, where there is no batch normalisation also with repaired activations.</param>
    public void Run(ModelPair pair, IEnumerable<PairMethod>? methods = null)
    {
        Lazy<MatchedPair> matched = new(() => new(pair, options));
        Row(pair, PairMethods.Ensemble, () => pair.Ensemble(matched.Value.Parents, pair.Test, options.Cancel));
        for (int i = 0; i < pair.Parents.Length; i++)
        {
            int parent = i;
            Row(pair, $"model {(char)('A' + i)}", () => pair.Measure([.. Enumerable.Repeat(matched.Value.Parents[parent], pair.Networks)], pair.Test, options.Cancel));
        }

        bool hasNormalisations = pair.Parents[0].Nodes.Any(node => node.Op is BatchNormalization);
        foreach (PairMethod method in methods ?? (hasNormalisations ? PairMethods.All : PairMethods.All.AddRange(PairMethods.Repaired)))
        {
            if (!log.Has(pair.Table, pair.Name, method.Name)) Run(matched.Value, method);
        }
    }

    /// <summary>Makes the rows of ZipIt! up to a cut, with a head of each parent after it: one for each place where the network can be cut, of several behind one layer the last.</summary>
    public void RunPartial(ModelPair pair)
    {
        MatchedPair matched = new(pair, options);
        int layers = Layers(matched, pair.Parents[0].Parameters.Keys);
        AlignmentOptions how = PairMethods.All.Single(m => m.Name == PairMethods.ZipIt).How;
        foreach (var cut in PartialZip.Cuts(matched.Models.Groups).GroupBy(cut => Layers(matched, cut.Trunk)).Where(at => at.Key > 0 && at.Key < layers))
        {
            string method = $"{PairMethods.ZipIt}, heads after {cut.Key} of {layers} layers";
            Row(pair, method, () => pair.Measure([matched.Partial(matched.Match(how).Result.Maps, cut.Last())], pair.Test, options.Cancel));
        }
    }

    /// <summary>Layers are counted by their matrices and kernels.</summary>
    private static int Layers(MatchedPair matched, IEnumerable<string> parameters) => parameters.Count(name => matched.Models.Groups.Graph.Parameters[name].Shape.Rank > 1);

    private void Run(MatchedPair matched, PairMethod method)
    {
        long start = Stopwatch.GetTimestamp();
        (double Alpha, double Choice, ImmutableArray<Graph> Networks)? best = null;
        double seconds = 0;
        ImmutableArray<double> alphas = method.ChoosesAlpha ? options.Alphas : [method.How.Alpha];
        foreach (double alpha in alphas)
        {
            var (result, time) = matched.Match(method.How with { Alpha = alpha });
            seconds += time;
            ImmutableArray<Graph> networks = matched.Average(result.Maps, method.Repairs);
            double choice = alphas.Length == 1 ? double.NaN : matched.Pair.Measure(networks, matched.Pair.Calibration, options.Cancel).Average;
            if (best is null || choice > best.Value.Choice) best = (alpha, choice, networks);
        }

        TaskScores scores = matched.Pair.Measure(best!.Value.Networks, matched.Pair.Test, options.Cancel);
        string chosen = method.ChoosesAlpha ? FormattableString.Invariant($"alpha {best.Value.Alpha}") : "";
        Add(matched.Pair, method.Name, chosen, alphas.Length, best.Value.Choice, scores, seconds, Stopwatch.GetElapsedTime(start));
    }

    private void Row(ModelPair pair, string method, Func<TaskScores> measure)
    {
        if (log.Has(pair.Table, pair.Name, method)) return;
        long start = Stopwatch.GetTimestamp();
        Add(pair, method, "", 1, double.NaN, measure(), 0, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Adds a row of what a merge came to.</summary>
    public void Add(ModelPair pair, string method, string chosen, int tried, double choice, TaskScores scores, double seconds, TimeSpan whole)
    {
        MethodRow row = new(pair.Table, pair.Name, method, chosen, tried, choice, Figures(scores), seconds);
        log.Add(row);
        options.Line?.Invoke(FormattableString.Invariant($"{pair.Table}, {pair.Name}, {method}: {string.Join(", ", row.Test.Where(f => !f.Name.StartsWith("loss", StringComparison.Ordinal)).Select(f => FormattableString.Invariant($"{f.Name} {f.Value:0.00%}")))}{(chosen == "" ? "" : $" ({chosen})")}, {whole.TotalSeconds:0.0} s"));
    }

    /// <summary>Joint accuracy where every sample is of one task, each task's accuracy, their mean, and each task's loss; of one task its accuracy and loss.</summary>
    private static ImmutableArray<Figure> Figures(TaskScores scores) => scores.Tasks.Length == 1
        ? [new("accuracy", scores.Joint), new("loss", scores.Tasks[0].Loss)]
        : [.. double.IsNaN(scores.Joint) ? [] : new[] { new Figure("joint", scores.Joint) }, .. scores.Tasks.Select(t => new Figure(t.Name, t.Accuracy)), new("average", scores.Average), .. scores.Tasks.Select(t => new Figure($"loss {t.Name}", t.Loss))];
}
