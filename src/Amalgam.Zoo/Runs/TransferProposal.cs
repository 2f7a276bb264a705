using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Runs;

/// <summary>
/// Which matrices teach which, where a description does not say it. A network with attention gives, and takes, the matrix that makes the values of its last attention; another gives the matrix of its output
/// layer and takes a late hidden one: of the last quarter of the hidden matrices that have no more rows than columns, the one whose size is nearest to the source's, the last of equal ones. Within one network the
/// output layer teaches. In MobileNetV2 that is the projection of the last but one inverted residual block, as in the paper.
/// </summary>
public static class TransferProposal
{
    private const int ShareOfLate = 4;

    /// <summary>The matrix that a network gives; null where it has none.</summary>
    /// <param name="candidates">Its matrices.</param>
    /// <param name="within">Whether it gives it to itself.</param>
    public static TransferCandidate? SourceOf(ImmutableArray<TransferCandidate> candidates, bool within = false) =>
        (within ? null : candidates.FirstOrDefault(c => c.Role == MatrixRole.Values)) ?? candidates.LastOrDefault(c => c.Role == MatrixRole.Output) ?? candidates.LastOrDefault();

    /// <summary>The matrix that a network takes; null where it has none that is trained, beside the source.</summary>
    /// <param name="candidates">Its matrices.</param>
    /// <param name="source">What it learns from.</param>
    public static TransferCandidate? TargetOf(ImmutableArray<TransferCandidate> candidates, TransferCandidate source)
    {
        TransferCandidate[] open = [.. candidates.Where(c => c.IsTrained && !ReferenceEquals(c, source))];
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
        return hidden[^late..].Reverse().MinBy(c => Math.Abs(Math.Log((double)c.Size / source.Size)));
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

    /// <summary>The frozen network, or else the largest, teaches each of the others; one alone teaches itself.</summary>
    private static ImmutableArray<TransferPair> PairsOf(TransferDescription run, IReadOnlyDictionary<string, long> sizes)
    {
        TransferModel[] frozen = [.. run.Models.Where(model => model.Frozen)];
        if (frozen.Length > 1) throw new GraphException($"{string.Join(", ", frozen.Select(model => model.Name))} are frozen: say under transfers which teaches what");
        TransferModel teacher = frozen.FirstOrDefault() ?? run.Models.MaxBy(model => sizes[model.Name])!;
        var taught = run.Models.Where(model => model != teacher).DefaultIfEmpty(teacher);
        return [.. taught.Select(model => new TransferPair(new(teacher.Name), new(model.Name)) { Cycle = run.Cycle, Adapter = run.Adapter })];
    }

    private static IEnumerable<TransferPair> Complete(TransferPair pair, IReadOnlyDictionary<string, ImmutableArray<TransferCandidate>> candidates)
    {
        bool isFree = pair.From.Matrix is null && pair.To.Matrix is null;
        yield return Named(pair, candidates) with { BackCycle = isFree ? null : pair.BackCycle };
        if (isFree && pair.BackCycle is { } cycle) yield return Named(pair with { From = pair.To, To = pair.From, Cycle = cycle, BackCycle = null }, candidates);
    }

    /// <summary>The pair with a matrix at both ends.</summary>
    private static TransferPair Named(TransferPair pair, IReadOnlyDictionary<string, ImmutableArray<TransferCandidate>> candidates)
    {
        TransferEnd from = pair.From, to = pair.To;
        if (from.Matrix is not null && to.Matrix is not null) return pair;
        bool within = from.Model == to.Model;
        if (from.Matrix is null)
        {
            ImmutableArray<TransferCandidate> open = within ? candidates[from.Model].RemoveAll(c => c.Matrix.Name == to.Matrix) : candidates[from.Model];
            from = Filled(from, SourceOf(open, within) ?? throw new GraphException($"{from.Model} has no {(within ? "second " : "")}matrix that it could teach by"));
        }

        if (to.Matrix is not null) return pair with { From = from };
        TransferCandidate source = candidates[from.Model].FirstOrDefault(c => c.Matrix.Name == from.Matrix)
            ?? throw new GraphException($"{from.Model}: the network has no matrix '{from.Matrix}', so nothing near it in size can be proposed");
        TransferCandidate target = TargetOf(candidates[to.Model], source) ?? throw new GraphException($"{to.Model} has no {(within ? "second " : "")}matrix that is trained, which a transfer could write to");
        return pair with { From = from, To = Filled(to, target) };
    }

    private static TransferEnd Filled(TransferEnd end, TransferCandidate matrix) => end with
    {
        Matrix = matrix.Matrix.Name,
        IsProposed = true,
        Rows = matrix.Matrix.Rows == matrix.Matrix.AllRows ? null : (matrix.Matrix.FirstRow, matrix.Matrix.FirstRow + matrix.Matrix.Rows),
    };
}
