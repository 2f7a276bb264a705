using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>The data of networks that tell images apart: what they learned from, what choices are made on, what results are of.</summary>
internal sealed class ImageSetting
{
    private const int Batch = 250;

    private readonly ClafusionOptions _options;
    private readonly Lazy<RunData> _data;
    private readonly Lazy<Dataset> _test;

    /// <param name="data">The data as the networks' runs describe it.</param>
    /// <param name="options">How the reproduction runs.</param>
    public ImageSetting(DataDescription data, ClafusionOptions options)
    {
        _options = options;
        _data = new(() => RunData.Open(data with { Augmentation = data.Augmentation.Fixed }));
        _test = new(() => options.Limit is { } limit ? Subset.First(RunData.OpenTest(data with { Part = null }), limit) : RunData.OpenTest(data with { Part = null }));
    }

    /// <summary>The training samples, without what is random in their augmentation: activations are compared on some of them.</summary>
    public Dataset Calibration => _data.Value.Train!;

    /// <summary>The training samples that are held out: every choice is made on them.</summary>
    /// <exception cref="InvalidDataException">The runs hold none out.</exception>
    public Dataset HeldOut => _data.Value.Validation ?? throw new InvalidDataException("these networks hold no training samples out, so nothing can be chosen");

    /// <summary>All test samples, those of every class.</summary>
    public Dataset Test => _test.Value;

    /// <summary>What a network, or the ensemble of several, the weighted mean of their scores, is worth on the test samples.</summary>
    /// <param name="networks">The networks.</param>
    /// <param name="weights">A weight for each; null for equal ones.</param>
    public ImmutableArray<Figure> Measure(IReadOnlyList<Graph> networks, IReadOnlyList<double>? weights = null) => Of([.. networks.Select(Scores)], weights);

    /// <summary>The scores of a network for the test samples.</summary>
    public Tensor Scores(Graph network) => Predictions.Of(network, Test, Batch, cancel: _options.Cancel);

    /// <summary>What scores for the test samples are worth.</summary>
    public ImmutableArray<Figure> Of(IReadOnlyList<Tensor> scores, IReadOnlyList<double>? weights = null)
    {
        TaskScores worth = TaskScores.Of(Mean(scores, weights), [EvaluationTask.Of("all", [.. Enumerable.Range(0, Test.Classes.Length)], Test.Labels)]);
        return [new("accuracy", worth.Joint), new("loss", worth.Tasks[0].Loss)];
    }

    /// <summary>Share of the held-out samples that a network gets right.</summary>
    public double Choice(Graph network) => new Evaluation(network, new CrossEntropy(), HeldOut, Batch).Run(_options.Cancel).Accuracy!.Value;

    private static Tensor Mean(IReadOnlyList<Tensor> scores, IReadOnlyList<double>? weights)
    {
        if (scores.Count == 1) return scores[0];
        Tensor mean = new(scores[0].Shape);
        for (int k = 0; k < scores.Count; k++)
        {
            float weight = (float)(weights?[k] ?? 1.0 / scores.Count);
            for (int i = 0; i < mean.Count; i++) mean.Span[i] += weight * scores[k].Span[i];
        }

        return mean;
    }
}
