using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Which matrices teach which, where a description does not say it. A network with attention gives, and takes, the matrix that makes the values of its last attention; another gives the matrix of its output
/// layer and takes a late hidden one: of the last quarter of the hidden matrices that have no more rows than columns, the one whose size is nearest to the source's, the last of equal ones. Within one network the
/// output layer teaches. Of several sources each is chosen by itself, and near in size is what is near to all of them. In MobileNetV2 that is the projection of the last but one inverted residual block, as in the paper.
/// </summary>
public static class TransferProposal
{
    private const int ShareOfLate = 4;

    /// <summary>The matrix that a network gives; null where it has none.</summary>
    /// <param name="candidates">Its matrices.</param>
    /// <param name="within">Whether it gives it to itself.</param>
    public static TransferCandidate? SourceOf(ImmutableArray<TransferCandidate> candidates, bool within = false) =>
        (within ? null : candidates.FirstOrDefault(c => c.Role == MatrixRole.Values)) ?? candidates.LastOrDefault(c => c.Role == MatrixRole.Output) ?? candidates.LastOrDefault();

    /// <summary>The matrix that a network takes; null where it has none that is trained, beside the sources.</summary>
    /// <param name="candidates">Its matrices.</param>
    /// <param name="sources">What it learns from.</param>
    public static TransferCandidate? TargetOf(ImmutableArray<TransferCandidate> candidates, params IReadOnlyList<TransferCandidate> sources)
    {
        TransferCandidate[] open = [.. candidates.Where(c => c.IsTrained && !sources.Any(source => ReferenceEquals(c, source)))];
        if (open.FirstOrDefault(c => c.Role == MatrixRole.Values) is { } values) return values;
        TransferCandidate[][] choices =
        [
            [.. open.Where(c => c.Role == MatrixRole.Hidden && c.Matrix.Rows <= c.Matrix.Columns)],
            [.. open.Where(c => c.Role == MatrixRole.Hidden)],
            [.. open.Where(c => c.Role == MatrixRole.First)],
            [.. open.Where(c => c.Role != MatrixRole.Table)],
            open,
        ];
        TransferCandidate[] hidden = choices.FirstOrDefault(choice => choice.Length > 0) ?? [];
        int late = (hidden.Length + ShareOfLate - 1) / ShareOfLate;
        return hidden[^late..].Reverse().MinBy(c => sources.Sum(source => Math.Abs(Math.Log((double)c.Size / source.Size))));
    }

    /// <summary>The description with every transfer and every matrix named.</summary>
    /// <param name="run">The description.</param>
    /// <param name="candidates">The matrices of each network, by its name.</param>
    /// <param name="sizes">Numbers of all parameters of each.</param>
    /// <exception cref="GraphException">There is nothing to propose.</exception>
    public static TransferDescription Complete(TransferDescription run, IReadOnlyDictionary<string, ImmutableArray<TransferCandidate>> candidates, IReadOnlyDictionary<string, long> sizes)
    {
        ImmutableArray<TransferPair> pairs = run.Transfers.IsEmpty ? PairsOf(run, sizes) : run.Transfers;
        return run with { Transfers = [.. pairs.SelectMany(pair => Located.At(pair.Place, () => Complete(pair, candidates).ToArray()))] };
    }

    /// <summary>The frozen network, or else the largest of those that bring weights, or of all where none does, teaches each of the others; one alone teaches itself.</summary>
    private static ImmutableArray<TransferPair> PairsOf(TransferDescription run, IReadOnlyDictionary<string, long> sizes)
    {
        TransferModel[] frozen = [.. run.Models.Where(model => model.Frozen)];
        string names = string.Join(", ", frozen.Select(model => model.Name));
        if (frozen.Length > 1) throw new GraphException($"{names} are frozen: say under transfers which teaches what; 'from: [{names}]' has them teach together");
        TransferModel teacher = frozen.FirstOrDefault() ?? run.Models.OrderByDescending(model => model.BringsWeights).ThenByDescending(model => sizes[model.Name]).First();
        var taught = run.Models.Where(model => model != teacher).DefaultIfEmpty(teacher);
        return [.. taught.Select(model => new TransferPair(new TransferEnd(teacher.Name), new(model.Name)) { Cycle = run.Cycle, Adapter = run.Adapter })];
    }

    /// <summary>The pair, and behind it the ways back that are proposed anew: to a network whose matrix was not named, from one whose matrix was not.</summary>
    private static IEnumerable<TransferPair> Complete(TransferPair pair, IReadOnlyDictionary<string, ImmutableArray<TransferCandidate>> candidates)
    {
        TransferPair forth = Named(pair, candidates);
        if (pair.BackCycle is not { } cycle || pair.From.All(end => end.Matrix is not null))
        {
            yield return forth;
            yield break;
        }

        yield return forth with { BackCycle = null };
        foreach (TransferEnd end in pair.From) yield return Named(pair with { From = [end.Matrix is null ? pair.To : forth.To], To = end, Cycle = cycle, BackCycle = null }, candidates);
    }

    /// <summary>The pair with a matrix at every end.</summary>
    private static TransferPair Named(TransferPair pair, IReadOnlyDictionary<string, ImmutableArray<TransferCandidate>> candidates)
    {
        TransferEnd to = pair.To;
        pair = pair with { From = [.. pair.From.Select(end => end.Matrix is null ? Source(end, to, candidates[end.Model]) : end)] };
        if (to.Matrix is not null) return pair;
        TransferCandidate CandidateOf(TransferEnd from) => candidates[from.Model].FirstOrDefault(c => c.Matrix.Name == from.Matrix)
            ?? throw new GraphException($"{from.Model}: the network has no matrix '{from.Matrix}', so nothing near it in size can be proposed");
        TransferCandidate target = TargetOf(candidates[to.Model], [.. pair.From.Select(CandidateOf)])
            ?? throw new GraphException($"{to.Model} has no {(pair.From.Any(end => end.Model == to.Model) ? "second " : "")}matrix that is trained, which a transfer could write to");
        return pair with { To = Filled(to, target) };
    }

    private static TransferEnd Source(TransferEnd end, TransferEnd to, ImmutableArray<TransferCandidate> candidates)
    {
        bool within = end.Model == to.Model;
        if (within) candidates = candidates.RemoveAll(c => c.Matrix.Name == to.Matrix);
        return Filled(end, SourceOf(candidates, within) ?? throw new GraphException($"{end.Model} has no {(within ? "second " : "")}matrix that it could teach by"));
    }

    private static TransferEnd Filled(TransferEnd end, TransferCandidate matrix) => end with
    {
        Matrix = matrix.Matrix.Name,
        IsProposed = true,
        Rows = matrix.Matrix.Rows == matrix.Matrix.AllRows ? null : (matrix.Matrix.FirstRow, matrix.Matrix.FirstRow + matrix.Matrix.Rows),
    };
}
