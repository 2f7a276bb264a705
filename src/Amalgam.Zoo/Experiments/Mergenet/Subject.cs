using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>A network of the experiments: what it is, what it learns and how, and what it is measured by.</summary>
internal sealed class Subject
{
    private const int AnyBatch = 2, MeasureBatch = 100;

    private readonly RunDescription _run;
    private readonly MergenetOptions _options;
    private readonly Lazy<RunData> _data;
    private readonly Lazy<Dataset> _test;

    /// <param name="name">What tables call it.</param>
    /// <param name="description">Its run, as YAML; the seed is set where it is used.</param>
    /// <param name="options">How the reproduction runs.</param>
    public Subject(string name, string description, MergenetOptions options)
    {
        (Name, _options) = (name, options);
        RunDescription run = RunDescription.Parse(description, name);
        _run = run with { Epochs = options.Epochs ?? run.Epochs, Data = run.Data with { Limit = options.Samples ?? run.Data.Limit } };
        _data = new(() => RunData.Open(_run.Data));
        _test = new(() => Few(_data.Value.Test ?? throw new InvalidDataException($"{_run.Data.Name} has no test samples")));
    }

    /// <summary>What tables call it.</summary>
    public string Name { get; }

    /// <summary>What is done to its data beyond its description.</summary>
    public Func<Dataset, Dataset>? Prepare { get; init; }

    /// <summary>What is measured on data; accuracy and loss unless it says otherwise.</summary>
    public Func<Graph, Dataset, ImmutableArray<Figure>>? Figures { get; init; }

    /// <summary>Added to the seed: networks with parameters of one name and shape would else begin with the same values and see the same batches.</summary>
    public int Shift { get; init; }

    /// <summary>A training before, whose network it begins with; null where it begins with weights drawn by the seed.</summary>
    public Subject? Start { get; init; }

    /// <summary>All that decides on what comes of its training.</summary>
    public string Description => $"{(Start is null ? "" : $"{Start.Description}; then ")}{RunYaml.Write(_run, withOutput: false).Replace('\n', ';')} tested on {_options.Limit?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "all"}";

    /// <summary>How long it is trained on how much, and what it is measured on, in a sentence.</summary>
    /// <param name="heldOut">Whether it is measured on held-out training samples.</param>
    public string Setting(bool heldOut)
    {
        static string Count(int number, string thing) => FormattableString.Invariant($"{number:#,0} {thing}{(number == 1 ? "" : "s")}");
        static string Of(RunDescription run) => $"{Count(run.Epochs, "epoch")} of {(run.Data.Limit is { } limit ? Count(limit, "training sample") : "all training samples")}";
        string on = heldOut ? "held-out training samples" : _options.Limit is { } few ? $"the first {Count(few, "test sample")}" : "all test samples";
        return $"Trained for {Of(_run)}{(Start is null ? "" : $", after {Of(Start._run)} alone")}, measured on {on}.";
    }

    /// <summary>Its network with weights drawn by a seed.</summary>
    public Graph Network(int seed) => ModelLoader.Build(_run.Model, AnyBatch, seed + Shift, Train);

    /// <summary>The loss of its run.</summary>
    public Loss Loss => RunTrainer.LossOf(_run.Loss, _run.Data);

    /// <summary>What it learns from.</summary>
    public Dataset Train => Ready(_data.Value.Train!);

    /// <summary>How it is trained, alone and together with others alike.</summary>
    public TrainingOptions Training(Graph network, int seed) => RunTrainer.Prepare(_run with { Seed = seed + Shift }, network, Loss, _data.Value, null).Options;

    /// <summary>As it takes part in a joint training.</summary>
    public Learner Learner(Graph network, int seed) => new(Name, network, Loss, Train, Training(network, seed));

    /// <summary>What a network is worth on the test samples.</summary>
    public ImmutableArray<Figure> Measure(Graph network) => Measure(network, Ready(_test.Value));

    /// <summary>The same on the training samples that are held out: choices are made by it.</summary>
    /// <exception cref="InvalidDataException">None are held out.</exception>
    public ImmutableArray<Figure> MeasureHeldOut(Graph network) =>
        Measure(network, Ready(_data.Value.Validation ?? throw new InvalidDataException($"{Name} has no held-out samples, so nothing can be chosen")));

    private ImmutableArray<Figure> Measure(Graph network, Dataset data)
    {
        if (Figures is not null) return Figures(network, data);
        Score score = new Evaluation(network, Loss.ForEvaluation(), data, MeasureBatch).Run(_options.Cancel);
        return [new("accuracy", score.Accuracy ?? double.NaN), new("loss", score.Loss)];
    }

    private Dataset Ready(Dataset data) => Prepare is null ? data : Prepare(data);

    private Dataset Few(Dataset data) => _options.Limit is { } limit ? Subset.First(data, limit) : data;
}
