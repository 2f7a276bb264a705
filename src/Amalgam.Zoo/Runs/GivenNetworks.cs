using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Trained networks that are put together without training: what they are called, the data that they are looked at and measured on, how what comes of them is written.</summary>
public abstract class GivenNetworks
{
    internal const int AnyBatch = 2;

    private readonly ParentModel[] _models;
    private readonly List<(string Phase, TimeSpan Time)> _times = [];
    private readonly List<string> _notes = [];

    /// <param name="models">The networks.</param>
    /// <param name="data">Data for them; null for none.</param>
    /// <param name="described">What the data is.</param>
    /// <param name="classVectors">A checkpoint with a vector for each class, for networks that give embeddings.</param>
    /// <param name="tasks">Groups of classes that are told apart among themselves.</param>
    private protected GivenNetworks(ParentModel[] models, RunData? data, DataDescription? described, string? classVectors, ImmutableArray<ImmutableArray<int>> tasks)
    {
        (_models, Data, Tasks) = (models, data, tasks);
        Names = ParentModel.NamesOf(models);
        if (!tasks.IsEmpty && (data?.Train ?? data?.Test) is { } of) AlignmentSettings.CheckTasks(tasks.Select(t => (IReadOnlyCollection<int>)t), of.Classes.Length, of.Name);
        RunDescription? run = RunFolder.Find(models[0].Path);
        Vectors = classVectors is not null ? ClassVectors.Read(classVectors, described?.Classes ?? []) : run is not null && run.Data.Name == described?.Name ? run.Loss.ReadVectors(run.Data) : null;
    }

    /// <summary>Short names of the networks.</summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>The data, without what is random in its augmentation; null where none is named.</summary>
    public RunData? Data { get; }

    /// <summary>Vectors that stand for classes, where networks give embeddings.</summary>
    public Tensor? Vectors { get; }

    /// <summary>Groups of classes that are told apart among themselves; empty where all classes are one task.</summary>
    public ImmutableArray<ImmutableArray<int>> Tasks { get; }

    /// <summary>Seconds of each phase.</summary>
    public ImmutableArray<(string Phase, TimeSpan Time)> Times => [.. _times];

    /// <summary>What a user should know, one sentence each.</summary>
    public ImmutableArray<string> Notes => [.. _notes];

    /// <summary>What was reset in the merged network, in words; empty before the merge, and where nothing was.</summary>
    public string ResetText { get; private protected set; } = "";

    /// <summary>The networks as they came.</summary>
    internal IReadOnlyList<ParentModel> Models => _models;

    /// <summary>Whether networks can be measured: there is data with labels.</summary>
    /// <exception cref="InvalidDataException">The networks give something else than a score for each of its classes.</exception>
    public bool CanMeasure
    {
        get
        {
            if ((Data?.Test ?? Data?.Train) is not { } data || (data.Labels.IsEmpty && ItemRanking.Of(data) is null)) return false;
            Shape scores = _models[0].Graph.Outputs.Values.First().Shape;
            if (Vectors is null && data.KnowsClasses && ItemRanking.Of(data) is null && scores.Rank == 2 && scores.Size(1) > data.Classes.Length)
                throw new InvalidDataException($"{Names[0]} gives {scores.Size(1)} numbers for a sample, {data.Name} has {data.Classes.Length} classes; to measure networks that give embeddings, name class vectors");
            return true;
        }
    }

    /// <summary>Refuses, before any work, a place where a network cannot be written.</summary>
    /// <exception cref="IOException">Something is there already, or it is one of the networks.</exception>
    public void CheckTarget(string path, bool overwrite) => NetworkFile.CheckTarget(path, _models, overwrite);

    /// <summary>The loss that networks are compared by.</summary>
    internal Training.Loss Loss => Vectors is null ? new CrossEntropy() : new CosineCrossEntropy(Vectors);

    /// <summary>A graph with other weights.</summary>
    internal static Graph With(Graph graph, IReadOnlyDictionary<string, Tensor> weights) =>
        Rewrite.Apply(graph, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, weights[node.Name!], node.Trainable, node.Type) : null).Graph;

    /// <summary>A network with class scores as outputs, where it gives embeddings.</summary>
    internal Contestant Scored(Contestant network)
    {
        if (Vectors is null) return network;
        Graph scored = Rewrite.Apply(network.Network).Graph;
        string Add(string? result)
        {
            string output = scored.FreeName(result is null ? "class.scores" : $"class.scores.{result}");
            scored.Output(output, CosineCrossEntropy.Scores(DataInputs.OutputOf(scored, result), Vectors));
            return output;
        }

        return network.Heads.IsEmpty ? network with { Network = scored, Output = Add(network.Output) } : network with { Network = scored, Heads = [.. network.Heads.Select(Add)] };
    }

    /// <summary>Names of the networks without folders and endings, that differ.</summary>
    private protected ImmutableArray<string> Stems
    {
        get
        {
            string[] stems = [.. _models.Select(m => Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(m.Path)))];
            return [.. stems.Select((stem, i) => stems.Count(s => s == stem) > 1 ? $"{stem}-{i + 1}" : stem)];
        }
    }

    /// <summary>Whether there are batch normalisations in the networks.</summary>
    private protected bool HasNormalisations => _models[0].Graph.Nodes.Any(node => node.Op is BatchNormalization);

    /// <summary>What is set anew in a merged network.</summary>
    /// <param name="asked">What was asked for.</param>
    /// <exception cref="InvalidDataException">There is no data to estimate statistics on.</exception>
    private protected StatisticsReset KindOf(StatisticsReset asked)
    {
        if (asked is not (StatisticsReset.None or StatisticsReset.Auto) && Data is null) throw new InvalidDataException("statistics are estimated anew on data: name some, or ask for no reset");
        return asked != StatisticsReset.Auto ? asked : Data is null ? StatisticsReset.None : HasNormalisations ? StatisticsReset.BatchNorm : StatisticsReset.Repair;
    }

    /// <summary>Sets statistics of a merged network anew, in its parameters.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="merged">The network.</param>
    /// <param name="parents">What it was merged of.</param>
    /// <param name="maps">Which of their units became one.</param>
    /// <param name="how">On how many samples, drawn how, so many at a time.</param>
    /// <param name="shares">How much each parent counts; null for as much as each other.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>What was done, in words.</returns>
    private protected string Reset(StatisticsReset kind, Graph merged, Siblings parents, UnitMaps maps, AlignmentOptions how, IReadOnlyList<double>? shares, CancellationToken cancel)
    {
        if (kind == StatisticsReset.None) return "";
        Dataset samples = ActivationStatistics.Calibration(Data!.Train!, how);
        if (kind == StatisticsReset.BatchNorm) return $"{BatchNormReset.Run(merged, samples, how.Batch, cancel)} batch normalisations estimated anew on {samples.Count:N0} samples";
        return $"{Repair.Run(merged, parents, maps, samples, how.Batch, shares: shares, cancel: cancel).Layers.Length} layers repaired on {samples.Count:N0} samples";
    }

    private protected void Say(string note) => _notes.Add(note);

    private protected void Add(IEnumerable<(string Phase, TimeSpan Time)> times) => _times.AddRange(times);

    private protected void Time(string phase, Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        _times.Add((phase, Stopwatch.GetElapsedTime(start)));
    }
}
