using Amalgam.Graphs;

namespace Amalgam.Training;

/// <summary>How a network is trained.</summary>
public sealed record TrainingOptions
{
    /// <summary>How parameters follow from gradients.</summary>
    public UpdateRule Rule { get; init; } = new Sgd(0.9);

    /// <summary>The learning rate that the schedule's factor multiplies.</summary>
    public double Rate { get; init; } = 0.1;

    /// <summary>How the learning rate goes.</summary>
    public Schedule Schedule { get; init; } = new ConstantRate();

    /// <summary>Passes over the data.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Samples of a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Leaves out the samples of an epoch that do not fill a batch; else they make a smaller one.</summary>
    public bool DropLast { get; init; }

    /// <summary>Decides on the order of the samples, their augmentation and the masks of dropout.</summary>
    public long Seed { get; init; }

    /// <summary>Largest norm of all gradients together; null for no limit.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>What holds for one parameter apart; null for nothing.</summary>
    public Func<Node, ParameterSetting>? Settings { get; init; }

    /// <summary>Name of the network's output that the loss looks at; null for the first.</summary>
    public string? Output { get; init; }

    /// <summary>What the network's result for a validation sample is worth, where the best epoch is to be chosen by its mean; null for by accuracy or loss.</summary>
    public SampleMerit? Merit { get; init; }

    /// <summary>The same where it takes the results for all validation samples together; it counts before <see cref="Merit"/>.</summary>
    public SetMerit? SetMerit { get; init; }

    /// <summary>Samples of an evaluation's step; null for as many as in training.</summary>
    public int? EvaluationBatch { get; init; }

    /// <summary>Where the state is kept after every epoch and when the run is cancelled, a .safetensors file, so that it can be resumed; null for nowhere.</summary>
    public string? StatePath { get; init; }

    /// <summary>
    /// Says which run it is: a state is only resumed by a run with the same text. Nothing else is compared but the names and shapes of tensors, so it should hold whatever the result depends on: the data, the loss with
    /// its teachers, these options, what is frozen. Where it does not, <see cref="Trainer.Resume"/> goes on with another run's state, and not to the same bits.
    /// </summary>
    public string Description { get; init; } = "";
}

/// <summary>How far a run has come, after a step.</summary>
/// <param name="Epoch">The epoch at work, from 1 on.</param>
/// <param name="Epochs">Epochs of the run.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Loss">Mean over the epoch's samples so far.</param>
/// <param name="Accuracy">Share of the epoch's samples so far that were right; null where there are no classes.</param>
/// <param name="SamplesPerSecond">Since the run began or was resumed, without evaluation.</param>
/// <param name="TimeLeft">Until the end, at this speed, evaluation included.</param>
public readonly record struct TrainingProgress(int Epoch, int Epochs, long Step, long Steps, double Loss, double? Accuracy, double SamplesPerSecond, TimeSpan TimeLeft);
