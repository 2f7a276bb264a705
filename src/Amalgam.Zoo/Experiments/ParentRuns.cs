using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments;

/// <summary>Trains the networks that are merged, each in a folder as <c>amalgam train</c> leaves one, so that an interrupted reproduction goes on.</summary>
internal sealed class ParentRuns(ReproductionOptions options)
{
    private readonly string _folder = EarlierRun.Open(Path.Combine(options.Folder, "parents"));

    /// <summary>The network of a run, after its last epoch.</summary>
    /// <param name="name">Name of its folder.</param>
    /// <param name="description">The run, as YAML.</param>
    /// <exception cref="InvalidDataException">The folder holds a run of another description.</exception>
    public Graph Get(string name, string description)
    {
        string folder = Path.Combine(_folder, name);
        RunDescription run = RunDescription.Parse(description, name);
        if (options.Epochs is { } epochs) run = run with { Epochs = epochs };
        bool goesOn = RunFolder.Find(folder) is { } there && EarlierRun.IsTakenOver(Path.Combine(folder, RunFolder.Description), Text(there), Text(run), options.Overwrite);
        if (!goesOn || !File.Exists(Path.Combine(folder, RunFolder.Result))) Train(name, run, folder, goesOn);
        return RunFolder.Load(folder, run);
    }

    private void Train(string name, RunDescription run, string folder, bool goesOn)
    {
        options.Line?.Invoke($"training {name}: {run.Epochs} epochs");
        TrainingRun training = new(run, folder, resume: goesOn, overwrite: !goesOn && options.Overwrite);
        training.Train(options.Training, epoch => options.Line?.Invoke(Line(name, epoch)), options.Cancel);
    }

    private static string Line(string name, EpochRecord epoch) => FormattableString.Invariant($"  {name}, epoch {epoch.Epoch}: loss {epoch.Loss:0.0000}, {epoch.Accuracy:0.0%} right, {epoch.Seconds:0.0} s");

    /// <summary>What decides on the network: class vectors count by the name of their file, wherever the data folder is.</summary>
    private static string Text(RunDescription run) => RunYaml.Write(run with { Loss = run.Loss with { ClassVectors = Path.GetFileName(run.Loss.ClassVectors) } }, withOutput: false).Replace('\n', ';');
}
