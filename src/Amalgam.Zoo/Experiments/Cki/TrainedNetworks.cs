using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
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

    private readonly string _folder = EarlierRun.Open(Path.Combine(options.Folder, "networks", subject.Name));

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
    /// <param name="isFirst">Whether its weights are first ones, which its name tells; those of other networks are part of the description.</param>
    /// <param name="lastEpoch">Keep the weights of the last epoch instead, whatever the validation data say.</param>
    /// <exception cref="InvalidDataException">An earlier run of another description has left one there that is not to be replaced, or what it left is damaged.</exception>
    public Learned Train(string name, Graph network, int epochs, long order, bool isFirst = false, bool lastEpoch = false)
    {
        string from = isFirst ? "" : $"; from weights {Digest(network)}";
        string path = PathOf(name), description = $"{name}: {epochs} epochs{(lastEpoch ? ", the last one" : "")}, order {order}; {subject.NetworkDescription}{from}";
        if (Find(path, network, description) is { } kept) return kept;

        options.Line?.Invoke($"training {name}: {Count(network):N0} parameters, {epochs} epochs of {subject.Train.Count:N0} samples");
        TrainingOptions how = subject.Training with { Epochs = epochs, Seed = order, StatePath = path + ".state.safetensors", Description = description };
        Trainer trainer = new(network, subject.Loss, subject.Train, how, subject.Validation);
        if (!Resume(trainer, how.StatePath!)) File.Delete(how.StatePath!);
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

    private Learned? Find(string path, Graph network, string description)
    {
        if (!File.Exists(path)) return null;
        using Checkpoint checkpoint = OrDamaged(path, () => Checkpoint.Open(path));
        var notes = checkpoint.Metadata;
        if (!EarlierRun.IsTakenOver(path, notes.GetValueOrDefault(DescriptionKey, ""), description, options.Overwrite)) return null;
        return OrDamaged<Learned>(path, () =>
        {
            GraphWeights.Load(network, checkpoint);
            return new(int.Parse(notes[BestKey], CultureInfo.InvariantCulture), long.Parse(notes[StepsKey], CultureInfo.InvariantCulture));
        });
    }

    private static T OrDamaged<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"{path} is damaged, delete it to train it again: {e.Message}", e);
        }
    }

    private bool Resume(Trainer trainer, string path)
    {
        try
        {
            return OrDamaged(path, trainer.Resume);
        }
        catch (TrainingException) when (options.Overwrite)
        {
            return false;
        }
        catch (TrainingException e)
        {
            throw new InvalidDataException($"{path} is an interrupted training of another description; --overwrite begins it anew, or name another folder with --out ({e.Message})", e);
        }
    }

    /// <summary>Tells weights from others: those that are learned, and those that are constants of an integrated network.</summary>
    private static string Digest(Graph network)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Node node in network.Nodes)
        {
            if (node.Value is { } value) hash.AppendData(MemoryMarshal.AsBytes(value.Span));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
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
