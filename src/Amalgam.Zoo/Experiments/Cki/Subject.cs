using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>Which parameters are spliced.</summary>
/// <param name="Name">What tables call them.</param>
/// <param name="Includes">Whether a parameter of that name is one.</param>
internal sealed record Scope(string Name, Func<string, bool> Includes)
{
    private const string AllMatrices = "all matrices";

    /// <summary>Whether it is all matrices.</summary>
    public bool IsAll => Name == AllMatrices;

    /// <summary>All matrices and kernels of networks of an architecture; their vectors, such as biases, are no part of it.</summary>
    public static Scope MatricesOf(Architecture architecture)
    {
        HashSet<string> names = [.. architecture.Build(1, null).Parameters.Where(p => p.Value.Shape.Rank > 1).Select(p => p.Key)];
        return new(AllMatrices, names.Contains);
    }
}

/// <summary>What the networks of an experiment learn, how, and what they are measured by.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="Architecture">The networks.</param>
/// <param name="Loss">What they minimise.</param>
/// <param name="Figures">What they are measured by.</param>
/// <param name="Train">Samples to learn from.</param>
/// <param name="Validation">Samples that every choice is made by.</param>
/// <param name="Test">Samples that results are of, and no choice.</param>
internal sealed record Subject(string Name, Architecture Architecture, Loss Loss, Figures Figures, Dataset Train, Dataset Validation, Dataset Test)
{
    /// <summary>The architecture as run descriptions name it.</summary>
    public required string Model { get; init; }

    /// <summary>The same network with a head that is made for each sample; null where there is none.</summary>
    public Architecture? Dynamic { get; init; }

    /// <summary>A checkpoint that is model A of every pair; null where model A is trained here.</summary>
    public string? Published { get; init; }

    /// <summary>What the samples were drawn from.</summary>
    public required (Dataset Train, Dataset Validation, Dataset Test) Whole { get; init; }

    /// <summary>Which matrices are spliced; several are several variants.</summary>
    public required ImmutableArray<Scope> Scopes { get; init; }

    /// <summary>How they are trained; epochs and seed are set where it is used.</summary>
    public required TrainingOptions Training { get; init; }

    /// <summary>Passes of the networks that are integrated.</summary>
    public required int Epochs { get; init; }

    /// <summary>Passes of networks whose head is made for each sample.</summary>
    public int DynamicEpochs { get; init; }

    /// <summary>Passes of what is learned afterwards.</summary>
    public required int MoreEpochs { get; init; }

    /// <summary>What decides, beside its first weights and its own training, what a network becomes: networks of another description are not taken over.</summary>
    public string NetworkDescription =>
        $"{(Published is null ? "" : "one published; ")}{Model}; {Loss}; {Train.Count} samples of {Train.Name}, {Validation.Count} of {Validation.Name}; "
        + FormattableString.Invariant($"{Training.Rule}, rate {Training.Rate}, {Training.Schedule}, batch {Training.Batch}; parents of {Epochs} epochs");

    /// <summary>What decides on results: rows of another description are not taken over.</summary>
    public string Description => FormattableString.Invariant($"{NetworkDescription}, {MoreEpochs} more; tested on {Test.Count} samples of {Test.Name}; spliced {string.Join(" or ", Scopes.Select(Counted))}");

    /// <summary>A network as it begins.</summary>
    public Graph Build(long seed) => Architecture.Build(1, seed);

    /// <summary>A network with the weights of another one.</summary>
    public Graph Copy(Graph network) => With(name => network.Parameters[name].Value!);

    /// <summary>A network with given weights.</summary>
    /// <param name="weight">The tensor of a parameter of that name, which is copied.</param>
    public Graph With(Func<string, Tensor> weight) => With(Architecture, weight);

    /// <summary>A network of an architecture with given weights.</summary>
    public static Graph With(Architecture architecture, Func<string, Tensor> weight)
    {
        Graph network = architecture.Build(1, null);
        foreach (var (name, node) in network.Parameters) weight(name).Span.CopyTo(node.Value!.Span);
        return network;
    }

    /// <summary>A network with the weights of a checkpoint.</summary>
    public Graph Read(string path)
    {
        Graph network = Architecture.Build(1, null);
        using Checkpoint checkpoint = Checkpoint.Open(path);
        GraphWeights.Load(network, checkpoint);
        return network;
    }

    private string Counted(Scope scope) => FormattableString.Invariant($"{scope.Name} ({Architecture.Build(1, null).Parameters.Keys.Count(scope.Includes)} weights)");

    /// <summary>Some of the samples of a data set, drawn once for all; all of them where no number is given or there are no more.</summary>
    public static Dataset Some(Dataset data, int? count) => count is { } few && few < data.Count ? Subset.Split(data, few, 0).Second : data;
}
