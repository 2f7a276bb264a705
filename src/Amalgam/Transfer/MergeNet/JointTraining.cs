using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>
/// Trains several networks side by side while parameters of one become part of another's (MergeNet, section 3.2). In round t every transfer whose cycle divides t generates its target from one
/// snapshot of all matrices (eqs. 1 and 7); when all have, they are written. Then each network takes its own steps on its own data, from the written values on, and the adapters of the
/// round learn. Networks that no transfer writes to train to the same bits as alone. Nothing of an adapter is in what <see cref="NetworkOf"/> gives.
/// The same bits for any number of threads, and when it is interrupted and resumed.
/// </summary>
public sealed class JointTraining
{
    private readonly Learner[] _learners;
    private readonly Graph[] _networks;
    private readonly Trainer?[] _trainers;
    private readonly AdapterTraining[] _adapters;
    private readonly AdapterTraining[][] _into;
    private readonly JointState _state;
    private readonly Stopwatch _stepping = new(), _transferring = new(), _updating = new(), _evaluating = new();
    private long _roundsHere;

    /// <param name="learners">The networks.</param>
    /// <param name="transfers">What goes from where to where; none trains each alone.</param>
    /// <param name="options">How.</param>
    /// <exception cref="GraphException">A transfer names what is not there, or does not fit; or a network and its data do not go together.</exception>
    public JointTraining(IEnumerable<Learner> learners, IEnumerable<KnowledgeTransfer> transfers, JointOptions? options = null)
    {
        _learners = [.. learners];
        KnowledgeTransfer[] all = [.. transfers];
        TransferChecks.Check(_learners, all);
        _networks = [.. _learners.Select(learner => Encoded(learner, all))];
        _trainers = [.. _learners.Select((learner, i) => learner.Frozen ? null : new Trainer(_networks[i], learner.Loss!, learner.Data!, learner.Options with { StatePath = null }, learner.Validation))];
        _adapters = [.. all.Select((transfer, i) => Adapter(transfer, i))];
        _into = [.. _learners.Select(learner => _adapters.Where((_, i) => all[i].Target.Learner == learner.Name).ToArray())];
        Rounds = _trainers.Select((trainer, i) => trainer is null ? 0 : (trainer.Steps + _learners[i].StepsPerRound - 1) / _learners[i].StepsPerRound).Max();
        _state = new(options ?? new(), [.. _learners.Select(learner => learner.Name)], _trainers, _adapters);
    }

    /// <summary>Rounds done.</summary>
    public long Round { get; private set; }

    /// <summary>Rounds of the whole run: as many as the network needs that needs most.</summary>
    public long Rounds { get; }

    /// <summary>What trains each learner, in their order; null of a frozen one.</summary>
    public IReadOnlyList<Trainer?> Trainers => _trainers;

    /// <summary>What the transfers of one <see cref="KnowledgeTransfer"/> came to, epoch by epoch of its target.</summary>
    /// <param name="transfer">Its place in the list given at first.</param>
    public IReadOnlyList<TransferRecord> HistoryOf(int transfer) => _adapters[transfer].History;

    /// <summary>Trained parameters of an adapter, which are gone when the run has ended.</summary>
    /// <param name="transfer">The place of its transfer in the list given at first.</param>
    public long AdapterParameters(int transfer) => _adapters[transfer].Parameters;

    /// <summary>Where the time went.</summary>
    public PhaseTimes Times => new(_stepping.Elapsed, _transferring.Elapsed, _updating.Elapsed, _evaluating.Elapsed);

    /// <summary>A learner's network with its weights as they are now: the graph that was given, without factors, with weights of its own.</summary>
    /// <exception cref="ArgumentException">There is no such learner.</exception>
    public Graph NetworkOf(string learner) => Surgery.Copy(Surgery.Bake(_networks[Index(learner)]).Graph);

    /// <summary>The same with the weights after the epoch that did best on the validation data; null before the first, and without validation data.</summary>
    /// <exception cref="ArgumentException">There is no such learner.</exception>
    public Graph? BestOf(string learner)
    {
        int i = Index(learner);
        if (_trainers[i]?.Best is not { } best) return null;
        Graph network = Surgery.Copy(_networks[i]);
        foreach (var (name, weights) in best) weights.Span.CopyTo(network.Parameters[name].Value!.Span);
        return Surgery.Bake(network).Graph;
    }

    /// <summary>Goes on where an interrupted run stopped, if it left a state at <see cref="JointOptions.StatePath"/>.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="TrainingException">The state is of another run.</exception>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    public bool Resume()
    {
        if (_state.Load() is not { } round) return false;
        Round = round;
        return true;
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="progress">Hears of every round.</param>
    /// <param name="epochDone">Called after every epoch of a learner, with its name.</param>
    /// <param name="cancel">Stops between rounds; the state is saved first.</param>
    /// <exception cref="TrainingException">A loss, or what an adapter generates, is not a finite number any more.</exception>
    public void Run(IProgress<JointProgress>? progress = null, Action<string, EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        foreach (Trainer? trainer in _trainers) trainer?.Begin();
        try
        {
            while (true)
            {
                if (FinishEpochs(epochDone, cancel)) Timed(_evaluating, () => _state.Save(Round));
                if (Round >= Rounds) return;
                cancel.ThrowIfCancellationRequested();
                TakeRound(epochDone);
                progress?.Report(Progress());
            }
        }
        catch (OperationCanceledException)
        {
            _state.Save(Round);
            throw;
        }
    }

    /// <summary>One round: it is not interrupted, so that a state is always one between rounds.</summary>
    private void TakeRound(Action<string, EpochRecord>? epochDone)
    {
        AdapterTraining[] due = _adapters.Any(adapter => adapter.IsDue(Round)) ? [.. _adapters.Where(adapter => adapter.IsDue(Round))] : [];
        _transferring.Start();
        foreach (AdapterTraining adapter in due) adapter.Generate(Round);
        foreach (AdapterTraining adapter in due) adapter.Write();
        _transferring.Stop();
        for (int i = 0; i < _trainers.Length; i++) TakeSteps(i, due, epochDone);
        _updating.Start();
        foreach (AdapterTraining adapter in due) adapter.Update();
        _updating.Stop();
        Round++;
        _roundsHere++;
    }

    private void TakeSteps(int learner, AdapterTraining[] due, Action<string, EpochRecord>? epochDone)
    {
        if (_trainers[learner] is not { } trainer) return;
        for (int step = 0; step < _learners[learner].StepsPerRound && !trainer.IsDone; step++)
        {
            if (trainer.EpochIsDue) FinishEpoch(learner, epochDone, CancellationToken.None);
            if (trainer.IsDone) return;
            _stepping.Start();
            trainer.TakeStep(CancellationToken.None);
            if (step == 0) foreach (AdapterTraining adapter in due.Intersect(_into[learner])) adapter.Observe();
            _stepping.Stop();
        }
    }

    private bool FinishEpochs(Action<string, EpochRecord>? epochDone, CancellationToken cancel)
    {
        bool any = false;
        for (int i = 0; i < _trainers.Length; i++)
        {
            if (_trainers[i] is not { EpochIsDue: true }) continue;
            FinishEpoch(i, epochDone, cancel);
            any = true;
        }

        return any;
    }

    private void FinishEpoch(int learner, Action<string, EpochRecord>? epochDone, CancellationToken cancel) => Timed(_evaluating, () => _trainers[learner]!.FinishEpoch(epoch =>
    {
        foreach (AdapterTraining adapter in _into[learner]) adapter.FinishEpoch(epoch.Epoch);
        epochDone?.Invoke(_learners[learner].Name, epoch);
    }, cancel));

    private static Graph Encoded(Learner learner, KnowledgeTransfer[] transfers)
    {
        var encodings = transfers.SelectMany(transfer => new[] { transfer.Source, transfer.Target }).Where(matrix => matrix.Learner == learner.Name && matrix.Rank > 0).Select(TransferPort.LowRankOf).Distinct();
        Graph network = Surgery.Copy(learner.Network);
        return encodings.Any() ? LowRank.Encode(network, encodings, learner.Options.Seed) : network;
    }

    private AdapterTraining Adapter(KnowledgeTransfer transfer, int index)
    {
        int to = Index(transfer.Target.Learner);
        TransferPort source = new(_networks[Index(transfer.Source.Learner)], transfer.Source), target = new(_networks[to], transfer.Target);
        if (!target.IsTrained) throw new GraphException($"{transfer.Target} is frozen; a transfer writes to weights that are trained");
        return new(transfer, index, source, target, _trainers[to]!);
    }

    private int Index(string learner) =>
        Array.FindIndex(_learners, l => l.Name == learner) is >= 0 and var i ? i : throw new ArgumentException($"there is no learner '{learner}'; there are {string.Join(", ", _learners.Select(l => $"'{l.Name}'"))}", nameof(learner));

    private static void Timed(Stopwatch clock, Action action)
    {
        clock.Start();
        try
        {
            action();
        }
        finally
        {
            clock.Stop();
        }
    }

    private JointProgress Progress() =>
        new(Round, Rounds, [.. _trainers.Select(trainer => trainer?.Progress())], TimeSpan.FromSeconds(Math.Min(Times.Total.TotalSeconds / _roundsHere * (Rounds - Round), 1e9)));
}
