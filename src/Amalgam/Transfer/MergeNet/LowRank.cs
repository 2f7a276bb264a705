using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Transfer.MergeNet;

/// <summary>How the factors of a matrix begin.</summary>
public enum FactorStart
{
    /// <summary>As the nearest matrix of that rank, the truncated singular value decomposition: B = U S^(1/2), A = S^(1/2) V'. For networks that are trained.</summary>
    Decomposition,

    /// <summary>Both uniform in +-1 / sqrt(columns), whatever was there: Kaiming's uniform start with a = sqrt(5). For networks that are not.</summary>
    Fresh,
}

/// <summary>
/// A matrix W [N, M] of a network in a low-rank encoding (MergeNet, equations 4 and 5): W = alpha / rank x B A, with B [N, rank] and A [rank, M] as parameters in its place. In loralib's layout of kernels of side k the
/// factors have k times as many columns and rows.
/// </summary>
/// <param name="Matrix">What is encoded.</param>
/// <param name="Rank">The rank, 1 or more.</param>
/// <param name="Start">How the factors begin.</param>
/// <param name="Alpha">The product is multiplied by this over the rank; 0 for the rank itself.</param>
public sealed record LowRank(WeightMatrix Matrix, int Rank, FactorStart Start = FactorStart.Decomposition, double Alpha = 0)
{
    /// <summary>What the names of the factors begin with.</summary>
    public const string Prefix = "factors/";

    private const int MostUsual = 64;

    /// <summary>Name of the parameter A.</summary>
    public string NameOfA => $"{Key}.A";

    /// <summary>Name of the parameter B.</summary>
    public string NameOfB => $"{Key}.B";

    /// <summary>Rows of A and columns of B.</summary>
    public int Inner => Rank * Matrix.Side;

    private string Key => Prefix + Matrix.Label;

    private double Scale => (Alpha == 0 ? Rank : Alpha) / Rank;

    /// <summary>The rank that is taken where none is given: an eighth of the shorter side, from 1 to 64.</summary>
    public static int UsualRank(int rows, int columns) => Math.Clamp(Math.Min(rows, columns) / 8, 1, MostUsual);

    /// <summary>Puts factors in the place of matrices. <see cref="Surgery.Bake"/> multiplies them out again, and gives the network's graph.</summary>
    /// <param name="network">The network; it stays as it is.</param>
    /// <param name="matrices">Matrices of that network, no two with a row in common.</param>
    /// <param name="seed">Draws factors that begin fresh.</param>
    /// <param name="cancel">Stops it.</param>
    /// <returns>The network, in which the factors are trainable where the parameters were. What is not encoded shares its tensors with the network given.</returns>
    /// <exception cref="GraphException">A matrix is not of this network, has a lower rank than asked for, or is asked for twice.</exception>
    public static Graph Encode(Graph network, IEnumerable<LowRank> matrices, long seed = 0, CancellationToken cancel = default)
    {
        Dictionary<string, Func<Graph, Node, Node>> expressions = [];
        foreach (var parts in matrices.GroupBy(m => m.Matrix.Name))
        {
            LowRank[] sorted = [.. parts.OrderBy(m => m.Matrix.FirstRow)];
            for (int i = 0; i < sorted.Length; i++) sorted[i].Check(network, i == 0 ? null : sorted[i - 1].Matrix);
            expressions[parts.Key] = (to, parameter) => Express(to, parameter, sorted, seed, cancel);
        }

        return Surgery.Replace(network, expressions).Graph;
    }

    /// <summary>The parameter that another one is a factor, or other rows, of; null where it is none.</summary>
    /// <param name="name">The name of a parameter of an encoded network.</param>
    /// <param name="network">The network before it was encoded.</param>
    internal static Node? EncodedIn(string name, Graph network) => !name.StartsWith(Prefix, StringComparison.Ordinal) || network.Parameters.ContainsKey(name) ? null
        : network.Parameters.Where(p => name.AsSpan(Prefix.Length).StartsWith(p.Key, StringComparison.Ordinal) && name[Prefix.Length + p.Key.Length] is '.' or '[').MaxBy(p => p.Key.Length).Value;

    private static Node Express(Graph to, Node parameter, LowRank[] parts, long seed, CancellationToken cancel)
    {
        WeightMatrix whole = parts[0].Matrix.Whole;
        List<Node> rows = [];
        int at = 0;
        foreach (LowRank part in parts)
        {
            if (part.Matrix.FirstRow > at) rows.Add(Rest(to, parameter, whole.Part(at, part.Matrix.FirstRow - at)));
            rows.Add(part.Product(to, parameter, seed, cancel));
            at = part.Matrix.FirstRow + part.Matrix.Rows;
        }

        if (at < whole.AllRows) rows.Add(Rest(to, parameter, whole.Part(at, whole.AllRows - at)));
        return whole.ToParameter(rows.Count == 1 ? rows[0] : Layout.Concat(0, [.. rows]));
    }

    /// <summary>Rows that are not encoded, as a parameter of their own.</summary>
    private static Node Rest(Graph to, Node parameter, WeightMatrix matrix) =>
        to.Parameter(Prefix + matrix.Label, Values(parameter, matrix), parameter.Trainable);

    private Node Product(Graph to, Node parameter, long seed, CancellationToken cancel)
    {
        var (a, b) = Start == FactorStart.Fresh
            ? (Initialisation.Default.Draw(new(Inner, Matrix.Columns), seed, NameOfA), Initialisation.Default.Draw(new(Matrix.Rows, Inner), seed, NameOfB))
            : Decompose(Values(parameter, Matrix), cancel);
        Node product = to.Parameter(NameOfB, b, parameter.Trainable).MatMul(to.Parameter(NameOfA, a, parameter.Trainable));
        return Scale == 1 ? product : product * (float)Scale;
    }

    private (Tensor A, Tensor B) Decompose(Tensor matrix, CancellationToken cancel)
    {
        TruncatedSvd svd;
        try
        {
            svd = TruncatedSvd.Of(matrix.Span, Matrix.Rows, Matrix.Columns, Inner, cancel);
        }
        catch (Exception e) when (e is ArgumentException or ArithmeticException)
        {
            throw new GraphException($"'{Matrix.Name}' cannot be decomposed: {e.Message}", e);
        }

        Tensor a = new(new(Inner, Matrix.Columns)), b = new(new(Matrix.Rows, Inner));
        for (int k = 0; k < Inner; k++)
        {
            double root = Math.Sqrt(svd.Values[k] / Scale);
            ReadOnlySpan<double> left = svd.Left(k), right = svd.Right(k);
            for (int column = 0; column < right.Length; column++) a.Span[k * right.Length + column] = (float)(root * right[column]);
            for (int row = 0; row < left.Length; row++) b.Span[row * Inner + k] = (float)(root * left[row]);
        }

        return (a, b);
    }

    private static Tensor Values(Node parameter, WeightMatrix matrix)
    {
        Tensor values = new(new(matrix.Rows, matrix.Columns));
        matrix.Read(parameter.Value!.Span, values.Span);
        return values;
    }

    private void Check(Graph network, WeightMatrix? before)
    {
        if (!network.Parameters.TryGetValue(Matrix.Name, out Node? parameter) || parameter.Shape != Matrix.Shape)
            throw new GraphException($"'{Matrix.Name}' {Matrix.Shape} is no parameter of the network that is to be encoded");
        if (Rank < 1 || Rank > Matrix.HighestRank) throw new GraphException($"the rank of {Matrix} must be from 1 to {Matrix.HighestRank}, got {Rank}");
        if (!(Scale > 0) || !double.IsFinite(Scale)) throw new GraphException($"alpha of {Matrix} must be above 0, or 0 for the rank, got {Alpha}");
        if (before is null) return;
        if (before.Whole != Matrix.Whole) throw new GraphException($"'{Matrix.Name}' is encoded in two layouts; take one");
        if (before.FirstRow + before.Rows > Matrix.FirstRow) throw new GraphException($"{before} and {Matrix} have rows in common; a row has one encoding");
    }
}
