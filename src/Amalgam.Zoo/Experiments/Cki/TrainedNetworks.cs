using System.Globalization;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>What training came to.</summary>
/// <param name="Best">The epoch whose weights are kept, from 1 on.</param>
/// <param name="Steps">Steps of the whole training.</param>
internal sealed record Learned(int Best, long Steps);

/// <summary>Trains networks and keeps them, so that an interrupted reproduction goes on, and tables share them.</summary>
/// <param name="subject">What is learned.</param>
/// <param name="options">How the reproduction runs.</param>
internal sealed class TrainedNetworks(Subject subject, CkiOptions options)
{
    private const string DescriptionKey = "amalgam.reproduction", BestKey = "amalgam.best_epoch", StepsKey = "amalgam.steps";

    private readonly string _folder = Directory.CreateDirectory(Path.Combine(options.Folder, "networks", subject.Name)).FullName;

    /// <summary>Path of a network that was trained.</summary>
    public string PathOf(string name) => Path.Combine(_folder, name + ".safetensors");

    /// <summary>Writes a network that is not trained, such as the first weights of others, and tells its path.</summary>
    public string Keep(string name, Graph network)
    {
        GraphWeights.Save(network, PathOf(name), overwrite: true);
        return PathOf(name);
    }

    /// <summary>Trains a network in place, and leaves it with the weights of the epoch that is best on the validation data; reads them where an earlier run of the same description has left them.</summary>
    /// <param name="name">Its name among the subject's networks.</param>
    /// <param name="network">The network.</param>
    /// <param name="epochs">Passes over the data.</param>
    /// <param name="order">Decides on the order of the samples.</param>
    /// <param name="parents">What decides on it beside the subject's description.</param>
    /// <param name="lastEpoch">Keep the weights of the last epoch instead, whatever the validation data say.</param>
    public Learned Train(string name, Graph network, int epochs, long order, string parents = "", bool lastEpoch = false)
    {
        string path = PathOf(name), description = $"{name}: {epochs} epochs{(lastEpoch ? ", the last one" : "")}, order {order}; {parents}{subject.NetworkDescription}";
        if (Find(path, network, description) is { } kept) return kept;

        options.Line?.Invoke($"training {name}: {Count(network):N0} parameters, {epochs} epochs of {subject.Train.Count:N0} samples");
        TrainingOptions how = subject.Training with { Epochs = epochs, Seed = order, StatePath = path + ".state.safetensors", Description = description };
        Trainer trainer = new(network, subject.Loss, subject.Train, how, subject.Validation);
        if (!Resume(trainer)) File.Delete(how.StatePath!);
        trainer.Run(options.Training, epoch => options.Line?.Invoke(Text(name, epoch)), options.Cancel);
        if (!lastEpoch && trainer.Best is { } best)
        {
            foreach (var (parameter, node) in network.Parameters) best[parameter].Span.CopyTo(node.Value!.Span);
        }

        Learned learned = new(lastEpoch ? epochs : trainer.BestEpoch?.Epoch ?? epochs, trainer.Steps);
        GraphWeights.Save(network, path, overwrite: true, new Dictionary<string, string>
        {
            [DescriptionKey] = description,
            [BestKey] = learned.Best.ToString(CultureInfo.InvariantCulture),
            [StepsKey] = learned.Steps.ToString(CultureInfo.InvariantCulture),
        });
        File.Delete(how.StatePath!);
        return learned;
    }

    private static Learned? Find(string path, Graph network, string description)
    {
        if (!File.Exists(path)) return null;
        using Checkpoint checkpoint = Checkpoint.Open(path);
        var notes = checkpoint.Metadata;
        if (notes.GetValueOrDefault(DescriptionKey) != description) return null;
        GraphWeights.Load(network, checkpoint);
        return new(int.Parse(notes[BestKey], CultureInfo.InvariantCulture), long.Parse(notes[StepsKey], CultureInfo.InvariantCulture));
    }

    private static bool Resume(Trainer trainer)
    {
        try
        {
            return trainer.Resume();
        }
        catch (TrainingException)
        {
            return false; // of another description: it begins anew
        }
    }

    private static long Count(Graph network) => network.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count);

    private string Text(string name, EpochRecord epoch)
    {
        Score score = epoch.Validation!;
        string validation = score.Merit is { } merit ? FormattableString.Invariant($"{subject.Figures.Merit} {merit:0.0000}")
            : score.Accuracy is { } accuracy ? FormattableString.Invariant($"accuracy {accuracy:0.0000}") : FormattableString.Invariant($"loss {score.Loss:0.0000}");
        return FormattableString.Invariant($"  {name}, epoch {epoch.Epoch}: loss {epoch.Loss:0.0000}, on validation data {validation}, {epoch.Seconds:0.0} s");
    }
}
