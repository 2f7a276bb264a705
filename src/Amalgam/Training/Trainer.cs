using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Training;

/// <summary>
/// Trains a network in place. A run depends on the network, the data, the options and nothing else: the same bits for any number of threads, and when it is
/// interrupted and resumed.
/// </summary>
public sealed class Trainer
{
    private readonly Graph _network;
    private readonly TrainingOptions _options;
    private readonly Loss _loss;
    private readonly Batches _batches;
    private readonly Evaluation? _validation;
    private readonly TrainingInstance _full;
    private readonly Optimizer _optimizer;
    private readonly Stopwatch _stepping = new(), _evaluating = new();
    private readonly long _steps;
    private TrainingInstance? _last, _ran;
    private TrainingState _state = new();
    private long _samplesHere;
    private double _secondsBefore;
    private bool _isHalfRead;

    /// <param name="network">The network in its inference form; its trainable parameters, and its running statistics, are changed.</param>
    /// <param name="loss">What is minimised.</param>
    /// <param name="data">The samples to learn from.</param>
    /// <param name="options">How.</param>
    /// <param name="validation">Samples to measure by after every epoch and to choose the best epoch with; null for none.</param>
    /// <exception cref="GraphException">The network cannot be made for that number of samples, has no gradient, or the data does not fit it.</exception>
    public Trainer(Graph network, Loss loss, Dataset data, TrainingOptions options, Dataset? validation = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.Epochs);
        if (!(options.Rate >= 0)) throw new ArgumentException($"the learning rate must be 0 or more, got {options.Rate}", nameof(options));
        (_network, _options) = (network, options);
        _loss = loss = loss.Begin(DataInputs.OutputOf(network, options.Output), options.Seed);
        _batches = new(data, options.Batch, options.Seed, shuffle: true, options.DropLast);
        _full = new(network, loss, data, _batches.Size, options);
        if (_full.Parameters.Length == 0) throw new GraphException("the network has no parameter to train");
        _optimizer = new(options.Rule, _full.Parameters, options.Settings, options.ClipNorm);
        _steps = (long)_batches.PerEpoch * options.Epochs;
        if (validation is not null) _validation = new(network, loss.ForEvaluation(), validation, options.EvaluationBatch ?? _batches.Size, options.Output, options.Merit, options.SetMerit);
    }

    /// <summary>Steps of the whole run.</summary>
    public long Steps => _steps;

    /// <summary>Steps done.</summary>
    public long Step => _state.Step;

    /// <summary>What the epochs came to.</summary>
    public IReadOnlyList<EpochRecord> History => _state.History;

    /// <summary>The epoch with the best score on the validation data, the first of equal ones; null before the first, and without validation data.</summary>
    public EpochRecord? BestEpoch => _state.Best is null ? null : _state.History[_state.BestEpoch - 1];

    /// <summary>All parameters, by name, as they were after the best epoch; null before the first, and without validation data.</summary>
    public IReadOnlyDictionary<string, Tensor>? Best => _state.Best;

    /// <summary>Whether all steps are done and every epoch is closed.</summary>
    internal bool IsDone => _state.Step >= _steps && !EpochIsDue;

    /// <summary>Whether the last step ended an epoch that <see cref="FinishEpoch"/> has yet to close.</summary>
    internal bool EpochIsDue => _state.History.Length < _state.Step / _batches.PerEpoch;

    /// <summary>Goes on where an interrupted run stopped, if it left a state at <see cref="TrainingOptions.StatePath"/>.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="TrainingException">The state is of another run; this one is as it was.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, does not fit, or is of an older form; this run may hold parts of it, and <see cref="Run"/> refuses to go on from there.</exception>
    public bool Resume()
    {
        if (_options.StatePath is not { } path || !File.Exists(path)) return false;
        using Checkpoint checkpoint = TrainingState.Open(path, _options.Description);
        _isHalfRead = true;
        _state = TrainingState.Load(checkpoint, _network, _loss, _optimizer);
        _isHalfRead = false;
        return true;
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="epochDone">Called after every epoch.</param>
    /// <param name="cancel">Stops at a step; the state is saved first.</param>
    /// <exception cref="TrainingException">The loss is not a finite number any more; or <see cref="Resume"/> failed half-way.</exception>
    public void Run(IProgress<TrainingProgress>? progress = null, Action<EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        if (_isHalfRead) throw new TrainingException(TrainingState.HalfRead);
        try
        {
            while (true)
            {
                if (EpochIsDue) FinishEpoch(epochDone, cancel);
                if (IsDone) return;
                TakeStep(cancel);
                progress?.Report(Progress());
            }
        }
        catch (OperationCanceledException)
        {
            Save();
            throw;
        }
    }

    /// <summary>Runs the forward and backward pass of the next batch and changes the parameters. Until then nothing has changed, so it may be cancelled at any point.</summary>
    internal void TakeStep(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        _stepping.Start();
        try
        {
            Learn(cancel);
        }
        finally
        {
            _stepping.Stop();
        }
    }

    private void Learn(CancellationToken cancel)
    {
        long step = _state.Step;
        double rate = RateOf(step);
        int count = _batches.CountOf(step);
        TrainingInstance instance = count == _batches.Size ? _full : _last ??= new(_network, _loss, _batches.Data, count, _options);
        _batches.Fill(step, instance.Inputs);
        instance.Run(step, step / _batches.PerEpoch + 1, cancel);
        _ran = instance;

        float loss = instance.Loss.Span[0];
        if (!float.IsFinite(loss))
        {
            throw new TrainingException(
                $"the loss is {loss} at step {step + 1} of {_steps} (epoch {step / _batches.PerEpoch + 1}, learning rate {Text(rate)}): lower the learning rate, lengthen the warm-up, "
                + "clip gradients, or look for NaN in the data");
        }

        _optimizer.Step(instance.Gradients, rate);
        instance.Update();
        _state.Add(loss, count, instance.Scores is null ? null : Evaluation.Right(instance.Scores, instance.Truth!));
        _samplesHere += count;
    }

    private static string Text(double rate) => rate.ToString(Math.Abs(rate) is >= 1e-4 and < 1e6 ? "0.######" : "0.###e+0", CultureInfo.InvariantCulture);

    /// <summary>Closes an epoch that is due: measures the network on the validation data and keeps the best weights. Until it is measured nothing has changed, so it may be cancelled.</summary>
    internal void FinishEpoch(Action<EpochRecord>? epochDone, CancellationToken cancel)
    {
        Score? score = null;
        if (_validation is not null)
        {
            _evaluating.Start();
            try
            {
                score = _validation.Run(cancel);
            }
            finally
            {
                _evaluating.Stop();
            }
        }

        double seconds = (_stepping.Elapsed + _evaluating.Elapsed).TotalSeconds;
        EpochRecord record = _state.Finish(RateOf(_state.Step - 1), score, seconds - _secondsBefore);
        _secondsBefore = seconds;
        if (score is not null && score.IsBetterThan(BestEpoch?.Validation))
            _state.SetBest(record.Epoch, _network.Parameters.ToImmutableDictionary(p => p.Key, p => p.Value.Value!.Copy()));
        Save();
        epochDone?.Invoke(record);
    }

    /// <summary>The place of a trained parameter among them.</summary>
    internal int PlaceOf(string parameter) => Array.FindIndex(_full.Parameters, node => node.Name == parameter);

    /// <summary>The gradient of the last step's loss by a trained parameter, before any clipping.</summary>
    /// <param name="place">Of <see cref="PlaceOf"/>.</param>
    internal Tensor GradientOf(int place) => _ran!.Gradients[place];

    /// <summary>What a schedule says of the next step.</summary>
    internal double FactorOf(Schedule schedule) => schedule.Factor(_state.Step, _batches.PerEpoch, _options.Epochs);

    /// <summary>The momentum, or first moment, that the optimiser keeps of a parameter, in its shape; null where it keeps none.</summary>
    internal Tensor? MomentumOf(string parameter) => _optimizer.MomentumOf(parameter);

    /// <summary>Adds what the run needs to go on to a state of several runs.</summary>
    internal void WriteState(Graph box, IDictionary<string, string> notes, string prefix) => _state.Write(box, notes, prefix, _network, _loss, _optimizer);

    /// <summary>Takes over what <see cref="WriteState"/> left; the tensors that are to be read are added to a box.</summary>
    internal void ReadState(Checkpoint checkpoint, Graph box, string prefix) => _state = TrainingState.Read(checkpoint, box, prefix, _network, _loss, _optimizer);

    private double RateOf(long step) => _options.Rate * _options.Schedule.Factor(step, _batches.PerEpoch, _options.Epochs);

    private void Save()
    {
        if (_options.StatePath is { } path) _state.Save(path, _network, _loss, _optimizer, _options.Description);
    }

    internal TrainingProgress Progress()
    {
        double perSecond = _samplesHere / Math.Max(1e-6, _stepping.Elapsed.TotalSeconds);
        double samplesLeft = (_steps - _state.Step) * (double)_batches.Size;
        int evaluated = Math.Max(1, _state.History.Length - _state.EpochsBefore);
        double evaluationsLeft = (_options.Epochs - _state.History.Length) * _evaluating.Elapsed.TotalSeconds / evaluated;
        // A run that is resumed at its end has taken no step here, and needs no more.
        double stepsLeft = samplesLeft > 0 ? samplesLeft / perSecond : 0;
        TimeSpan left = TimeSpan.FromSeconds(Math.Min(stepsLeft + evaluationsLeft, 1e9));
        int epoch = (int)((_state.Step - 1) / _batches.PerEpoch) + 1;
        return new(epoch, _options.Epochs, _state.Step, _steps, _state.MeanLoss, _state.Accuracy, perSecond, left);
    }
}
