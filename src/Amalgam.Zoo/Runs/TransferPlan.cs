using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>The networks and the data of a transfer run, opened, with every transfer and every matrix named.</summary>
public sealed class TransferPlan
{
    private const int AnyBatch = 2, LargeAdapter = 10;

    private readonly List<string> _notes = [];
    private readonly string _identity;

    /// <summary>Opens networks and data. Nothing is written.</summary>
    /// <param name="described">What to do.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the parts do not fit together.</exception>
    /// <exception cref="GraphException">The parts do not fit together, or there is no such matrix.</exception>
    public TransferPlan(TransferDescription described)
    {
        described = described with { Models = [.. described.Models.Select(model => model.Locate(() => Resolved(model)))] };
        Dictionary<string, RunData> opened = [];
        Members = [.. described.Models.Where(model => !model.Frozen).Select(model => model.Locate(() => Open(model, opened)))];
        Members = [.. described.Models.Select(model => Members.FirstOrDefault(member => member.Model == model) ?? model.Locate(() => OpenSource(model)))];
        foreach (TransferPair pair in described.Transfers) CheckNames(pair);
        Candidates = Members.ToImmutableDictionary(member => member.Model.Name, member => TransferCandidate.AllOf(member.Learner.Network));
        Description = Ranked(TransferProposal.Complete(described, Candidates, Members.ToDictionary(member => member.Model.Name, member => member.Parameters)));
        Transfers = [.. Description.Transfers.SelectMany(TransfersOf)];
        _notes.AddRange(InFactors.Where(matrix => matrix.Start == FactorStart.Fresh && MemberOf(matrix.Learner).Model.Model.HasWeights)
            .Select(matrix => $"{matrix} begins with fresh factors: what this weight of {matrix.Learner} had learned is discarded; start: decomposition keeps what that rank can hold of it"));
        Proposed = [.. Description.Transfers.SelectMany(ProposedIn)];
        _notes.AddRange(NotesOnTeachers().Distinct());
        _identity = TransferYaml.Write(Description with { Solo = true }, withOutput: false) + string.Concat(Members.Select(member => $"# {member.Model.Name}\n{member.Identity}"));
    }

    /// <summary>The description with every transfer and every matrix named.</summary>
    public TransferDescription Description { get; }

    /// <summary>Of each transfer, its matrices that were proposed, and not described.</summary>
    public ImmutableArray<ImmutableArray<TransferMatrix>> Proposed { get; }

    /// <summary>Whether some of that was proposed.</summary>
    public bool IsProposed => Proposed.Any(matrices => !matrices.IsEmpty);

    /// <summary>The networks, in the order of the description.</summary>
    public ImmutableArray<TransferMember> Members { get; }

    /// <summary>The matrices of each network, by its name.</summary>
    public ImmutableDictionary<string, ImmutableArray<TransferCandidate>> Candidates { get; }

    /// <summary>What goes from where to where; a transfer back follows the one there.</summary>
    public ImmutableArray<KnowledgeTransfer> Transfers { get; }

    /// <summary>What a user should know of the networks, one sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Tells the run from those with another description or other data.</summary>
    public string Identity => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_identity)))[..16];

    /// <summary>Whether transfers change how a network trains: one writes to it, or has one of its matrices in factors.</summary>
    public bool Changes(string model) => Transfers.Any(transfer => transfer.Target.Learner == model) || InFactors.Any(matrix => matrix.Learner == model);

    /// <summary>The matrices that train as a product of factors.</summary>
    public ImmutableArray<TransferMatrix> InFactors =>
        [.. Transfers.SelectMany(transfer => transfer.Matrices).Where(matrix => matrix.Rank > 0 && MemberOf(matrix.Learner).Learner.Trains(matrix)).Distinct()];

    /// <summary>How often a transfer comes in the whole run.</summary>
    /// <param name="training">Of <see cref="Begin"/>.</param>
    /// <param name="transfer">Its place in <see cref="Transfers"/>.</param>
    public long TimesOf(JointTraining training, int transfer)
    {
        string target = Transfers[transfer].Target.Learner;
        int cycle = Transfers[transfer].Cycle, steps = MemberOf(target).Model.Steps;
        long rounds = (training.RecordOf(target)!.Steps + steps - 1) / steps;
        return (rounds + cycle - 1) / cycle;
    }

    /// <summary>What a user should know of the transfers before they begin, one sentence each.</summary>
    /// <param name="training">Of <see cref="Begin"/>.</param>
    public IEnumerable<string> NotesOn(JointTraining training)
    {
        for (int i = 0; i < Transfers.Length; i++)
        {
            KnowledgeTransfer transfer = Transfers[i];
            if (TimesOf(training, i) == 1 && training.Rounds > 1) yield return FormattableString.Invariant($"{transfer.Name} comes once, in the first of {training.Rounds:#,0} rounds: its cycle is {transfer.Cycle}");
            long adapter = training.AdapterParameters(i), network = MemberOf(transfer.Target.Learner).Parameters;
            if (adapter > LargeAdapter * network)
                yield return FormattableString.Invariant($"the adapter of {transfer.Name} has {adapter:#,0} parameters, {Math.Round((double)adapter / network):#,0} times as many as {transfer.Target.Learner}: ") + AdapterAdvice.For(transfer);
        }
    }

    /// <summary>The training of all networks, at its beginning.</summary>
    /// <param name="state">Where its state is kept; null for nowhere.</param>
    /// <param name="cancel">Stops the decomposition of matrices.</param>
    /// <exception cref="GraphException">The transfers do not fit the networks, or the networks their data.</exception>
    public JointTraining Begin(string? state = null, CancellationToken cancel = default) =>
        LocatedTraining(() => new(Members.Select(member => member.Learner), Transfers, new() { StatePath = state, Description = _identity }, cancel));

    /// <summary>Begins a training. What is wrong is of the network that cannot train by itself, or of the last of the fewest transfers that do not go together.</summary>
    private JointTraining LocatedTraining(Func<JointTraining> begin)
    {
        try
        {
            return begin();
        }
        catch (GraphException)
        {
            foreach (TransferMember member in Members.Where(member => !member.Model.Frozen)) Located.At(member.Model.Place, () => new JointTraining([member.Learner], []));
            for (int i = 1; i <= Transfers.Length; i++) Located.At(Places[i - 1], () => new JointTraining(Members.Select(member => member.Learner), Transfers[..i]));
            throw;
        }
    }

    /// <summary>Where each transfer is described, file, line and column.</summary>
    private string?[] Places => [.. Description.Transfers.SelectMany(pair => TransfersOf(pair).Select(_ => pair.Place))];

    private TransferMember Open(TransferModel model, Dictionary<string, RunData> opened)
    {
        RunDescription run = model.Run!;
        DataDescription described = ModelText.For(run.Data, run.Model.Name);
        string key = RunYaml.Data(described);
        if (!opened.TryGetValue(key, out RunData? data)) opened.Add(key, data = RunData.Open(described));
        Loss loss = RunTrainer.LossOf(run.Loss, run.Data);
        Graph network = ModelLoader.Build(model.Model, AnyBatch, run.Seed, data.Train, _notes);
        var (taught, options) = RunTrainer.Prepare(run, network, loss, data, null);
        _notes.AddRange(NetworkFit.NotesOf(run, data).Select(note => $"{model.Name}: {note}"));
        return new(model, new(model.Name, network, taught, data.Train, options, data.Validation) { StepsPerRound = model.Steps }, options.Description) { Data = data, Loss = loss };
    }

    /// <summary>Networks that are drawn by chance and teach others that are trained already.</summary>
    private IEnumerable<string> NotesOnTeachers()
    {
        foreach (var (source, target) in Transfers.SelectMany(transfer => transfer.Sources.Select(source => (source, transfer.Target))))
        {
            TransferModel teacher = MemberOf(source.Learner).Model, taught = MemberOf(target.Learner).Model;
            if (!teacher.BringsWeights && !teacher.Frozen && taught.BringsWeights)
                yield return $"{teacher.Name} is drawn by chance and teaches {taught.Name}, which brings weights of its own: until {teacher.Name} has learned something, what it teaches is noise; name its weights, or let {taught.Name} teach alone";
        }
    }

    /// <summary>A network that is not trained. Lengths that an ONNX file leaves open are those of the data that the others learn from.</summary>
    private TransferMember OpenSource(TransferModel model)
    {
        if (!model.Model.HasWeights) _notes.Add($"{model.Name} is frozen and has no weights of its own: they are drawn by chance, so what it teaches is noise; name a trained network, or its weights");
        Graph network = ModelLoader.Build(model.Model, AnyBatch, model.Seed, Members.Select(member => member.Data!.Train).FirstOrDefault(), _notes);
        return new(model, Learner.Source(model.Name, network), ParentModel.DigestOf(network) + "\n");
    }

    /// <summary>A folder of a run stands for the network that the run is known by.</summary>
    private static TransferModel Resolved(TransferModel model)
    {
        ModelDescription named = RunFolder.Resolve(model.Model);
        return model with { Model = named, Run = model.Run is { } own ? own with { Model = named } : null };
    }

    /// <summary>With the usual ranks as numbers.</summary>
    private TransferDescription Ranked(TransferDescription run)
    {
        TransferEnd Of(TransferEnd end) => end.Rank != TransferEnd.UsualRank ? end : MatrixOf(end) is var matrix ? end with { Rank = LowRank.UsualRank(matrix.Rows, matrix.Columns) } : end;
        return run with { Transfers = [.. run.Transfers.Select(pair => pair with { From = [.. pair.From.Select(Of)], To = Of(pair.To) })] };
    }

    private IEnumerable<KnowledgeTransfer> TransfersOf(TransferPair pair)
    {
        TransferMatrix to = End(pair.To);
        KnowledgeTransfer forth = new([.. pair.From.Select(End)], to, pair.Adapter.Adapter, pair.Cycle)
        {
            Rule = pair.Adapter.Rule,
            Optimizer = pair.Adapter.Optimizer,
            Rate = pair.Adapter.Rate,
            Schedule = pair.Adapter.Schedule,
            ClipNorm = pair.Adapter.ClipNorm,
            ResetsMomentum = pair.ResetsMomentum,
            Damping = pair.Adapter.Damping,
            TrustRegion = pair.Adapter.TrustRegion,
            WritesDropout = pair.Adapter.WritesDropout,
            Seed = Description.Seed,
        };
        yield return forth;
        if (pair.BackCycle is not { } cycle) yield break;
        foreach (TransferMatrix from in forth.Sources) yield return forth with { Sources = [to], Target = from, Cycle = cycle };
    }

    /// <summary>In the order of <see cref="TransfersOf"/>.</summary>
    private IEnumerable<ImmutableArray<TransferMatrix>> ProposedIn(TransferPair pair)
    {
        ImmutableArray<TransferMatrix> Of(params IEnumerable<TransferEnd> ends) => [.. ends.Where(end => end.IsProposed).Select(End)];
        yield return Of(pair.From.Append(pair.To));
        if (pair.BackCycle is null) yield break;
        foreach (TransferEnd from in pair.From) yield return Of(pair.To, from);
    }

    /// <summary>What is named must be there before something is proposed beside it.</summary>
    private void CheckNames(TransferPair pair)
    {
        foreach (TransferEnd end in pair.From.Append(pair.To))
        {
            if (end.Matrix is null) continue;
            Located.At(pair.Place, () => MatrixOf(end));
        }
    }

    private TransferMatrix End(TransferEnd end) => new(end.Model, MatrixOf(end), end.Rank) { Start = end.Start, Alpha = end.Alpha };

    private TransferMember MemberOf(string name) => Members.First(member => member.Model.Name == name);

    private WeightMatrix MatrixOf(TransferEnd end)
    {
        try
        {
            return WeightMatrix.Of(MemberOf(end.Model).Learner.Network, end.Matrix!, end.Layout, end.Rows is var (from, to) ? (from, to - from) : null);
        }
        catch (GraphException e)
        {
            throw new GraphException($"transfers: {end.Model}: {e.Message}", e);
        }
    }
}

/// <summary>A network of a transfer run, opened.</summary>
/// <param name="Model">What it is.</param>
/// <param name="Learner">How it takes part.</param>
/// <param name="Identity">What tells its run from others.</param>
public sealed record TransferMember(TransferModel Model, Learner Learner, string Identity)
{
    /// <summary>Its data; null where it is frozen.</summary>
    public RunData? Data { get; init; }

    /// <summary>What it is judged by; null where it is frozen.</summary>
    public Loss? Loss { get; init; }

    /// <summary>Numbers of all its parameters.</summary>
    public long Parameters => Learner.Network.Parameters.Values.Sum(parameter => parameter.Shape.Count);
}
