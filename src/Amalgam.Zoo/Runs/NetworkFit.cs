using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>Whether a network can go through all of a run's data: what would else be found in the middle of it, or in another operation's words, is refused when the run is opened.</summary>
internal static class NetworkFit
{
    private const string Classes = "classes", Label = "label";

    /// <param name="run">How it is trained.</param>
    /// <param name="network">The network.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="data">The data.</param>
    /// <exception cref="GraphException">It has fewer classes than the data, fewer rows of a table than the data has ids, or a number of samples of its own that the data is not cut into.</exception>
    public static void Check(RunDescription run, Graph network, Loss loss, RunData data)
    {
        CheckBatch("the network", network, run, data, isMeasured: true);
        CheckTables(run.Model, network, data.Train!);
        if (loss is CrossEntropy { Target: Label }) CheckClasses(run.Model, network, data);
    }

    /// <summary>Whether a network takes the numbers of samples that a run asks it for. Files from elsewhere often hold the one that they were written with.</summary>
    /// <param name="name">What it is called in a refusal.</param>
    /// <param name="network">The network, made for its own number of samples.</param>
    /// <param name="run">How many samples a step has.</param>
    /// <param name="data">The data.</param>
    /// <param name="isMeasured">Whether it also runs on the validation and the test data.</param>
    /// <exception cref="GraphException">It holds a number of samples, and the message says which.</exception>
    public static void CheckBatch(string name, Graph network, RunDescription run, RunData data, bool isMeasured)
    {
        IEnumerable<(Dataset Data, int Samples)> asked = Sizes(data.Train!, run.Batch, run.DropLast);
        if (isMeasured) asked = asked.Concat(Sizes(data.Validation, Math.Min(run.Batch, data.Train!.Count), false)).Concat(Sizes(data.Test, run.Batch, false));
        foreach (var (of, samples) in asked)
        {
            if (!DataInputs.HoldsSamples(network, of, samples, out int own, out string? why)) continue;
            string rest = samples == run.Batch ? "" : $" (the last {samples} of {of.Count:N0} samples do not fill a batch; drop_last: true leaves them out of training, and limit and validation say how many there are)";
            throw new GraphException($"{name} holds a batch of {own} and does not take {samples}{rest}: {(run.Batch == own ? "" : $"write batch: {own}, or ")}export the file anew with a batch that is left open (dynamic_axes); {why}");
        }
    }

    /// <summary>What a user should know of how a run's keys go with its data.</summary>
    public static IEnumerable<string> NotesOf(RunDescription run, RunData data)
    {
        if (run.DropLast && data.Train!.Count < run.Batch) yield return $"a batch of {run.Batch:N0} is more than the {data.Train.Count:N0} samples, so all of them are one batch and drop_last leaves none out";
    }

    private static IEnumerable<(Dataset Data, int Samples)> Sizes(Dataset? data, int batch, bool dropLast)
    {
        if (data is null || data.Count == 0) yield break;
        int size = Math.Min(batch, data.Count);
        yield return (data, size);
        if (!dropLast && data.Count % size is > 0 and var rest) yield return (data, rest);
    }

    private static void CheckClasses(ModelDescription model, Graph network, RunData data)
    {
        Shape scores = DataInputs.OutputOf(network).Shape;
        if (scores.Rank != 2) return;
        foreach (Dataset? part in new[] { data.Train, data.Validation, data.Test })
        {
            if (part is null || part.Labels.IsEmpty) continue;
            int largest = 0;
            foreach (int label in part.Labels) largest = Math.Max(largest, label);
            if (largest < scores[1]) continue;
            int needed = Math.Max(largest + 1, part.Classes.Length);
            string way = HasOption(model, Classes) ? $"set {Classes}: {needed} of the model" : $"it needs an output of {needed}";
            throw new GraphException($"the network gives a score for each of {scores[1]} classes, {NameOf(part)} has {needed}: {way}");
        }
    }

    private static void CheckTables(ModelDescription model, Graph network, Dataset data)
    {
        if (DataInputs.ShortTable(data, network, data.Fields.Select(field => network.Inputs.GetValueOrDefault(field.Name)).ToArray()) is not var (_, rows, field, message)) return;
        string? way = null;
        foreach (string option in new[] { "vocabulary", "items" })
        {
            if (HasOption(model, option)) way = $"set {option}: {field.Ids} of the model";
        }

        throw new GraphException(way is null ? message : $"the network has rows for {rows} ids, {NameOf(data)} has {field.Ids}, 0 among them: {way}");
    }

    /// <summary>The name of the data without what part of it is meant.</summary>
    private static string NameOf(Dataset data) => data.Name.Split(", ")[0];

    private static bool HasOption(ModelDescription model, string option) =>
        ZooModel.All.FirstOrDefault(entry => entry.Name == model.Name)?.Options.Any(o => o.Name == option) ?? (option == Classes && model.IsFolder);
}
