using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Samples, and the tasks that networks are measured by on them.</summary>
/// <param name="Data">The samples.</param>
/// <param name="Tasks">The tasks, one for each network where the networks learned different ones.</param>
internal sealed record TaskData(Dataset Data, ImmutableArray<EvaluationTask> Tasks)
{
    /// <summary>Samples whose classes are divided into tasks.</summary>
    public static TaskData Of(Dataset data, params ReadOnlySpan<(string Name, int[] Classes)> tasks)
    {
        List<EvaluationTask> all = [];
        foreach (var (name, classes) in tasks) all.Add(EvaluationTask.Of(name, classes, data.Labels));
        return new(data, [.. all]);
    }
}

/// <summary>Two networks that were trained apart, and what they are worth before and after a merge.</summary>
/// <param name="Table">The table that it belongs to: pairs of one table are averaged.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="Parents">The networks.</param>
/// <param name="Calibration">Samples that every choice and estimate is made on.</param>
/// <param name="Test">Samples that results are of, and no choice.</param>
internal sealed record ModelPair(string Table, string Name, ImmutableArray<Graph> Parents, TaskData Calibration, TaskData Test)
{
    /// <summary>Samples at a time.</summary>
    public const int Batch = 250;

    /// <summary>Of networks that give embeddings, a vector for each class.</summary>
    public Tensor? Vectors { get; init; }

    /// <summary>Parameters of the last layers that every task keeps for itself, so that there is one network for each task; empty for one network for all.</summary>
    public ImmutableArray<string> Heads { get; init; } = [];

    /// <summary>Number of networks that a merge gives.</summary>
    public int Networks => Heads.IsEmpty ? 1 : Test.Tasks.Length;

    /// <summary>What networks are worth.</summary>
    /// <param name="networks">One for all tasks, which may have a head for each, or one for each.</param>
    /// <param name="on">The samples.</param>
    /// <param name="cancel">Stops between operations.</param>
    public TaskScores Measure(IReadOnlyList<Graph> networks, TaskData on, CancellationToken cancel = default)
    {
        if (networks.Count == 1 && Contestant.HeadsOf(networks[0]) is { IsEmpty: false } heads)
            return TaskScores.OfHeads([.. heads.Select((head, t) => OfTask(Scores(networks[0], on.Data, cancel, head), on.Tasks[t]))], on.Tasks);
        if (networks.Count == 1) return TaskScores.Of(Scores(networks[0], on.Data, cancel), on.Tasks);
        return TaskScores.OfHeads([.. networks.Select((network, t) => OfTask(Scores(network, on.Data, cancel), on.Tasks[t]))], on.Tasks);
    }

    /// <summary>What the parents are worth together: each answers for its own task, or, where they learned one task, their scores are added.</summary>
    public TaskScores Ensemble(IReadOnlyList<Graph> parents, TaskData on, CancellationToken cancel = default)
    {
        if (on.Tasks.Length > 1) return Measure(parents, on, cancel);
        return TaskScores.Of(Runs.Measure.Sum([.. parents.Select(parent => Scores(parent, on.Data, cancel))]), on.Tasks);
    }

    /// <summary>A network has scores for all classes, or, where data sets were joined, for those of its own alone.</summary>
    private static Tensor OfTask(Tensor scores, EvaluationTask task) => task.Columns.Max() < scores.Shape[1] ? TaskScores.Columns(scores, task.Columns) : scores;

    private Tensor Scores(Graph network, Dataset data, CancellationToken cancel, string? head = null)
    {
        if (Vectors is null) return Predictions.Of(network, data, Batch, head, cancel: cancel);
        Graph graph = Rewrite.Apply(network).Graph;
        string output = graph.FreeName("class.scores");
        graph.Output(output, CosineCrossEntropy.Scores(DataInputs.OutputOf(graph, head), Vectors));
        return Predictions.Of(graph, data, Batch, output, cancel: cancel);
    }
}
