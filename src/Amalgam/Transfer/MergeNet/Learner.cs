using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Transfer.MergeNet;

/// <summary>One of several networks that train side by side, each on its own task (<see cref="JointTraining"/>).</summary>
/// <param name="Name">What transfers call it.</param>
/// <param name="Network">The network in its inference form. It stays as it is: a copy is trained.</param>
/// <param name="Loss">What is minimised; null for a frozen one.</param>
/// <param name="Data">The samples to learn from; null for a frozen one.</param>
/// <param name="Options">How; its state path and description are not used, as <see cref="JointOptions"/> has them.</param>
/// <param name="Validation">Samples to measure by after every epoch and to choose the best epoch with; null for none.</param>
public sealed record Learner(string Name, Graph Network, Loss? Loss, Dataset? Data, TrainingOptions Options, Dataset? Validation = null)
{
    /// <summary>A trained network that stays as it is and is a source of transfers only.</summary>
    public static Learner Source(string name, Graph network) => new(name, network, null, null, new());

    /// <summary>Steps that it takes in a round: a task with more data takes more, so that transfers come after every so many of its batches (section 4.3 of the paper).</summary>
    public int StepsPerRound { get; init; } = 1;

    /// <summary>Whether it stays as it is.</summary>
    public bool Frozen => Data is null;

    /// <summary>Whether a matrix is one of its own that training changes.</summary>
    internal bool Trains(TransferMatrix matrix) => !Frozen && matrix.Learner == Name && Network.Parameters.GetValueOrDefault(matrix.Matrix.Name) is { Trainable: true };
}
