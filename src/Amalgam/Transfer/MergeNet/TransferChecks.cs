using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>What must be true of transfers before anything is built.</summary>
internal static class TransferChecks
{
    /// <exception cref="GraphException">Something is not; the message says what.</exception>
    public static void Check(IReadOnlyList<Learner> learners, IReadOnlyList<KnowledgeTransfer> transfers)
    {
        if (learners.All(learner => learner.Frozen)) throw new GraphException("no network is trained: all are frozen");
        foreach (Learner learner in learners)
        {
            if (learners.Count(l => l.Name == learner.Name) > 1) throw new GraphException($"two networks are named '{learner.Name}'");
            if (learner.StepsPerRound < 1) throw new GraphException($"'{learner.Name}' takes {learner.StepsPerRound} steps in a round; it needs 1 or more");
            if (!learner.Frozen && learner.Loss is null) throw new GraphException($"'{learner.Name}' has data but no loss to train with");
        }

        foreach (KnowledgeTransfer transfer in transfers) Check(learners, transfer);
        for (int i = 0; i < transfers.Count; i++)
        {
            for (int k = 0; k < i; k++)
            {
                if (Overlap(transfers[i].Target, transfers[k].Target)) throw new GraphException($"two transfers write to {transfers[i].Target}: {transfers[k].Name} and {transfers[i].Name}");
            }
        }

        CheckRanks([.. transfers.SelectMany(transfer => transfer.Matrices)]);
    }

    private static void Check(IReadOnlyList<Learner> learners, KnowledgeTransfer transfer)
    {
        if (transfer.Sources.IsDefaultOrEmpty) throw new GraphException($"a transfer to {transfer.Target} has no source; name one matrix or more to learn from");
        foreach (TransferMatrix matrix in transfer.Matrices)
        {
            if (learners.All(learner => learner.Name != matrix.Learner)) throw new GraphException($"there is no network '{matrix.Learner}' for {transfer.Name}; there are {string.Join(", ", learners.Select(l => $"'{l.Name}'"))}");
            CheckNetwork(learners.First(learner => learner.Name == matrix.Learner), matrix.Matrix);
            if (matrix.Rank < 0 || matrix.Rank > matrix.Matrix.HighestRank)
                throw new GraphException($"{matrix} [{matrix.Matrix.Rows},{matrix.Matrix.Columns}] needs a rank from 1 to {matrix.Matrix.HighestRank}, or 0 for the matrix itself");
        }

        if (learners.First(learner => learner.Name == transfer.Target.Learner).Frozen) throw new GraphException($"{transfer.Name} writes to a network that is not trained");
        if (transfer.Cycle < 1) throw new GraphException($"the cycle of {transfer.Name} is {transfer.Cycle}; it is 1 or more");
        if (!(transfer.Rate >= 0) || !double.IsFinite(transfer.Rate)) throw new GraphException($"the learning rate of {transfer.Name} is {transfer.Rate}; it is 0 or more");
        if (transfer.Damping is not (null or (>= 0 and < double.PositiveInfinity))) throw new GraphException($"the damping of {transfer.Name} is {transfer.Damping}; it is 0 or more");
        if (transfer.TrustRegion is not (null or (>= 0 and < double.PositiveInfinity))) throw new GraphException($"the trust region of {transfer.Name} is {transfer.TrustRegion}; it is 0 or more");
        if (transfer.ClipNorm is not (null or > 0)) throw new GraphException($"the largest norm of {transfer.Name} is {transfer.ClipNorm}; it is above 0");
        CheckSources(learners, transfer);
    }

    private static void CheckSources(IReadOnlyList<Learner> learners, KnowledgeTransfer transfer)
    {
        for (int i = 0; i < transfer.Sources.Length; i++)
        {
            TransferMatrix source = transfer.Sources[i];
            if (source is { Rank: > 0, Start: FactorStart.Fresh } && !learners.Any(learner => learner.Trains(source)))
                throw new GraphException($"{source} is frozen and stays as it is: factors that begin fresh would say nothing of it; begin with its decomposition");
            if (Overlap(source, transfer.Target)) throw new GraphException(transfer.Sources.Length == 1 ? $"{transfer.Name} is from a matrix to itself" : $"{transfer.Name} is from {source}, among others, to itself");
            if (transfer.Sources.Take(i).Any(other => other.Learner == source.Learner && other.Matrix == source.Matrix)) throw new GraphException($"{transfer.Name} learns from {source.Learner}:{source.Matrix.Label} twice; name it once");
        }
    }

    /// <summary>A matrix says where its numbers are in the parameter that it was taken from; another network may have one of that name, stored otherwise.</summary>
    private static void CheckNetwork(Learner learner, WeightMatrix matrix)
    {
        WeightMatrix own;
        try
        {
            own = matrix.In(learner.Network);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{learner.Name}: {e.Message}", e);
        }

        if (own != matrix.Whole)
            throw new GraphException($"the matrix '{matrix.Name}' for {learner.Name} is of another network: found {matrix.Whole.Description}, expected {own.Description}; take it from the network of {learner.Name}");
    }

    private static void CheckRanks(TransferMatrix[] matrices)
    {
        foreach (TransferMatrix matrix in matrices.Where(matrix => matrix.Rank > 0))
        {
            if (matrices.FirstOrDefault(other => other.Learner == matrix.Learner && other.Matrix.Name == matrix.Matrix.Name && other != matrix && (other.Rank == 0 || Overlap(matrix, other))) is { } differs)
                throw new GraphException($"transfers take {matrix} and {differs}: give both the same rank, start and layout");
        }
    }

    /// <summary>Whether two matrices have numbers in common.</summary>
    private static bool Overlap(TransferMatrix a, TransferMatrix b) => a.Learner == b.Learner && a.Matrix.Overlaps(b.Matrix);
}
