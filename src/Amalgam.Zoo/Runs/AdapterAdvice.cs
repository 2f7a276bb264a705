using System.Globalization;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What makes a large adapter smaller, with the number of parameters that each change would leave: what leaves nearly all of them is not named.</summary>
internal static class AdapterAdvice
{
    private const double Worth = 0.75;
    private const int SmallWidth = 16;

    /// <summary>Parameters that are trained of an adapter between matrices, known from their shapes.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="sources">Shapes of the sources' numbers.</param>
    /// <param name="target">Shape of the target's.</param>
    public static long ParametersOf(ParameterAdapter adapter, Shape[] sources, Shape target) => adapter switch
    {
        // Of the published form the vectors that estimate spectral norms are kept and not trained.
        LowRankAdapter { Form: AdapterForm.Published } attention => (long)attention.SizeOf(target, sources).Weights - Estimates(attention, sources, target),
        LowRankAdapter attention => (long)attention.SizeOf(target, sources).Weights,
        MlpAdapter mlp => (long)mlp.SizeOf(target, sources[0]).Weights,
        _ => long.MaxValue,
    };

    /// <summary>The shape of the numbers that an adapter sees of a matrix: the matrix, or its factor.</summary>
    public static Shape ShapeOf(TransferMatrix end) => new(end.Rank > 0 ? TransferPort.LowRankOf(end).Inner : end.Matrix.Rows, end.Matrix.Columns);

    /// <summary>The changes, such as <c>it would have 206,284 with layers: 1; 178,456 with unfoldings: rows</c>.</summary>
    public static string For(KnowledgeTransfer transfer)
    {
        Shape[] sources = [.. transfer.Sources.Select(ShapeOf)];
        Shape target = ShapeOf(transfer.Target);
        long now = ParametersOf(transfer.Adapter, sources, target);
        var useful = Changes(transfer, sources, target).Where(change => change.Parameters <= Worth * now).ToArray();
        return useful.Length == 0 ? "a longer cycle makes it cost less"
            : $"it would have {string.Join("; ", useful.Select(change => string.Create(CultureInfo.InvariantCulture, $"{change.Parameters:#,0} with {change.What}")))}";
    }

    private static IEnumerable<(string What, long Parameters)> Changes(KnowledgeTransfer transfer, Shape[] sources, Shape target)
    {
        ParameterAdapter adapter = transfer.Adapter;
        if (adapter is LowRankAdapter attention)
        {
            bool isDeep = attention.Layers > 1, isWhole = attention.Unfoldings == Unfoldings.All;
            LowRankAdapter byRows = attention with { Unfoldings = Unfoldings.Rows };
            if (isDeep) yield return ("layers: 1", ParametersOf(attention with { Layers = 1 }, sources, target));
            if (isWhole) yield return ("unfoldings: rows", ParametersOf(byRows, sources, target));
            if (isDeep && isWhole) yield return ("layers: 1 and unfoldings: rows", ParametersOf(byRows with { Layers = 1 }, sources, target));
        }

        if (adapter is not MlpAdapter { Width: <= SmallWidth } && sources.Length == 1) yield return ($"name: mlp, width: {SmallWidth}", ParametersOf(new MlpAdapter(SmallWidth), sources, target));
        if (transfer.Matrices.Any(end => end.Rank == 0)) yield return ("rank: usual of all matrices", ParametersOf(adapter, [.. transfer.Sources.Select(Ranked)], Ranked(transfer.Target)));
        if (transfer.Matrices.All(end => end.Rank == 0)) yield return ("half of the rows of all", ParametersOf(adapter, [.. sources.Select(Half)], Half(target)));
    }

    private static long Estimates(LowRankAdapter adapter, Shape[] sources, Shape target)
    {
        long Of(Shape written) => (long)FeedForward.SizeOf(written[0], written[1], AdapterForm.Published).Weights - (long)FeedForward.SizeOf(written[0], written[1], AdapterForm.Residual).Weights;
        return adapter.Layers * Of(target) + (adapter.SourceEvolves ? (adapter.Layers - 1) * sources.Sum(Of) : 0);
    }

    private static Shape Ranked(TransferMatrix end) => ShapeOf(end.Rank > 0 ? end : end with { Rank = LowRank.UsualRank(end.Matrix.Rows, end.Matrix.Columns) });

    private static Shape Half(Shape matrix) => new(Math.Max(1, matrix.Size(0) / 2), matrix.Size(1));
}
