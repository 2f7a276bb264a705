using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>The training of a fused network from the weights that it has, by a run description.</summary>
public sealed class FusionTuning
{
    private readonly string _description, _file;
    private readonly RunDescription _run;
    private readonly bool _overwrite;
    private readonly List<string> _notes = [];

    /// <summary>Reads the description, before anything is fused.</summary>
    /// <param name="description">The run description; what it says of a model is not looked at, as the fused network is trained.</param>
    /// <param name="file">Where the fused network goes.</param>
    /// <param name="overwrite">Replace what another run left in the folder.</param>
    /// <exception cref="InvalidDataException">It is no run description, or cannot be one of a fused network.</exception>
    public FusionTuning(string description, string file, bool overwrite)
    {
        _run = RunDescription.Read(description, new ModelDescription(""));
        if (_run.Train is not null) throw new InvalidDataException($"{description}: train: says what a learned splice trains; a fused network is trained without that key");
        (_description, _file, _overwrite) = (description, file, overwrite);
        Folder = _run.Output ?? $"{(System.IO.Path.HasExtension(file) ? System.IO.Path.ChangeExtension(file, null) : System.IO.Path.TrimEndingDirectorySeparator(file))}-finetuned";
        if (_run.Model.Name != "") _notes.Add($"the fused network is trained, not {_run.Model.Text}, which {description} names");
    }

    /// <summary>Where what the run leaves behind goes: the folder that the description names, else one beside the network.</summary>
    public string Folder { get; }

    /// <summary>What a user should know, one sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Whether the training has begun: what it leaves when it is interrupted can be gone on with.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Refuses, before anything is fused, a folder that cannot be written and data that networks do not take, or whose classes they do not tell apart.</summary>
    /// <param name="fusion">The networks.</param>
    /// <exception cref="IOException">There is something in the folder already.</exception>
    /// <exception cref="InvalidDataException">The data does not fit.</exception>
    public void Check(NetworkFusion fusion)
    {
        _ = new RunOutput(Folder, RunFolder.NamesIn(Folder), [_file, _run.Loss.ClassVectors, _run.Data.IsFile ? _run.Data.Name : null, .. _run.Distill?.Teachers ?? []], resume: false, _overwrite);
        ParentModel reference = fusion.Models[fusion.Reference];
        Dataset data = RunData.Open(ModelText.For(_run.Data, reference.Path)).Train!;
        try
        {
            Graph graph = DataInputs.Fit(reference.Graph, data, GivenNetworks.AnyBatch);
            DataInputs.Bind(data, graph, GivenNetworks.AnyBatch, null, new(graph, [DataInputs.OutputOf(graph)]));
        }
        catch (GraphException e)
        {
            static string Sample(Shape shape) => shape.Rank == 0 ? "one number" : $"[{string.Join(',', shape.Sizes.ToArray().Skip(1))}]";
            string read = string.Join(", ", reference.Graph.Inputs.Select(input => $"'{input.Key}' {Sample(input.Value.Shape)}")), has = string.Join(", ", data.Fields.Where(field => field.Shape.Rank > 0 || data.Labels.IsEmpty).Select(field => $"'{field.Name}' {field.Shape}"));
            throw new InvalidDataException($"{_description}: the fused network reads {read} of a sample, and a sample of {data.Name.Split(',')[0]} has {has}; name data like that which the networks were trained on", e);
        }

        Shape scores = reference.Graph.Outputs.Values.First().Shape;
        int classes = data.Labels.IsEmpty ? 0 : 1 + TensorPrimitives.Max(data.Labels);
        if (_run.Loss.Name == "cross_entropy" && scores.Rank == 2 && scores.Size(1) < classes)
            throw new InvalidDataException($"{_description}: the fused network gives {scores.Size(1)} scores for a sample, and {data.Name.Split(',')[0]} has {classes} classes");
    }

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
        TrainingRun training = new(run, Folder, overwrite: _overwrite);
        Score? before = training.Data.Validation is not { } held ? null
            : new Evaluation(training.Network, RunTrainer.LossOf(run.Loss, run.Data).ForEvaluation(), held, run.Batch, merit: ItemRanking.Merit(held), setMerit: PairRetrieval.Merit(held)).Run(cancel);
        HasBegun = true;
        RunResult result = training.Train(progress, epochDone, cancel);
        _notes.AddRange(result.Notes);
        if (before is not null && result.Best?.Validation is { } after && before.IsBetterThan(after))
            _notes.Add($"fine-tuning ended below where it began: on {before.Samples:N0} held-out samples {Text(before, training.Data)} before, {Text(after, training.Data)} after; the network from before is in {_file}, and a lower rate may do better");
        return RunFolder.Load(Folder, run with { Model = model with { Weights = null } });
    }

    private static string Text(Score score, RunData data) =>
        score.Merit is { } merit ? FormattableString.Invariant($"{data.MeritName} {merit:0.0000}")
        : score.Accuracy is { } accuracy ? FormattableString.Invariant($"{accuracy:0.00%} right")
        : FormattableString.Invariant($"a loss of {score.Loss:0.0000}");
}
