using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>
/// Trains several networks side by side while parameters of one become part of another's (MergeNet, section 3.2). In round t every transfer whose cycle divides t generates its target from one
/// snapshot of all matrices (eqs. 1 and 7); when all have, they are written. Then each network takes its own steps on its own data, from the written values on, and the adapters of the
/// round learn. Networks that no transfer writes to, and of which no matrix has a rank, train to the same bits as alone. Nothing of an adapter is in what <see cref="NetworkOf"/> gives.
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
    private PhaseTimes _before;
    private long _roundsHere;
    private bool _isOpen;

    /// <param name="learners">The networks.</param>
    /// <param name="transfers">What goes from where to where; none trains each alone.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Stops the decomposition of matrices that are encoded at a rank.</param>
    /// <exception cref="GraphException">A transfer names what is not there, or does not fit; or a network and its data do not go together.</exception>
    public JointTraining(IEnumerable<Learner> learners, IEnumerable<KnowledgeTransfer> transfers, JointOptions? options = null, CancellationToken cancel = default)
    {
        _learners = [.. learners];
        KnowledgeTransfer[] all = [.. transfers];
        TransferChecks.Check(_learners, all);
        _networks = [.. _learners.Select(learner => Encoded(learner, all, cancel))];
        _trainers = [.. _learners.Select((learner, i) => learner.Frozen ? null : TrainerOf(learner, _networks[i]))];
        _adapters = [.. all.Select(Adapter)];
        _into = [.. _learners.Select(learner => _adapters.Where((_, i) => all[i].Target.Learner == learner.Name).ToArray())];
        Rounds = _trainers.Select((trainer, i) => trainer is null ? 0 : (trainer.Steps + _learners[i].StepsPerRound - 1) / _learners[i].StepsPerRound).Max();
        _state = new(options ?? new(), _learners, _trainers, _adapters);
    }

    /// <summary>Rounds done.</summary>
    public long Round { get; private set; }

    /// <summary>Rounds of the whole run: as many as the network needs that needs most.</summary>
    public long Rounds { get; }

    /// <summary>How far a learner's own training has come; null of a frozen one.</summary>
    /// <exception cref="ArgumentException">There is no such learner.</exception>
    public LearnerRecord? RecordOf(string learner) => _trainers[Index(learner)] is { } trainer ? new(trainer.Step, trainer.Steps, trainer.History, trainer.BestEpoch) : null;

    /// <summary>What the transfers of one <see cref="KnowledgeTransfer"/> came to, epoch by epoch of its target.</summary>
    /// <param name="transfer">Its place in the list given at first.</param>
    public IReadOnlyList<TransferRecord> HistoryOf(int transfer) => _adapters[transfer].History;

    /// <summary>Trained parameters of an adapter, which are gone when the run has ended.</summary>
    /// <param name="transfer">The place of its transfer in the list given at first.</param>
    public long AdapterParameters(int transfer) => _adapters[transfer].Parameters;

    /// <summary>Where the time went since the run began, before it was resumed too.</summary>
    public PhaseTimes Times => new(_before.Steps + _stepping.Elapsed, _before.Transfers + _transferring.Elapsed, _before.AdapterUpdates + _updating.Elapsed, _before.Evaluation + _evaluating.Elapsed);

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
    /// <exception cref="TrainingException">The state is of another run; this one is as it was.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, does not fit, or is of an older form; this run may hold parts of it, and <see cref="Run"/> refuses to go on from there.</exception>
    public bool Resume()
    {
        if (_state.Load() is not { } position) return false;
        (Round, _isOpen, _before) = (position.Round, position.IsOpen, position.Times);
        return true;
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="progress">Hears of every round.</param>
    /// <param name="epochDone">Called after every epoch of a learner, with its name.</param>
    /// <param name="cancel">Stops at a step, within a round or between two; the state is saved first.</param>
    /// <exception cref="TrainingException">A loss, or what an adapter generates, is not a finite number any more; or <see cref="Resume"/> failed half-way.</exception>
    public void Run(IProgress<JointProgress>? progress = null, Action<string, EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        if (_state.IsHalfRead) throw new TrainingException(TrainingState.HalfRead);
        try
        {
            while (true)
            {
                // An epoch that ends with a round is closed when the round is, with what its adapters have learned.
                for (int i = 0; i < _trainers.Length && !_isOpen; i++) FinishEpoch(i, epochDone, cancel);
                if (Round >= Rounds) return;
                TakeRound(epochDone, cancel);
                progress?.Report(Progress());
            }
        }
        catch (OperationCanceledException)
        {
            Save();
            throw;
        }
    }

    /// <summary>One round, or what is left of it. What has been done of it the state knows: whether its transfers are written, each network's steps, and which adapters have yet to learn.</summary>
    private void TakeRound(Action<string, EpochRecord>? epochDone, CancellationToken cancel)
    {
        if (!_isOpen) Transfer(cancel);
        for (int i = 0; i < _trainers.Length; i++) TakeSteps(i, epochDone, cancel);
        UpdateAdapters(cancel);
        _isOpen = false;
        Round++;
        _roundsHere++;
    }

    /// <summary>All that are due generate from one snapshot; then all are written.</summary>
    private void Transfer(CancellationToken cancel)
    {
        using Timed time = new(_transferring);
        foreach (AdapterTraining adapter in _adapters)
        {
            cancel.ThrowIfCancellationRequested();
            if (adapter.IsDue(Round)) adapter.Generate(Round);
        }

        foreach (AdapterTraining adapter in _adapters)
        {
            if (adapter.IsDue(Round)) adapter.Write();
        }

        _isOpen = true;
    }

    private void TakeSteps(int learner, Action<string, EpochRecord>? epochDone, CancellationToken cancel)
    {
        if (_trainers[learner] is not { } trainer) return;
        long first = Round * _learners[learner].StepsPerRound, end = Math.Min(trainer.Steps, first + _learners[learner].StepsPerRound);
        while (trainer.Step < end)
        {
            FinishEpoch(learner, epochDone, cancel);
            TakeStep(learner, trainer, cancel);
            if (trainer.Step > first + 1) continue;
            foreach (AdapterTraining adapter in _into[learner]) adapter.Observe();
        }
    }

    private void TakeStep(int learner, Trainer trainer, CancellationToken cancel)
    {
        using Timed time = new(_stepping);
        try
        {
            trainer.TakeStep(cancel);
        }
        catch (TrainingException e)
        {
            throw new TrainingException($"{_learners[learner].Name}: {e.Message}", e);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{_learners[learner].Name}: {e.Message}", e);
        }
    }

    private void UpdateAdapters(CancellationToken cancel)
    {
        using Timed time = new(_updating);
        foreach (AdapterTraining adapter in _adapters)
        {
            cancel.ThrowIfCancellationRequested();
            adapter.Update();
        }
    }

    /// <summary>Closes an epoch that is due, and keeps the state.</summary>
    private void FinishEpoch(int learner, Action<string, EpochRecord>? epochDone, CancellationToken cancel)
    {
        if (_trainers[learner] is not { EpochIsDue: true } trainer) return;
        using (new Timed(_evaluating))
        {
            try
            {
                trainer.FinishEpoch(null, cancel);
            }
            catch (GraphException e)
            {
                throw new GraphException($"{_learners[learner].Name}: {e.Message}", e);
            }

            foreach (AdapterTraining adapter in _into[learner]) adapter.FinishEpoch(trainer.History[^1].Epoch);
            Save();
        }

        epochDone?.Invoke(_learners[learner].Name, trainer.History[^1]);
    }

    private void Save() => _state.Save(new(Round, _isOpen, Times));

    private static Trainer TrainerOf(Learner learner, Graph network)
    {
        TrainingOptions options = learner.Options with { StatePath = null };
        // What holds for a weight holds for its factors.
        if (options.Settings is { } settings) options = options with { Settings = node => settings(LowRank.EncodedIn(node.Name!, learner.Network) ?? node) };
        try
        {
            return new(network, learner.Loss!, learner.Data!, options, learner.Validation);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{learner.Name}: {e.Message}", e);
        }
    }

    private static Graph Encoded(Learner learner, KnowledgeTransfer[] transfers, CancellationToken cancel)
    {
        var encodings = transfers.SelectMany(transfer => transfer.Matrices).Where(matrix => matrix.Rank > 0 && learner.Trains(matrix)).Select(TransferPort.LowRankOf).Distinct();
        Graph network = Surgery.Copy(learner.Network);
        return encodings.Any() ? LowRank.Encode(network, encodings, learner.Options.Seed, cancel) : network;
    }

    private AdapterTraining Adapter(KnowledgeTransfer transfer)
    {
        int to = Index(transfer.Target.Learner);
        TransferPort[] sources = [.. transfer.Sources.Select(source => new TransferPort(_networks[Index(source.Learner)], source))];
        TransferPort target = new(_networks[to], transfer.Target);
        if (!target.IsTrained) throw new GraphException($"{transfer.Target} is frozen; a transfer writes to weights that are trained");
        return new(transfer, sources, target, _trainers[to]!);
    }

    private int Index(string learner) =>
        Array.FindIndex(_learners, l => l.Name == learner) is >= 0 and var i ? i : throw new ArgumentException($"there is no learner '{learner}'; there are {string.Join(", ", _learners.Select(l => $"'{l.Name}'"))}", nameof(learner));

    private JointProgress Progress()
    {
        TrainingProgress?[] learners = new TrainingProgress?[_trainers.Length];
        for (int i = 0; i < learners.Length; i++) learners[i] = _trainers[i]?.Progress();
        return new(Round, Rounds, learners, TimeSpan.FromSeconds(Math.Min((Times.Total - _before.Total).TotalSeconds / _roundsHere * (Rounds - Round), 1e9)));
    }

    /// <summary>Time that counts for a phase until it is left, however it is left.</summary>
    private readonly ref struct Timed
    {
        private readonly Stopwatch _watch;

        public Timed(Stopwatch watch)
        {
            _watch = watch;
            watch.Start();
        }

        public void Dispose() => _watch.Stop();
    }
}
