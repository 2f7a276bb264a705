namespace Amalgam.Graphs;

/// <summary>What an operation may use when it takes its training form (<see cref="Op.ForTraining"/>).</summary>
/// <param name="graph">The graph being made for training.</param>
public sealed class TrainingForm(Graph graph)
{
    /// <summary>Name of the input that holds the number of the step, a scalar from 0 on: random masks depend on it, so that a run can be resumed.</summary>
    public const string StepName = "training.step";

    /// <summary>Name of the input that holds the run's seed, a scalar.</summary>
    public const string SeedName = "training.seed";

    /// <summary>Name of the input that holds the number of the epoch, a scalar from 1 on: losses may depend on it.</summary>
    public const string EpochName = "training.epoch";

    private int _masks;

    /// <summary>The graph being made for training.</summary>
    public Graph Graph => graph;

    /// <summary>The number of the step, a scalar.</summary>
    public Node Step => graph.Find(StepName) ?? graph.Input(StepName, default);

    /// <summary>The number of the epoch, a scalar.</summary>
    public Node Epoch => graph.Find(EpochName) ?? graph.Input(EpochName, default);

    /// <summary>The run's seed, a scalar.</summary>
    public Node Seed => graph.Find(SeedName) ?? graph.Input(SeedName, default);

    /// <summary>Whether training itself, and no data, fills an input.</summary>
    public static bool Fills(Node input) => input.Name is StepName or SeedName or EpochName;

    /// <summary>A number for each random mask of the graph, so that no two draw the same.</summary>
    public int NextMask() => _masks++;
}
