using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Trained networks whose units are matched: opened, checked that their units are what they seem, matched, moved into one order, merged. The first network's order is everyone's.
/// </summary>
public sealed class NetworkAlignment : GivenNetworks
{
    private UnitMaps? _given;

    private NetworkAlignment(ParentModel[] models, AlignmentDescription how, RunData? data) : base(models, data, how.Data, how.ClassVectors, how.Tasks)
    {
        Description = how;
        if (how.Permutations is null) UnitAlignment.Check(how.Options);
        if (how.NeedsData && how.Data is null) throw new InvalidDataException($"{how.Method.Name}{(how.SearchesAlpha ? " with a search for alpha" : "")} looks at what units compute: name data like that which the networks were trained on ({string.Join(", ", AlignmentMethod.All.Where(m => !m.NeedsData).Select(m => m.Name))} need none)");
        foreach (ParentModel other in models[1..])
        {
            bool isAlike = other.Graph.Parameters.Select(p => (p.Key, p.Value.Shape)).ToHashSet().SetEquals(models[0].Graph.Parameters.Select(p => (p.Key, p.Value.Shape)));
            if (isAlike && GraphComparison.Difference(models[0].Graph, other.Graph) is { } difference)
                throw new GraphException($"{other.Path} is not the same network as {models[0].Path}: {difference}; units are matched of networks of one architecture");
        }

        _ = KindOfReset();
    }

    /// <summary>Opens networks.</summary>
    /// <param name="paths">Checkpoints, folders of runs, .onnx files, folders of Hugging Face; the first one's order of units is everyone's.</param>
    /// <param name="how">How they are matched.</param>
    /// <param name="cancel">Looked at while their units are checked.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, nothing says of which architecture it is, or data is needed and none is named.</exception>
    /// <exception cref="GraphException">The networks are of different architectures.</exception>
    public static NetworkAlignment Open(IReadOnlyList<string> paths, AlignmentDescription how, CancellationToken cancel = default) =>
        Open(paths, how, (i, data) => ParentModel.Open(paths[i], how.Model, AnyBatch, data), cancel);

    /// <summary>Opens networks.</summary>
    /// <param name="paths">Where they are.</param>
    /// <param name="how">How they are matched.</param>
    /// <param name="open">Opens one by its position, with the data whose shapes its inputs may take.</param>
    /// <param name="cancel">Looked at while their units are checked.</param>
    internal static NetworkAlignment Open(IReadOnlyList<string> paths, AlignmentDescription how, Func<int, Dataset?, ParentModel> open, CancellationToken cancel)
    {
        if (paths.Count < 2) throw new GraphException("units are matched of two networks or more; there is one");
        RunData? data = how.Data is { } described ? RunData.Open(paths.Aggregate(described with { Augmentation = described.Augmentation.Fixed }, ModelText.For)) : null;
        ParentModel[] models = [.. paths.Select((_, i) => open(i, data?.Train))];
        NetworkAlignment opened = new(models, how, data);
        UnitOptions options = new(Pins: how.Pins);
        opened.Time("self-check", () =>
        {
            opened.Check = SelfCheck.Run(UnitGroups.Of(models[0].Graph, options), options, cancel: cancel);
            opened.Siblings = new(opened.Check.Groups, models.Select(m => Siblings.WeightsOf(m.Graph)), opened.Names);
        });
        if (how.Permutations is { } file) opened._given = PermutationFile.Read(file, opened.Siblings.Groups, opened.Siblings.Count);
        if (opened.Check.Culprits.Count > 0) opened.Say($"moving {string.Join(", ", opened.Check.Culprits.Take(6))}{(opened.Check.Culprits.Count > 6 ? " ..." : "")} changed the outputs of {opened.Names[0]}, so {(opened.Check.Culprits.Count == 1 ? "it stays" : "they stay")} in place");
        foreach (var (model, name) in models.Zip(opened.Names).Skip(how.Options.Matching == UnitMatching.Zip ? 0 : 1))
        {
            if (NetworkFile.Unknown(model).ToArray() is { Length: > 0 } unknown)
                opened.Say($"{name} has tensors that the network which was built of it does not know: {string.Join(", ", unknown.Take(4))}{(unknown.Length > 4 ? " ..." : "")}; they are not moved, and do not fit the moved ones");
        }

        return opened;
    }

    /// <summary>How the networks are matched.</summary>
    public AlignmentDescription Description { get; }

    /// <summary>The networks and their units.</summary>
    public Siblings Siblings { get; private set; } = null!;

    /// <summary>Whether moving units leaves the first network's outputs alone.</summary>
    public SelfCheckResult Check { get; private set; } = null!;

    /// <summary>What was matched, once <see cref="Match"/> is done.</summary>
    public AlignmentResult Result { get; private set; } = null!;

    /// <summary>The alphas that were tried, the best first; empty without a search.</summary>
    public ImmutableArray<AlphaMerit> Tried { get; private set; } = [];

    /// <summary>The settings, with the alpha that was found.</summary>
    public AlignmentOptions Options => Tried.IsEmpty ? Description.Options : Description.Options with { Alpha = Tried[0].Alpha };

    /// <summary>Matches the units.</summary>
    /// <exception cref="GraphException">The data does not fit the networks.</exception>
    public void Match(IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        if (_given is not null) Result = Matched(Siblings, _given, Options, cancel);
        else if (Description.Method.NeedsLabels) Learn(progress, cancel);
        else if (Description.SearchesAlpha) SearchAlpha(progress, cancel);
        else Result = UnitAlignment.Run(Siblings, Options, Data?.Train, progress, cancel);
        Add(Result.Times);
    }

    /// <summary>Whether the first network's units are to move too, as far as that is known before the match.</summary>
    public bool WillMoveFirst => _given is not null ? !_given.Of(0).AreIdentity : Description.Options is { Matching: UnitMatching.Zip } or { Algorithm: AlignmentAlgorithm.MergeMany };

    /// <summary>Whether the first network's units moved too, as in zips: then all lie in the merged network's order.</summary>
    public bool MovesFirst => !Result.Maps.Of(0).AreIdentity;

    /// <summary>A network whose units are where they were matched to; of zipped ones, its share of the merged network, whose mean over all networks that is.</summary>
    public Graph Moved(int model) => With(Models[model].Graph, Rearrangement.Apply(Result.Maps, model, Siblings.Weights[model]));

    /// <summary>The mean of all networks by the units that were matched, with statistics reset.</summary>
    public Graph Merged(CancellationToken cancel = default)
    {
        Graph merged = null!;
        Time("merge", () => merged = Mean(Result.Maps));
        Time("reset", () => ResetText = Reset(merged, Result.Maps, cancel));
        return merged;
    }

    /// <summary>The networks merged up to a cut, with a head of each after it (ZipIt!'s partial zip).</summary>
    /// <param name="cut">Name of the value that the heads are computed from.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>A network with an output <c>NAME.network</c> for each network, where there are running statistics estimated anew.</returns>
    /// <exception cref="GraphException">The network cannot be cut there; where it can be is named.</exception>
    public Graph MergedUpTo(string cut, CancellationToken cancel = default)
    {
        Graph merged = null!;
        Time("merge", () => merged = CutAt(cut));
        if (KindOfReset() == StatisticsReset.BatchNorm) Time("reset", () => ResetText = Reset(StatisticsReset.BatchNorm, merged, Siblings, Result.Maps, Options, null, cancel));
        return merged;
    }

    /// <summary>The mean of all networks by the units that were matched, or of those that keep heads after a cut, with the statistics that averaging gives.</summary>
    internal Graph Unreset(string? cut) => cut is null ? Mean(Result.Maps) : CutAt(cut);

    /// <summary>The mean of all networks position by position.</summary>
    /// <param name="reset">Set its statistics anew, as those of what was merged.</param>
    /// <param name="cancel">Stops between operations.</param>
    public Graph PlainAverage(bool reset, CancellationToken cancel = default)
    {
        UnitMaps inPlace = UnitMaps.Identity(Siblings.Groups, Siblings.Count);
        Graph average = Mean(inPlace);
        if (reset) Reset(average, inPlace, cancel);
        return average;
    }

    private Graph Mean(UnitMaps maps) => With(Models[0].Graph, Rearrangement.Merge(maps, Siblings));

    private Graph CutAt(string cut) => PartialZip.Build(new(Siblings.Groups, Siblings.Weights, Stems.Select(stem => stem.Replace('.', '_'))), Result.Maps, PartialZip.Cut(Siblings.Groups, cut).Node);

    /// <summary>Writes a network that is of a model: an ONNX file, a file of weights, or a folder, as the path ends.</summary>
    /// <param name="network">The network.</param>
    /// <param name="model">Which model it is of: its tensors, their order and their types are the result's.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="overwrite">Replace what is there.</param>
    public void Save(Graph network, int model, string path, bool overwrite) => NetworkFile.Save(network, Models[model], path, overwrite);

    /// <summary>Names of files or folders for all networks but the first, in one folder: as the models are called, with the endings that they have.</summary>
    public ImmutableArray<string> FileNames()
    {
        ImmutableArray<string> stems = Stems;
        return [.. Models.Skip(1).Select((m, i) => NetworkFile.NameLike(m, stems[i + 1]))];
    }

    /// <summary>Whether networks that are merged of these have statistics that no mean of parameters gives, and there is data to estimate them on.</summary>
    public bool CanReset => KindOfReset() != StatisticsReset.None;

    /// <summary>Whether running statistics of batch normalisations are what is set anew.</summary>
    internal bool ResetsNormalisations => KindOfReset() == StatisticsReset.BatchNorm && Models[0].Graph.Nodes.Any(node => node.Op is BatchNormalization);

    /// <summary>What the figures of <see cref="ClassMatch"/> are.</summary>
    public string SimilarityName
    {
        get
        {
            AlignmentOptions options = Options;
            if (Description.Permutations is not null || Description.Method.NeedsLabels) return "correlation";
            SimilarityMeasure measure = options.Space == MatchingSpace.Activations ? options.ActivationMeasure : options.WeightMeasure;
            if (options.Space == MatchingSpace.Both && options.ActivationMeasure != measure) return "similarity";
            return measure switch { SimilarityMeasure.Cosine => "cosine", SimilarityMeasure.InnerProduct => "inner product", _ => "correlation" };
        }
    }

    /// <summary>Sets statistics of a merged network anew, in its parameters.</summary>
    /// <param name="merged">A network of the first one's parameters.</param>
    /// <param name="maps">Which units became one.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>What was done, in words.</returns>
    internal string Reset(Graph merged, UnitMaps maps, CancellationToken cancel) => Reset(KindOfReset(), merged, Siblings, maps, Options, null, cancel);

    /// <summary>A network of the first one's architecture, by a checkpoint that has its weights.</summary>
    /// <exception cref="InvalidDataException">A weight is missing, or of another shape.</exception>
    public Graph Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return With(Models[0].Graph, Models[0].Graph.Parameters.ToDictionary(p => p.Key, p =>
        {
            if (!checkpoint.TryFind(p.Key, out TensorEntry? tensor) || tensor.Shape != p.Value.Shape)
                throw new InvalidDataException($"{path} has no '{p.Key}' {p.Value.Shape}, so it is not the network that {Names[0]} is, and its statistics cannot be set anew; ask for no reset");
            Tensor value = new(tensor.Shape);
            GraphWeights.Read(tensor, value);
            return value;
        }, StringComparer.Ordinal));
    }

    /// <summary>A network that was merged up to a cut as it is measured: its heads together where each answers for a task, else each by itself.</summary>
    public ImmutableArray<Contestant> Heads(string name, Graph network) => Tasks.Length == network.Outputs.Count
        ? [new(name, network) { Heads = [.. network.Outputs.Keys] }]
        : [.. network.Outputs.Keys.Select(head => new Contestant($"{name}, output {head}", network, head))];

    private StatisticsReset KindOfReset() => KindOf(Description.Options.Reset);

    private void Learn(IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        Dataset data = ActivationStatistics.Calibration(Data!.Train!, Options);
        StraightThroughOptions options = new(Description.Epochs, Math.Min(data.Count, Options.Batch), Seed: Options.Seed);
        UnitMaps maps = UnitMaps.Identity(Siblings.Groups, Siblings.Count);
        for (int model = 1; model < Siblings.Count; model++)
        {
            Siblings pair = new(Siblings.Groups, [Siblings.Weights[0], Siblings.Weights[model]], [Names[0], Names[model]]);
            maps.Take(model, StraightThroughMatching.Run(pair, data, Loss, options, progress, cancel).Maps, 1);
        }

        Result = Matched(Siblings, maps, Options, cancel);
    }

    private void SearchAlpha(IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        Dataset data = ActivationStatistics.Calibration(Data!.Train!, Options);
        if (data.Labels.IsEmpty) throw new InvalidDataException($"alpha is chosen by how many samples are right, and {data.Name} has no labels; name an alpha");
        AlphaChoice choice = AlphaSearch.Run(Siblings, Options, Data.Train!, network => Merit(network, data, cancel), null, progress, cancel);
        (Result, Tried) = (choice.Alignment, choice.Tried);
    }

    /// <summary>The mean of the tasks' accuracies; without tasks, the accuracy.</summary>
    private double Merit(Graph network, Dataset data, CancellationToken cancel)
    {
        IReadOnlyList<Measure> measures = Contestant.Measure([Scored(new("", network))], data, Options.Batch, [.. Tasks.Select(task => task.ToArray())], cancel: cancel)[0].Measures;
        return (measures.FirstOrDefault(m => m.Name == Measure.Average) ?? measures[0]).Value;
    }

    /// <summary>Maps that came from elsewhere, with what they come to.</summary>
    internal static AlignmentResult Matched(Siblings siblings, UnitMaps maps, AlignmentOptions options, CancellationToken cancel) =>
        UnitAlignment.Match(siblings, options with { Algorithm = AlignmentAlgorithm.Sweeps, Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.Pearson, MostSweeps = 0 }, null, maps, cancel: cancel);
}
