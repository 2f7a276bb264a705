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
    private readonly List<AdapterTraining> _due = [];
    private readonly List<(string Learner, EpochRecord Epoch)> _closed = [];
    private readonly JointState _state;
    private readonly Stopwatch _stepping = new(), _transferring = new(), _updating = new(), _evaluating = new();
    private PhaseTimes _before;
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

    /// <summary>What trains each learner, in their order; null of a frozen one.</summary>
    public IReadOnlyList<Trainer?> Trainers => _trainers;

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
    /// <exception cref="TrainingException">The state is of another run.</exception>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    public bool Resume()
    {
        if (_state.Load() is not var (round, times)) return false;
        (Round, _before) = (round, times);
        return true;
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="progress">Hears of every round.</param>
    /// <param name="epochDone">Called after every epoch of a learner, with its name.</param>
    /// <param name="cancel">Stops between rounds; the state is saved first.</param>
    /// <exception cref="TrainingException">A loss, or what an adapter generates, is not a finite number any more.</exception>
    public void Run(IProgress<JointProgress>? progress = null, Action<string, EpochRecord>? epochDone = null, CancellationToken cancel = default)
    {
        try
        {
            while (true)
            {
                FinishEpochs(cancel);
                Announce(epochDone);
                if (Round >= Rounds) return;
                cancel.ThrowIfCancellationRequested();
                TakeRound();
                Announce(epochDone);
                progress?.Report(Progress());
            }
        }
        catch (OperationCanceledException)
        {
            _state.Save(Round, Times);
            throw;
        }
    }

    /// <summary>One round: it is not interrupted, so that a state is always one between rounds.</summary>
    private void TakeRound()
    {
        _due.Clear();
        foreach (AdapterTraining adapter in _adapters)
        {
            if (adapter.IsDue(Round)) _due.Add(adapter);
        }

        _transferring.Start();
        foreach (AdapterTraining adapter in _due) adapter.Generate(Round);
        foreach (AdapterTraining adapter in _due) adapter.Write();
        _transferring.Stop();
        for (int i = 0; i < _trainers.Length; i++) TakeSteps(i);
        _updating.Start();
        foreach (AdapterTraining adapter in _due) adapter.Update();
        _updating.Stop();
        Round++;
        _roundsHere++;
    }

    private void TakeSteps(int learner)
    {
        if (_trainers[learner] is not { } trainer) return;
        for (int step = 0; step < _learners[learner].StepsPerRound; step++)
        {
            if (trainer.EpochIsDue) FinishEpoch(learner, CancellationToken.None);
            if (trainer.IsDone) return;
            TakeStep(learner, trainer);
            if (step > 0) continue;
            foreach (AdapterTraining adapter in _into[learner])
            {
                if (_due.Contains(adapter)) adapter.Observe();
            }
        }
    }

    private void TakeStep(int learner, Trainer trainer)
    {
        _stepping.Start();
        try
        {
            trainer.TakeStep(CancellationToken.None);
        }
        catch (TrainingException e)
        {
            throw new TrainingException($"{_learners[learner].Name}: {e.Message}", e);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{_learners[learner].Name}: {e.Message}", e);
        }
        finally
        {
            _stepping.Stop();
        }
    }

    private void FinishEpochs(CancellationToken cancel)
    {
        for (int i = 0; i < _trainers.Length; i++)
        {
            if (_trainers[i] is { EpochIsDue: true }) FinishEpoch(i, cancel);
        }
    }

    private void FinishEpoch(int learner, CancellationToken cancel)
    {
        _evaluating.Start();
        try
        {
            _trainers[learner]!.FinishEpoch(epoch => _closed.Add((_learners[learner].Name, epoch)), cancel);
            foreach (AdapterTraining adapter in _into[learner]) adapter.FinishEpoch(_closed[^1].Epoch.Epoch);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{_learners[learner].Name}: {e.Message}", e);
        }
        finally
        {
            _evaluating.Stop();
        }
    }

    /// <summary>Between two rounds: says which epochs were closed, and keeps the state.</summary>
    private void Announce(Action<string, EpochRecord>? epochDone)
    {
        if (_closed.Count == 0) return;
        _evaluating.Start();
        _state.Save(Round, Times);
        _evaluating.Stop();
        (string, EpochRecord)[] closed = [.. _closed];
        _closed.Clear();
        foreach (var (learner, epoch) in closed) epochDone?.Invoke(learner, epoch);
    }

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

    private static Graph Encoded(Learner learner, KnowledgeTransfer[] transfers)
    {
        var encodings = transfers.SelectMany(transfer => new[] { transfer.Source, transfer.Target }).Where(matrix => matrix.Learner == learner.Name && matrix.Rank > 0).Select(TransferPort.LowRankOf).Distinct();
        Graph network = Surgery.Copy(learner.Network);
        return encodings.Any() && !learner.Frozen ? LowRank.Encode(network, encodings, learner.Options.Seed) : network;
    }

    private AdapterTraining Adapter(KnowledgeTransfer transfer)
    {
        int to = Index(transfer.Target.Learner);
        TransferPort source = new(_networks[Index(transfer.Source.Learner)], transfer.Source), target = new(_networks[to], transfer.Target);
        if (!target.IsTrained) throw new GraphException($"{transfer.Target} is frozen; a transfer writes to weights that are trained");
        return new(transfer, source, target, _trainers[to]!);
    }

    private int Index(string learner) =>
        Array.FindIndex(_learners, l => l.Name == learner) is >= 0 and var i ? i : throw new ArgumentException($"there is no learner '{learner}'; there are {string.Join(", ", _learners.Select(l => $"'{l.Name}'"))}", nameof(learner));

    private JointProgress Progress() =>
        new(Round, Rounds, [.. _trainers.Select(trainer => trainer?.Progress())], TimeSpan.FromSeconds(Math.Min((Times.Total - _before.Total).TotalSeconds / _roundsHere * (Rounds - Round), 1e9)));
}
