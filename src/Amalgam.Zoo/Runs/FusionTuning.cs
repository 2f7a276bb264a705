using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Zoo.Runs;

/// <summary>The training of a fused network from the weights that it has, by a run description.</summary>
public sealed class FusionTuning
{
    private readonly RunDescription _run;
    private readonly string _file;
    private readonly bool _overwrite;

    /// <summary>Reads the description, before anything is fused.</summary>
    /// <param name="description">The run description; what it says of a model is not looked at, as the fused network is trained.</param>
    /// <param name="file">Where the fused network goes.</param>
    /// <param name="overwrite">Replace what another run left in the folder.</param>
    /// <exception cref="InvalidDataException">It is no run description, or cannot be one of a fused network.</exception>
    public FusionTuning(string description, string file, bool overwrite)
    {
        _run = RunDescription.Read(description, new ModelDescription(""));
        if (_run.Train is not null) throw new InvalidDataException($"{description}: train: says what a learned splice trains; a fused network is trained without that key");
        (_file, _overwrite) = (file, overwrite);
        Folder = _run.Output ?? $"{(System.IO.Path.HasExtension(file) ? System.IO.Path.ChangeExtension(file, null) : System.IO.Path.TrimEndingDirectorySeparator(file))}-finetuned";
        if (_run.Model.Name != "") Note = $"the fused network is trained, not {_run.Model.Text}, which {description} names";
    }

    /// <summary>Where what the run leaves behind goes: the folder that the description names, else one beside the network.</summary>
    public string Folder { get; }

    /// <summary>What a user should know; empty for nothing.</summary>
    public string Note { get; } = "";

    /// <summary>Trains to the end.</summary>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="epochDone">Called after every epoch.</param>
    /// <param name="cancel">Stops at a step; amalgam train goes on with the run then.</param>
    /// <returns>The network that the run is known by.</returns>
    /// <exception cref="TrainingException">The loss is not a finite number any more.</exception>
    public Graph Train(IProgress<TrainingProgress>? progress = null, Action<EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        string full = System.IO.Path.GetFullPath(_file);
        ModelDescription model = ModelDescription.IsOnnxFile(full) ? new(full) : ParentModel.Open(full, null, GivenNetworks.AnyBatch).Model with { Weights = full };
        RunDescription run = _run with { Model = model with { Freeze = _run.Model.Freeze } };
        new TrainingRun(run, Folder, overwrite: _overwrite).Train(progress, epochDone, cancel);
        return RunFolder.Load(Folder, run with { Model = model with { Weights = null } });
    }
}
