using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Zoo.Experiments.Cki;
using CkiMethods = Amalgam.Zoo.Experiments.Cki.Methods;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>
/// Does matching units help CKI? The recommenders of table 1 of CKI's paper, from two initialisations: average, closed form and learned splice of B as it is and of B in A's order.
/// Every choice is made on validation data.
/// </summary>
internal sealed class DinMatching(MethodLog log, MudscOptions options, string folder)
{
    private const int Seeds = 3;
    private const string InPlace = "units in place", Ensemble = "ensemble";

    private static readonly ImmutableArray<string> Datasets = ["douban-music", "beauty"];

    private static readonly ImmutableArray<PairMethod> Matchings =
    [
        new(InPlace, new() { Space = MatchingSpace.None }),
        new(PairMethods.WeightMatching, new() { Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct }),
        new(PairMethods.ActivationAlign, new() { Space = MatchingSpace.Activations }),
        new(PairMethods.MudscAlign, new()),
    ];

    private static readonly ImmutableArray<string> Merged =
        [CkiMethods.InAll(CkiMethods.Averaging), "averaging (head)", "CKI, closed form (all)", "CKI, closed form (head)", "CKI, splice trained (head)"];

    /// <summary>What matching is worth to each method.</summary>
    public static IEnumerable<(string Method, string From)> Claims =>
        from merge in Merged from matching in Matchings.Skip(1) select (Label(merge, matching.Name), Label(merge, InPlace));

    /// <summary>Makes the rows that are not there yet.</summary>
    public void Run()
    {
        foreach (string dataset in Datasets)
        {
            CkiOptions cki = new() { Table = 1, Dataset = dataset, Epochs = options.Epochs, Folder = options.Folder, Overwrite = options.Overwrite, Cancel = options.Cancel, Training = options.Training, Line = options.Line };
            Subject subject = ClickSetting.Open(cki);
            TrainedNetworks networks = new(subject, cki);
            for (int seed = 1; seed <= Math.Min(Seeds, options.Pairs ?? Seeds); seed++) Run(new(subject, networks, cki, new(subject, networks, CkiStart.Other, seed)));
        }
    }

    private void Run(Case of)
    {
        Row(of, CkiMethods.A, () => [new("", () => [of.Pair.A])]);
        Row(of, CkiMethods.B, () => [new("", () => [of.Pair.B])]);
        Row(of, Ensemble, () => [new("", () => [of.Pair.A, of.Pair.B])]);
        foreach (PairMethod matching in Matchings)
        {
            Lazy<Graph> b = new(() => of.Aligned(matching.How, options));
            Lazy<Merges> merges = new(() => of.Merges(b.Value, matching.Name.Replace(' ', '-'), folder));
            Scope head = of.Subject.Scopes[0], all = Scope.MatricesOf(of.Subject.Architecture);
            Row(of, Label(Merged[0], matching.Name), () => [merges.Value.Averaging()]);
            Row(of, Label(Merged[1], matching.Name), () => [merges.Value.Averaging(head)]);
            Row(of, Label(Merged[2], matching.Name), () => merges.Value.ClosedForm(all));
            Row(of, Label(Merged[3], matching.Name), () => merges.Value.ClosedForm(head));
            Row(of, Label(Merged[4], matching.Name), () => CkiMethods.Splices.Select(splice => Candidate.Of(() => of.Learn(b.Value, splice, matching.Name), splice == CkiSplice.Soft ? "soft" : "hard")));
        }
    }

    private void Row(Case of, string method, Func<IEnumerable<Candidate>> candidates)
    {
        string pair = $"seed {of.Pair.Seed}";
        if (log.Rows.Any(row => row.Table == of.Subject.Name && row.Pair == pair && row.Method == method)) return;
        long start = Stopwatch.GetTimestamp();
        Figures figures = of.Subject.Figures;
        (string Label, double Merit, ImmutableArray<Graph> Networks)? best = null;
        int tried = 0;
        foreach (Candidate candidate in candidates())
        {
            ImmutableArray<Graph> networks = candidate.Make();
            double merit = figures.Of(networks, of.Subject.Validation, options.Cancel)[figures.MeritIndex];
            if (best is null || merit > best.Value.Merit) best = (candidate.Label, merit, networks);
            tried++;
        }

        ImmutableArray<double> test = figures.Of(best!.Value.Networks, of.Subject.Test, options.Cancel);
        log.Add(new(of.Subject.Name, pair, method, best.Value.Label, tried, best.Value.Merit, [.. figures.Names.Zip(test, (name, value) => new Figure(name, value))], Stopwatch.GetElapsedTime(start).TotalSeconds));
        options.Line?.Invoke(FormattableString.Invariant($"{of.Subject.Name}, {pair}, {method}: {figures.Merit} {test[figures.MeritIndex]:0.0000}{(best.Value.Label == "" ? "" : $" ({best.Value.Label})")}"));
    }

    private static string Label(string merge, string matching) => $"{merge}, {matching}";

    /// <summary>A pair of recommenders.</summary>
    private sealed record Case(Subject Subject, TrainedNetworks Networks, CkiOptions Cki, StaticPair Pair)
    {
        /// <summary>Model B with its units in model A's order.</summary>
        public Graph Aligned(AlignmentOptions how, MudscOptions options)
        {
            if (how.Space == MatchingSpace.None) return Pair.B;
            Siblings models = new(SelfCheck.Run(UnitGroups.Of(Pair.A), cancel: options.Cancel).Groups, [Siblings.WeightsOf(Pair.A), Siblings.WeightsOf(Pair.B)]);
            Dataset calibration = Subset.First(Subject.Train, options.Calibration);
            UnitMaps maps = UnitAlignment.Run(models, how with { Samples = options.Calibration }, calibration, cancel: options.Cancel).Maps;
            var moved = Rearrangement.Apply(maps, 1, models.Weights[1]);
            return Subject.With(name => moved[name]);
        }

        public Merges Merges(Graph b, string name, string folder)
        {
            string label = $"{Subject.Name}-{Pair.Label}-{name}";
            return new(Subject, Pair.A, Pair.PathOfA, Networks.Keep($"b-{Pair.Label}-{name}", b), null, Path.Combine(folder, "merged", label), new() { Seed = Pair.Seed, Parallel = new() { CancellationToken = Cki.Cancel } });
        }

        public Graph Learn(Graph b, CkiSplice splice, string name)
        {
            Integration integration = new([Pair.A, b], new LearnedCki(new Merging.Cki(splice)), new() { Include = Subject.Scopes[0].Includes, Seed = Pair.Seed });
            Networks.Train($"cki-{Pair.Label}-head-{(splice == CkiSplice.Soft ? "soft" : "hard")}-{name.Replace(' ', '-')}", integration.Graph, Subject.MoreEpochs, Pair.LaterOrder);
            return integration.Bake();
        }
    }
}
