using Amalgam.Training;

namespace Amalgam.Zoo.Experiments;

/// <summary>What every reproduction of a paper's experiments can be asked for.</summary>
public abstract record ReproductionOptions
{
    /// <summary>Epochs of the networks that are trained, over what suits the experiment.</summary>
    public int? Epochs { get; init; }

    /// <summary>Where networks and results go; what an earlier run of the same description left there is taken over.</summary>
    public string Folder { get; init; } = "reproduce";

    /// <summary>Whether rows and networks of another description, which an earlier run left there, are replaced; else they are a reason to refuse.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Stops the run; another goes on where it stopped.</summary>
    public CancellationToken Cancel { get; init; }

    /// <summary>Hears of every training step.</summary>
    public IProgress<TrainingProgress>? Training { get; init; }

    /// <summary>Hears what begins and what is finished, a line each.</summary>
    public Action<string>? Line { get; init; }
}
