using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Trained networks of perhaps other depths and widths that become one (CLAFusion): opened, their layers matched and balanced, their units transported or matched, merged. One of them is the
/// reference: the result has its widths, and its name for every weight.
/// </summary>
public sealed class NetworkFusion : GivenNetworks
{
    private readonly List<BalancedPair> _pairs = [];
    private readonly List<FusionStep> _steps = [];
    private FusedForm? _form;

    private NetworkFusion(ParentModel[] models, FusionDescription how, RunData? data) : base(models, data, how.Data, how.ClassVectors, how.Tasks)
    {
        Description = how;
        CheckSettings(models, how, hasData: data is not null);
        bool canReset = KindOf(how.Reset) != StatisticsReset.None;
        for (int i = 1; i < models.Length; i++) CheckSides(models[0].Graph, models[i].Graph, i);
        NetworkLayers[] layers = [.. models.Select(m => NetworkLayers.Of(m.Graph))];
        Reference = how.Reference is { } path ? IndexOf(path) : ReferenceOf([.. layers.Select(l => l.Layers.Length)]);
        if (data is null) Description = how with { Layers = how.Layers with { Measure = MeasureWithoutData(layers) } };
        if (how.DataNote is { } note) Say(note);
        if (how.Reset == StatisticsReset.Auto && !canReset)
            Say(HasNormalisations ? "no data is named, so statistics of batch normalisations stay means of both networks', which say nothing of the fused one: estimate them anew before it is used" : "no data is named, so layers of the fused network are not repaired (REPAIR), which would make it better");
    }

    /// <summary>Opens networks.</summary>
    /// <param name="paths">Checkpoints, folders of runs, .onnx files, folders of Hugging Face.</param>
    /// <param name="how">How they are fused.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, nothing says of which architecture it is, settings do not go together, or data is needed and none is named.</exception>
    /// <exception cref="GraphException">The networks do not read and give the same, or one has no layers that could be matched.</exception>
    public static NetworkFusion Open(IReadOnlyList<string> paths, FusionDescription how) => Open(paths, how, (i, data) => ParentModel.Open(paths[i], how.ModelOf(i), AnyBatch, data));

    /// <summary>Opens networks.</summary>
    /// <param name="paths">Where they are.</param>
    /// <param name="how">How they are fused.</param>
    /// <param name="open">Opens one by its position, with the data whose shapes its inputs may take.</param>
    internal static NetworkFusion Open(IReadOnlyList<string> paths, FusionDescription how, Func<int, Dataset?, ParentModel> open)
    {
        if (paths.Count < 2) throw new GraphException("networks are fused of two or more; there is one");
        if (how.Models.Length > 1 && how.Models.Length != paths.Count) throw new InvalidDataException($"there are {how.Models.Length} architectures for {paths.Count} networks; name one for all, or one for each in their order");
        RunData? data = how.Data is { } described ? OpenData(paths.Aggregate(described with { Augmentation = described.Augmentation.Fixed }, ModelText.For)) : null;
        return new([.. paths.Select((_, i) => open(i, data?.Train)).Select(model => model with { Graph = Rewrite.Simplify(model.Graph).Graph })], how, data);
    }

    /// <summary>The data; where networks learned from parts of it, what they became is measured on test samples of all classes.</summary>
    private static RunData OpenData(DataDescription data)
    {
        RunData opened = RunData.Open(data);
        return opened.Test is null || data.Part is null ? opened : opened with { Test = RunData.OpenTest(data with { Part = null }) };
    }

    /// <summary>How the networks are fused.</summary>
    public FusionDescription Description { get; }

    /// <summary>Number of the network whose widths the result has.</summary>
    public int Reference { get; }

    /// <summary>Networks whose layers are balanced, once <see cref="Balance"/> is done.</summary>
    public ImmutableArray<BalancedPair> Pairs => [.. _pairs];

    /// <summary>What is of other widths in balanced networks, in words; null where all are of one width.</summary>
    internal string? Widths => _pairs.Where(pair => pair.Odd is not null).Select(pair => $"'{pair.Odd!.Value.A.Name}' is {pair.Odd.Value.A.Shape} in {pair.Source} and {pair.Odd.Value.B.Shape} in {pair.Reference}").FirstOrDefault();

    /// <summary>What was matched, a step for each network that was brought to another.</summary>
    public ImmutableArray<FusionStep> Steps => [.. _steps];

    /// <summary>Weight of the reference in the mean: of more than two networks that are fused at once as much as each other, unless something else is asked for.</summary>
    public double Lambda => Description.Lambda ?? (Description.Iterative ? 0.5 : 1.0 / Models.Count);

    /// <summary>Whether statistics of the result are set anew, as far as that is asked for and there is data.</summary>
    public bool CanReset => KindOf(Description.Reset) != StatisticsReset.None;

    /// <summary>Matches layers and balances them, so that the structure of the result is known. Networks that are fused one after the other are balanced as their turn comes.</summary>
    /// <exception cref="GraphException">The layers of two networks do not correspond, or the data does not fit.</exception>
    public void Balance(IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        if (Description.Iterative || _pairs.Count > 0) return;
        foreach (int other in Others)
        {
            BalancedPair pair = Balanced(other, (Names[Reference], Models[Reference].Graph), progress, cancel);
            if (Models.Count > 2) CheckReference(pair);
            _pairs.Add(pair);
        }
    }

    /// <summary>Matches layers, balances them and brings units together.</summary>
    /// <exception cref="GraphException">The layers or units of two networks do not correspond, or the data does not fit.</exception>
    public void Match(IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        Balance(progress, cancel);
        (string Name, Graph Graph) reference = (Names[Reference], Models[Reference].Graph);
        foreach (var (i, other) in Others.Index())
        {
            BalancedPair pair = Description.Iterative ? Balanced(other, reference, progress, cancel) : _pairs[i];
            Time(Phase("match", other), () => _steps.Add(FusionStep.Run(pair, Description, Data?.Train, Loss, progress, cancel)));
            if (_steps[^1].Units.Where(units => !units.Converged).ToArray() is [var first, .. var rest])
                Say($"the transport of {first.Name}{(rest.Length > 0 ? $" and {rest.Length} more" : "")} was stopped before it converged: a stronger entropy (sinkhorn) takes fewer rounds");
            if (Description.Iterative && i + 2 < Models.Count) reference = ("what was fused before", With(pair.Balanced.B, Combine([_steps[^1]])));
        }
    }

    /// <summary>The network that comes of all, with statistics reset.</summary>
    public Graph Merged(CancellationToken cancel = default)
    {
        Graph merged = null!;
        Time("merge", () => merged = Unreset());
        if (CanReset) Time("reset", () => ResetText = Reset(merged, weighted: Description.Merge is null, cancel));
        return merged;
    }

    /// <summary>The values that differ in a merged network once its statistics are set anew.</summary>
    /// <param name="path">The checkpoint that was merged of balanced networks.</param>
    /// <param name="cancel">Stops between operations.</param>
    internal IReadOnlyDictionary<string, Tensor> Reset(string path, CancellationToken cancel)
    {
        Graph merged = Form.Read(path);
        Dictionary<string, Tensor> before = merged.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Copy(), StringComparer.Ordinal);
        Time("reset", () => ResetText = Reset(merged, weighted: false, cancel));
        return Form.Named(merged.Parameters.Where(p => !p.Value.Value!.Span.SequenceEqual(before[p.Key].Span)).ToDictionary(p => p.Key, p => p.Value.Value!, StringComparer.Ordinal));
    }

    /// <summary>A network of the result's structure, by a checkpoint that has its weights.</summary>
    /// <exception cref="InvalidDataException">A weight is missing, or of another shape.</exception>
    public Graph Read(string path) => Form.Read(path);

    /// <summary>The network that comes of all, with the statistics that averaging gives.</summary>
    internal Graph Unreset() => Of(Combine(Description.Iterative ? [_steps[^1]] : [.. _steps]));

    /// <summary>The mean of the networks once their layers are balanced, their units in the places where they came; null where their widths differ or there are more than two.</summary>
    internal Graph? InPlace() => _steps is [{ Pair: { InPlace: { } weights } only }] ? Of(Weighted.Mean([Siblings.WeightsOf(only.Balanced.B), weights], SharesOf(2, 0.5))) : null;

    /// <summary>
    /// Networks of other widths than the reference alone in its widths, as they go into the merge, with batch normalisations estimated anew where those of the result are: what is lost by the transport, and what by the
    /// mean.
    /// </summary>
    internal IEnumerable<Contestant> Transported(CancellationToken cancel)
    {
        if (Description.Iterative) yield break;
        foreach (FusionStep step in _steps.Where(step => step.Pair.Odd is not null))
        {
            Graph network = Of(step.Siblings.Weights[1].ToDictionary(w => w.Key, w => w.Value.Copy(), StringComparer.Ordinal));
            bool resets = KindOf(Description.Reset) == StatisticsReset.BatchNorm;
            if (resets) Reset(StatisticsReset.BatchNorm, network, step.Siblings, UnitMaps.Identity(step.Siblings.Groups, 2), Description.Alignment, null, cancel);
            yield return new($"{step.Pair.Source} in the widths of {step.Pair.Reference}{(resets ? NetworkScores.ResetEnding : "")}", network);
        }
    }

    /// <summary>A network of the result's structure.</summary>
    internal Graph Of(IReadOnlyDictionary<string, Tensor> weights) => With(Structure, weights);

    /// <summary>A network of the result's structure, known once layers are balanced: the reference with as many layers as the result has.</summary>
    internal Graph Structure => (_steps.Count > 0 ? _steps[^1].Pair : _pairs[^1]).Balanced.B;

    /// <summary>A network in the result's layers and widths, as it goes into the merge.</summary>
    /// <param name="model">Which network.</param>
    internal Graph Moved(int model) => Of(model == Reference ? _steps[^1].Siblings.Weights[0] : _steps[Array.IndexOf(Others, model)].Siblings.Weights[1]);

    /// <summary>Refuses a place that the fused network cannot be written to, once layers were balanced.</summary>
    /// <exception cref="GraphException">Weights alone would not say what network they are of.</exception>
    public void CheckForm(string path) => Form.Check(path);

    /// <summary>Writes a network of the result's structure: an ONNX file, a file of weights, or a folder, as the path ends.</summary>
    /// <exception cref="GraphException">An operation has no ONNX form, or weights alone would not say what network they are of.</exception>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public void Save(Graph network, string path, bool overwrite) => Form.Save(network, path, overwrite);

    /// <summary>The architecture of the Zoo that the result is of, as the command line names it; null where it has no name.</summary>
    public string? Architecture => Form.Architecture;

    /// <summary>How networks of the result's structure are written.</summary>
    internal FusedForm Form => _form ??= FusedForm.Of(Structure, Models, Reference);

    /// <summary>The reference, and all others in its widths.</summary>
    private Siblings Together
    {
        get
        {
            Siblings last = _steps[^1].Siblings;
            return Description.Iterative || _steps.Count == 1 ? last : new(last.Groups, [last.Weights[0], .. InOrder(_steps).Select(step => step.Siblings.Weights[1])], [last.Names[0], .. InOrder(_steps).Select(step => step.Pair.Source)]);
        }
    }

    private string Reset(Graph merged, bool weighted, CancellationToken cancel)
    {
        Siblings parents = Together;
        return Reset(KindOf(Description.Reset), merged, parents, UnitMaps.Identity(parents.Groups, parents.Count), Description.Alignment, weighted ? SharesOf(parents.Count) : null, cancel);
    }

    private int[] Others => [.. Enumerable.Range(0, Models.Count).Where(i => i != Reference)];

    private BalancedPair Balanced(int other, (string Name, Graph Graph) reference, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        BalancedPair pair = null!;
        Time(Phase("layers", other), () => pair = BalancedPair.Of((Names[other], Models[other].Graph), reference, Description, Data?.Train, progress, cancel));
        foreach (string note in pair.Balanced.Notes) Say(note);
        return pair;
    }

    private string Phase(string what, int other) => Models.Count == 2 ? what : $"{what} {Names[other]}";

    private IReadOnlyDictionary<string, Tensor> Combine(IReadOnlyList<FusionStep> steps)
    {
        IReadOnlyDictionary<string, Tensor> reference = steps[^1].Siblings.Weights[0];
        IReadOnlyDictionary<string, Tensor>[] others = [.. steps.Select(step => step.Siblings.Weights[1])];
        if (Description.Merge is not { } method) return Weighted.Mean([reference, .. InOrder(steps).Select(step => step.Siblings.Weights[1])], SharesOf(others.Length + 1));
        int place = steps.Count == Models.Count - 1 ? Reference : others.Length;
        return new FusedMerge(method).Run(steps[^1].Pair.Balanced.B, others, reference, place);
    }

    /// <summary>Networks that count alike, in an order that is theirs and not the user's: sums are then the same to the last bit.</summary>
    private IEnumerable<FusionStep> InOrder(IReadOnlyList<FusionStep> steps) => steps.Count == 1 ? steps : steps.OrderBy(step => Models[Names.IndexOf(step.Pair.Source)].Digest, StringComparer.Ordinal);

    /// <summary>How much each network counts in a mean, the reference first.</summary>
    private double[] SharesOf(int networks, double? lambda = null) => [lambda ?? Lambda, .. Enumerable.Repeat((1 - (lambda ?? Lambda)) / (networks - 1), networks - 1)];

    /// <summary>Refuses settings that do not go together, before any work.</summary>
    private static void CheckSettings(ParentModel[] models, FusionDescription how, bool hasData)
    {
        if (how.Lambda is { } lambda && lambda is not (>= 0 and <= 1)) throw new InvalidDataException($"lambda, the weight of the reference, must be a number from 0 to 1, got {lambda}");
        if (how.Lambda is not null && how.Merge is not null) throw new InvalidDataException("lambda weighs networks in a mean; a merge method has weights of its own, so name one of the two");
        if (how.Match.Zips && (how.Lambda is not null || how.Merge is not null)) throw new InvalidDataException($"{how.Match.Name} merges units of both networks into those of one, so there is nothing left for {(how.Merge is null ? "lambda" : "a merge method")}; match them one with one");
        if (how.Match.Zips && models.Length > 2 && !how.Iterative) throw new InvalidDataException($"{how.Match.Name} moves the reference's units too, so more than two networks are fused with it one after the other only: iterative");
        if (how.Balance.Gate is not null && !hasData) throw new InvalidDataException($"{how.Balance.Word} looks at what units compute to merge layers: name data like that which the networks were trained on (--data NAME)");
        if (how.ComparesActivations && !hasData) throw new InvalidDataException($"{how.Match.Name} looks at what units compute: name data like that which the networks were trained on (--data NAME){(how.Match.Units is null ? ", or compare weights and widths, which need none (--ground weights --layers width)" : "")}");
        if (how.Merge is { } method) new FusedMerge(method).Check(models[0].Graph, how.Iterative ? 2 : models.Length);
    }

    /// <summary>Networks of one depth have but one mapping, whatever it is found by; others are compared by what needs no data.</summary>
    private LayerMeasure MeasureWithoutData(NetworkLayers[] networks)
    {
        LayerMeasure asked = Description.Layers.Measure;
        string Depths(int network) => string.Join(", ", networks[network].Groups.Select(group => group.Count));
        int other = asked == LayerMeasure.Width ? -1 : Enumerable.Range(0, networks.Length).Select(i => Depths(i) == Depths(Reference) ? -1 : i).Max();
        if (other < 0) return LayerMeasure.Width;
        throw new InvalidDataException($"{Names[other]} and {Names[Reference]} have other numbers of layers, and {FusionWords.Measures.Of(asked)} looks at what layers compute: name data like that which the networks were trained on, or match layers by width (--layers width, in a recipe layers: width)");
    }

    /// <summary>Of two networks the shallower one, else the one with fewer weights, else the second. Of more the deepest, which the others reach by more layers, or the shallowest where layers are merged.</summary>
    private int ReferenceOf(int[] depths)
    {
        long[] sizes = [.. Models.Select(m => m.Graph.Parameters.Values.Sum(p => p.Shape.Count))];
        IEnumerable<int> all = Enumerable.Range(0, depths.Length);
        bool isDeepest = depths.Length > 2 && Description.Balance.Gate is null && !Description.Iterative;
        return isDeepest ? all.OrderByDescending(i => depths[i]).First() : all.OrderBy(i => depths[i]).ThenBy(i => sizes[i]).ThenByDescending(i => i).First();
    }

    private int IndexOf(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        int at = Models.ToList().FindIndex(m => Path.TrimEndingDirectorySeparator(Path.GetFullPath(m.Path)) == full || Path.GetFullPath(m.File) == full);
        return at >= 0 ? at : throw new InvalidDataException($"the reference {Nearest.Quote(path)} is none of the networks: {string.Join(", ", Models.Select(m => m.Path))}");
    }

    /// <summary>Refuses a network that more than two cannot be brought to at once: it would become another one for each of them.</summary>
    private void CheckReference(BalancedPair pair)
    {
        bool adds = Description.Balance.Gate is null;
        if (pair.Layers.Groups.FirstOrDefault(g => adds ? g.AIsDeeper : g.BIsDeeper) is not { } group) return;
        throw new GraphException($"{pair.Source} has {group.A.Count} layers in {group.A.Name} and the reference {pair.Reference} {group.B.Count}: with more than two networks none may have {(adds ? "more" : "fewer")} layers than the reference, so name another one or fuse them one after the other (iterative)");
    }

    private void CheckSides(Graph first, Graph other, int number)
    {
        static string Inputs(Graph graph) => string.Join(", ", graph.Inputs.Values.Select(input => Sample(input.Shape)));
        static string Outputs(Graph graph) => string.Join(", ", graph.Outputs.Values.Select(output => Sample(output.Shape)));
        static string Sample(Shape shape) => shape.Rank == 0 ? "one number" : $"[{string.Join(',', shape.Sizes.ToArray().Skip(1))}]";
        if (Inputs(first) != Inputs(other)) throw new GraphException($"{Names[0]} reads {Inputs(first)} of a sample and {Names[number]} {Inputs(other)}; networks to fuse read the same");
        if (Outputs(first) != Outputs(other)) throw new GraphException($"{Names[0]} gives {Outputs(first)} for a sample and {Names[number]} {Outputs(other)}; networks to fuse answer for the same classes in the same order");
    }
}
